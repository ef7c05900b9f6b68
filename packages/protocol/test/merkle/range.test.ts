/**
 * Range proofs: every range of every small payload, in one piece and streamed, and mutations.
 */
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { buildRangeProof, RangeVerifier, verifyRange } from '../../src/merkle/range.ts'
import { bytes, leafIndex } from '../../src/units.ts'
import { cryptoHasher } from '../support/crypto-hasher.ts'
import { expectCode } from '../support/failures.ts'
import { type Sample, sample } from '../support/payloads.ts'

const KIB = 1024

const cut = ({ payload }: Sample, first: number, last: number): Buffer =>
  payload.subarray(first * KIB, (last + 1) * KIB)

const proofOf = ({ leaves, source }: Sample, first: number, last: number): Uint8Array =>
  buildRangeProof(BigInt(leaves), { first: leafIndex(first), last: leafIndex(last) }, source)

const verify = (
  shown: Sample,
  input: { first: number; payload: Uint8Array; proof: Uint8Array },
): void => verifyRange({ commitment: shown.commitment, ...input, first: leafIndex(input.first) })

describe('a range proof', () => {
  test('verifies for every range of every leaf count up to 17', () => {
    for (let leaves = 1; leaves <= 17; leaves++) {
      const shown = sample(leaves * KIB - 300)
      for (let first = 0; first < leaves; first++) {
        for (let last = first; last < leaves; last++) {
          const proof = proofOf(shown, first, last)
          verify(shown, { first, payload: cut(shown, first, last), proof })
        }
      }
    }
  })

  test('is empty for the whole payload and a path for one leaf', () => {
    const shown = sample(16 * KIB)
    expect(proofOf(shown, 0, 15)).toHaveLength(0)
    expect(proofOf(shown, 5, 5)).toHaveLength(4 * 32)
  })

  test('streams in any chunks across tiles', () => {
    const shown = sample(300 * KIB - 11)
    fc.assert(
      fc.property(fc.nat(299), fc.nat(299), fc.integer({ min: 1, max: 90_000 }), (a, b, width) => {
        const [first, last] = a < b ? [a, b] : [b, a]
        const verifier = new RangeVerifier({
          commitment: shown.commitment,
          range: { first: leafIndex(first), last: leafIndex(last) },
          proof: proofOf(shown, first, last),
          hasher: cryptoHasher,
        })
        const run = cut(shown, first, last)
        for (let at = 0; at < run.length; at += width) verifier.update(run.subarray(at, at + width))
        verifier.finish()
      }),
      { numRuns: 25 },
    )
  })
})

describe('a range is refused', () => {
  const shown = sample(13 * KIB - 100)

  test('when any bit of bytes or proof is wrong', () => {
    fc.assert(
      fc.property(fc.nat(12), fc.nat(12), fc.nat(), (a, b, pick) => {
        const [first, last] = a < b ? [a, b] : [b, a]
        const good = Buffer.from(cut(shown, first, last))
        const proof = proofOf(shown, first, last)
        const at = pick % (good.length + proof.length)
        const target = at < good.length ? good : proof
        const index = at < good.length ? at : at - good.length
        target[index] = (target[index] ?? 0) ^ 0x10
        expectCode('PROOF_INVALID', () => verify(shown, { first, payload: good, proof }))
      }),
      { numRuns: 150 },
    )
  })

  test('when it is said to start elsewhere', () => {
    const proof = proofOf(shown, 4, 6)
    for (const first of [0, 3, 5, 8, 10, 12, 13, 400]) {
      expectCode('PROOF_INVALID', () => verify(shown, { first, payload: cut(shown, 4, 6), proof }))
    }
  })

  test('when the proof is short, long, or for another range', () => {
    const proof = proofOf(shown, 4, 6)
    const payload = cut(shown, 4, 6)
    for (const other of [
      proof.subarray(32),
      proof.subarray(0, proof.length - 1),
      Buffer.concat([proof, Buffer.alloc(32)]),
      proofOf(shown, 4, 7),
      new Uint8Array(0),
    ]) {
      expectCode('PROOF_INVALID', () => verify(shown, { first: 4, payload, proof: other }))
    }
  })

  test('when bytes are missing, too many, or cut inside a leaf that is not the last', () => {
    const proof = proofOf(shown, 4, 6)
    for (const payload of [
      cut(shown, 4, 6).subarray(0, -1),
      cut(shown, 4, 5),
      cut(shown, 4, 7),
      Buffer.alloc(0),
    ]) {
      expectCode('PROOF_INVALID', () => verify(shown, { first: 4, payload, proof }))
    }
    const verifier = new RangeVerifier({
      commitment: shown.commitment,
      range: { first: leafIndex(4), last: leafIndex(6) },
      proof,
    })
    verifier.update(cut(shown, 4, 6))
    expectCode('PROOF_INVALID', () => verifier.update(Uint8Array.of(0)))
  })

  test('when the last leaf comes padded, or the length is another', () => {
    const proof = proofOf(shown, 12, 12)
    const padded = Buffer.concat([cut(shown, 12, 12), Buffer.alloc(100)])
    expectCode('PROOF_INVALID', () => verify(shown, { first: 12, payload: padded, proof }))
    for (const length of [12 * KIB, 13 * KIB, 17 * KIB]) {
      expectCode('PROOF_INVALID', () =>
        verifyRange({
          commitment: { ...shown.commitment, length: bytes(length) },
          first: leafIndex(12),
          payload: cut(shown, 12, 12),
          proof,
        }),
      )
    }
  })

  test('when built for leaves that are not there', () => {
    expectCode('PROOF_INVALID', () => proofOf(shown, 5, 13))
    expectCode('PROOF_INVALID', () => proofOf(shown, 5, 4))
  })

  test('when the scheme has no tree here', () => {
    expectCode('PROOF_INVALID', () =>
      verifyRange({
        commitment: { ...shown.commitment, scheme: 2 },
        first: leafIndex(0),
        payload: shown.payload,
        proof: new Uint8Array(0),
      }),
    )
  })
})
