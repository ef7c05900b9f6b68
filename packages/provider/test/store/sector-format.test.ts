/** The bytes of sectors: round trips, every byte changed, layout. */
import { bytes, root, timestamp } from '@holdfast/protocol'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  decodeHeader,
  decodeSuperblock,
  decodeTrailer,
  encodeHeader,
  encodeSuperblock,
  encodeTrailer,
  layoutAt,
  RECORD_ALIGNMENT,
  type RecordTrailer,
  SUPERBLOCK_BYTES,
} from '../../src/store/sector-format.ts'

const SALT = new Uint8Array(16).fill(9)
const TRAILER: RecordTrailer = {
  type: 'payload',
  sequence: 77n,
  commitment: { scheme: 1, root: root(`0x${'5a'.repeat(32)}`), length: bytes(123_456) },
  layersBytes: bytes(640),
  storedAt: timestamp(1_800_000_000),
  framesCrc: 0x80000001,
  layersCrc: 3,
}

const changed = (block: Uint8Array, index: number): Uint8Array => {
  const copy = block.slice()
  copy[index] = (copy[index] ?? 0) ^ 1
  return copy
}

describe('sector format', () => {
  test('reads back what it wrote', () => {
    const { storedAt, framesCrc, layersCrc, ...header } = TRAILER
    expect(decodeHeader(encodeHeader(header, SALT), SALT)).toEqual(header)
    expect(decodeTrailer(encodeTrailer(TRAILER), header)).toEqual({
      ...header,
      storedAt,
      framesCrc,
      layersCrc,
    })
    const superblock = { format: 2, sector: 5, kind: 'shared', salt: SALT } as const
    const block = encodeSuperblock(superblock)
    expect(decodeSuperblock(new Uint8Array([...block, ...block]), 'x')).toEqual(superblock)
  })

  test('refuses a header or trailer with any byte changed', () => {
    const header = encodeHeader(TRAILER, SALT)
    const trailer = encodeTrailer(TRAILER)
    for (let i = 0; i < 128; i++) {
      expect(decodeHeader(changed(header, i), SALT)).toBeUndefined()
      expect(decodeTrailer(changed(trailer, i), TRAILER)).toBeUndefined()
    }
  })

  test('refuses a header of another sector, and a trailer of another record', () => {
    expect(decodeHeader(encodeHeader(TRAILER, new Uint8Array(16)), SALT)).toBeUndefined()
    expect(decodeTrailer(encodeTrailer(TRAILER), { ...TRAILER, sequence: 78n })).toBeUndefined()
  })

  test('falls back to the second superblock', () => {
    const superblock = { format: 1, sector: 5, kind: 'own', salt: SALT } as const
    const block = encodeSuperblock(superblock)
    const both = new Uint8Array([...changed(block, 12), ...block])
    expect(decodeSuperblock(both, 'x')).toEqual(superblock)
    const neither = changed(both, SUPERBLOCK_BYTES + 12)
    expect(decodeSuperblock(neither, 'x')).toBeUndefined()
  })

  test('lays parts out in order, without overlap, and ends aligned', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 40 }), fc.nat(2 ** 20), (length, layers) => {
        const at = layoutAt(8192, bytes(length), bytes(layers))
        expect(at.payload).toBe(8192 + 128)
        expect(at.frameCrcs).toBe(at.payload + length)
        expect(at.layers).toBe(at.frameCrcs + 4 * Math.ceil(length / 65_536))
        expect(at.trailer).toBe(at.layers + layers)
        expect(at.end % RECORD_ALIGNMENT).toBe(0)
        expect(at.end - at.trailer).toBeGreaterThanOrEqual(128)
      }),
    )
  })
})
