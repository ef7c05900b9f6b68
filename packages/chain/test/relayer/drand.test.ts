/** Signatures of drand rounds: the real network's verify, ours are of the same form. */
import { readFile } from 'node:fs/promises'
import { fromHex, type Hex, toHex } from '@holdfast/protocol'
import { describe, expect, test } from '@jest/globals'
import {
  localDrand,
  publicKeyPoint,
  randomDrand,
  signaturePoint,
  verifyRound,
} from '../../src/relayer/drand.ts'
import { systemRandom } from '../../src/system-adapters.ts'

interface Vectors {
  readonly publicKey: Hex
  readonly publicKeyPoint: Hex
  readonly rounds: readonly {
    readonly round: number
    readonly signature: Hex
    readonly point: Hex
  }[]
}

const VECTORS = new URL('../../../../../vectors/drand-quicknet.json', import.meta.url)
const vectors = JSON.parse(await readFile(VECTORS, 'utf8')) as Vectors

describe('drand quicknet', () => {
  test('has a key whose point is that of the vectors', () => {
    expect(toHex(publicKeyPoint(vectors.publicKey))).toBe(vectors.publicKeyPoint)
    expect(() => publicKeyPoint(`0x${'11'.repeat(96)}`)).toThrow('signature invalid')
  })

  test.each(vectors.rounds.map((item) => [item.round, item] as const))(
    'signed round %i and no other',
    (number, { signature, point }) => {
      const round = BigInt(number)
      const signed = { round, signature: fromHex(signature) }
      expect(verifyRound(vectors.publicKey, signed)).toBe(true)
      expect(verifyRound(vectors.publicKey, { ...signed, round: round + 1n })).toBe(false)
      expect(toHex(signaturePoint(signed.signature))).toBe(point)
    },
  )

  test('has no signature in bytes that are no point', () => {
    for (const signature of [new Uint8Array(48), new Uint8Array(48).fill(255), new Uint8Array(3)]) {
      expect(verifyRound(vectors.publicKey, { round: 1n, signature })).toBe(false)
      expect(() => signaturePoint(signature)).toThrow('signature invalid')
    }
  })
})

test('a local key signs as drand does, and is the same from its secret', () => {
  const key = randomDrand(systemRandom)
  const signed = { round: 77n, signature: key.sign(77n) }
  expect(signed.signature).toHaveLength(48)
  expect(verifyRound(key.publicKey, signed)).toBe(true)
  expect(verifyRound(vectors.publicKey, signed)).toBe(false)
  expect(localDrand(key.secretKey).publicKey).toBe(key.publicKey)
})
