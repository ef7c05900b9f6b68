/** Signatures of drand rounds: the real network's verify, ours are of the same form. */
import { readFile } from 'node:fs/promises'
import { bytesUint, fromHex, type Hex, toHex } from '@holdfast/protocol'
import { describe, expect, test } from '@jest/globals'
import { bls12_381 } from '@noble/curves/bls12-381.js'
import {
  compressedSignature,
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
  readonly notInGroup: Hex
  readonly notInGroupSignature: Hex
  readonly keyNotInGroup: Hex
  readonly keyNotInGroupPoint: Hex
  readonly rounds: readonly {
    readonly round: number
    readonly signature: Hex
    readonly point: Hex
  }[]
}

const VECTORS = new URL('../../../../../vectors/drand-quicknet.json', import.meta.url)
const vectors = JSON.parse(await readFile(VECTORS, 'utf8')) as Vectors

/** Field element `i` of a point in its EIP-2537 form. */
const elementOf = (point: Uint8Array, i: number): bigint =>
  bytesUint(point.subarray(64 * i, 64 * i + 64))

const FLAGS = 7n << 381n

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

  test('has no signature in a point of the curve outside of the group', () => {
    const { publicKey, notInGroup, notInGroupSignature } = vectors
    const point = fromHex(notInGroup)
    const [x, y] = [elementOf(point, 0), elementOf(point, 1)]
    const { Fp } = bls12_381.fields
    expect(Fp.sqr(y)).toBe(Fp.add(Fp.mul(Fp.sqr(x), x), 4n))
    // Compressed: x, and in the first three bits that it is, and which y.
    const signature = fromHex(notInGroupSignature)
    expect(bytesUint(signature) & ~FLAGS).toBe(x)
    expect(() => signaturePoint(signature)).toThrow('signature invalid')
    expect(() => compressedSignature(point)).toThrow('signature invalid')
    expect(verifyRound(publicKey, { round: 1000n, signature })).toBe(false)
  })

  test('has no key in a point of the curve outside of the group', () => {
    const { keyNotInGroup, keyNotInGroupPoint, rounds } = vectors
    const { Fp2 } = bls12_381.fields
    const point = fromHex(keyNotInGroupPoint)
    const x = Fp2.fromBigTuple([elementOf(point, 0), elementOf(point, 1)])
    const y = Fp2.fromBigTuple([elementOf(point, 2), elementOf(point, 3)])
    const right = Fp2.add(Fp2.mul(Fp2.sqr(x), x), Fp2.fromBigTuple([4n, 4n]))
    expect(Fp2.eql(Fp2.sqr(y), right)).toBe(true)
    const key = fromHex(keyNotInGroup)
    expect(bytesUint(key.subarray(0, 48)) & ~FLAGS).toBe(x.c1)
    expect(bytesUint(key.subarray(48))).toBe(x.c0)
    expect(() => publicKeyPoint(keyNotInGroup)).toThrow('signature invalid')
    const signature = fromHex(rounds[0]?.signature ?? '0x')
    expect(verifyRound(keyNotInGroup, { round: 1000n, signature })).toBe(false)
  })

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
