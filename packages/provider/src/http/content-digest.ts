/**
 * `Content-Digest` (RFC 9530) of a part that comes in: `crc32c=:<4 bytes, base64>:` or
 * `sha-256=:<32 bytes, base64>:`. Bytes are added as they arrive; the part counts only when they are
 * those that were sent.
 */
import { createHash } from 'node:crypto'
import { HoldfastError } from '@holdfast/protocol'
import type { Checksum } from '@holdfast/prover'

/** What a part's bytes must come to. */
export interface PartDigest {
  add(chunk: Uint8Array): void
  /** @throws HoldfastError `CHECKSUM_MISMATCH` unless exactly the announced bytes were added. */
  check(): void
}

interface Running {
  readonly length: number
  readonly begin: (checksum: Checksum) => {
    add(chunk: Uint8Array): void
    end(): Buffer
  }
}

/** In the order of preference. */
const ALGORITHMS: Readonly<Record<string, Running>> = {
  crc32c: {
    length: 4,
    begin: (checksum) => {
      let value = 0
      const add = (chunk: Uint8Array): void => {
        value = checksum(chunk, value)
      }
      const end = (): Buffer => {
        const out = Buffer.alloc(4)
        out.writeUInt32BE(value)
        return out
      }
      return { add, end }
    },
  },
  'sha-256': {
    length: 32,
    begin: () => {
      const hash = createHash('sha256')
      const add = (chunk: Uint8Array): void => {
        hash.update(chunk)
      }
      return { add, end: () => hash.digest() }
    },
  },
}

const HEADER_MAX = 1024
const MEMBER = /^\s*([a-z*][a-z0-9_.*-]*)=:([A-Za-z0-9+/=]*):\s*$/

const invalid = (reason: string): HoldfastError =>
  new HoldfastError({ code: 'MESSAGE_INVALID', field: 'Content-Digest', reason })

/**
 * The digest that the header announces; undefined without a header.
 * @throws HoldfastError `MESSAGE_INVALID` when it is malformed or names nothing that is known here.
 */
export const parseContentDigest = (
  header: string | undefined,
  checksum: Checksum,
): PartDigest | undefined => {
  if (header === undefined) return undefined
  if (header.length > HEADER_MAX) throw invalid(`${header.length} characters`)
  const given = new Map<string, string>()
  for (const member of header.split(',')) {
    const [, name, text] = MEMBER.exec(member) ?? []
    if (name === undefined || text === undefined) throw invalid('not name=:base64:')
    given.set(name, text)
  }
  for (const [name, { length, begin }] of Object.entries(ALGORITHMS)) {
    const text = given.get(name)
    if (text === undefined) continue
    const expected = Buffer.from(text, 'base64')
    if (expected.length !== length) throw invalid(`${name} has ${length} bytes`)
    return digestOf(expected, begin(checksum))
  }
  throw invalid(`none of ${Object.keys(ALGORITHMS).join(', ')}`)
}

const digestOf = (expected: Buffer, running: ReturnType<Running['begin']>): PartDigest => ({
  add: (chunk) => running.add(chunk),
  check: () => {
    const actual = running.end()
    if (actual.equals(expected)) return
    const [wanted, found] = [expected.toString('hex'), actual.toString('hex')]
    throw new HoldfastError({ code: 'CHECKSUM_MISMATCH', expected: wanted, actual: found })
  },
})
