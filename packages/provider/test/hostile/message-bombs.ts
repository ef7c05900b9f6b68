/** Protobuf bytes that cost a careless parser its memory, its stack or its time. */
import { gzipSync } from 'node:zlib'

const nested = (depth: number): Buffer => {
  let inner = Buffer.alloc(0)
  for (let i = 0; i < depth; i++) {
    const head = Buffer.from([0x0a, (inner.length & 0x7f) | 0x80, inner.length >> 7])
    inner = inner.length < 16_000 ? Buffer.concat([head, inner]) : inner
  }
  return inner
}

export const MESSAGE_BOMBS: readonly Uint8Array[] = [
  nested(5000),
  // A length that lies.
  Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f]),
  // Groups, which protobuf has forgotten.
  Buffer.alloc(15_000, 0x0b),
  // Unknown fields, many and long.
  Buffer.concat(Array.from({ length: 3000 }, (_, i) => Buffer.from([0xfa, 0x3f, 2, i & 255, 0]))),
  Buffer.alloc(200_000, 0xff),
  gzipSync(Buffer.alloc(8 * 2 ** 20)),
  new Uint8Array(0),
]
