/**
 * The long version: every leaf of every leaf count up to 200 opens, and larger payloads agree with
 * the reference at every power of two up to 64 MiB.
 */
import { expect, test } from '@jest/globals'
import { RootAccumulator } from '../../src/merkle/accumulator.ts'
import { verifyLeaf } from '../../src/merkle/proof.ts'
import { hex, payloadBytes } from '../reference/bytes.ts'
import { root } from '../reference/payload-tree.ts'
import { cryptoHasher } from '../support/crypto-hasher.ts'
import { sample } from '../support/payloads.ts'

const KIB = 1024

test('every leaf of every leaf count up to 200 opens', () => {
  for (let leaves = 1; leaves <= 200; leaves++) {
    const { commitment, opening } = sample(leaves * KIB - (leaves % 1024))
    for (let index = 0; index < leaves; index++) verifyLeaf(commitment, opening(index))
  }
})

test('roots agree around every power of two up to 64 MiB', () => {
  const whole = payloadBytes(1, 64 * KIB * KIB + 1)
  for (let power = 10; power <= 26; power++) {
    for (const off of [-1, 0, 1]) {
      const payload = whole.subarray(0, 2 ** power + off)
      const accumulator = new RootAccumulator(cryptoHasher)
      for (let at = 0; at < payload.length; at += 1_000_003) {
        accumulator.update(payload.subarray(at, at + 1_000_003))
      }
      expect([payload.length, accumulator.finish().root]).toEqual([
        payload.length,
        hex(root(payload)),
      ])
    }
  }
}, 600_000)
