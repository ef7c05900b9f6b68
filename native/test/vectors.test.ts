/** Published vectors, on every engine: FRC-0069 piece commitments and SHA-256 (FIPS 180-4). */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { capacityAt } from '../src/engine.ts'
import { holeNodes } from '../src/nodes.ts'
import { listEngines } from '../src/open-engine.ts'

interface PieceCase {
  readonly runs?: readonly (readonly [number, number])[]
  /** Instead of runs: a piece of zeros only, too large to be hashed byte by byte here. */
  readonly zeros?: string
  readonly height: number
  readonly padding: number
  readonly v2: string
}

/** From `native/dist/test` to the repository's vectors. */
const VECTORS = new URL('../../../vectors/piece-cid/frc-0069.json', import.meta.url)
const { cases } = JSON.parse(readFileSync(VECTORS, 'utf8')) as {
  readonly cases: readonly PieceCase[]
}

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567'

/** The last 32 bytes of a base32 CID: the root. */
const rootOf = (cid: string): string => {
  let bits = 0n
  for (const character of cid.slice(1)) bits = (bits << 5n) | BigInt(ALPHABET.indexOf(character))
  bits >>= BigInt(((cid.length - 1) * 5) % 8)
  return (bits & ((1n << 256n) - 1n)).toString(16).padStart(64, '0')
}

const payloadOf = ({ runs }: PieceCase): Uint8Array => {
  const parts = (runs ?? []).map(([length, value]) => new Uint8Array(length).fill(value))
  const joined = Buffer.concat(parts)
  // an empty piece is one quad of zeros
  return joined.length === 0 ? new Uint8Array(1) : new Uint8Array(joined)
}

const plainPieces = cases.filter(({ runs }) => runs).map((piece) => [piece.v2, piece] as const)
const zeroPieces = cases.filter(({ runs }) => !runs).map((piece) => [piece.v2, piece] as const)

const LARGEST = 64 << 20

for (const engine of listEngines().engines) {
  describe(engine.name, () => {
    test.each(zeroPieces)('gives %s for zeros alone', (cid, piece) => {
      const node = holeNodes(engine, 2)[piece.height] ?? new Uint8Array(0)
      expect(Buffer.from(node).toString('hex')).toBe(rootOf(cid))
    })

    test.each(plainPieces)('gives %s', (cid, piece) => {
      const payload = payloadOf(piece)
      expect(payload.length).toBeLessThan(LARGEST)
      expect(capacityAt(2, piece.height)).toBeGreaterThanOrEqual(payload.length)
      const root = new Uint8Array(32)
      const shape = { scheme: 2, level: piece.height, keptLevel: 7 } as const
      engine.subtree(payload, shape, { kept: new Uint8Array(0), root })
      expect(Buffer.from(root).toString('hex')).toBe(rootOf(cid))
    })

    test.each([
      ['abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
      [
        'abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq',
        '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
      ],
    ])('hashes "%s" as FIPS 180-4 says', (text, wanted) => {
      const out = new Uint8Array(32)
      engine.messages(Buffer.from(text), text.length, out)
      expect(Buffer.from(out).toString('hex')).toBe(wanted)
    })
  })
}
