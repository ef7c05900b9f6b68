/**
 * Answers: every position of a provider's weight can be answered, the encoding round-trips, every
 * changed byte and every other length is refused.
 */
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { answerLength, decodeAnswer, encodeAnswer, verifyAnswer } from '../src/answer.ts'
import { uintBytes } from '../src/bytes.ts'
import { dealId } from '../src/ids.ts'
import { ProviderTree } from '../src/provider-tree.ts'
import type { SlotLeaf } from '../src/sum-node.ts'
import { leafIndex, leaves, slotIndex } from '../src/units.ts'
import { hex, keccakText } from './reference/bytes.ts'
import { expectCode } from './support/failures.ts'
import { type Sample, sample } from './support/payloads.ts'

const SAMPLES = [sample(5000), sample(100), sample(17_000), sample(1024)] as const
const LAYOUT: readonly (Sample | undefined)[] = [
  SAMPLES[0],
  undefined,
  SAMPLES[1],
  SAMPLES[2],
  SAMPLES[3],
]

const slotOf = (shown: Sample): SlotLeaf => ({
  deal: dealId(hex(keccakText(shown.commitment.root))),
  scheme: 1,
  root: shown.commitment.root,
  leaves: leaves(shown.leaves),
})

const tree = ProviderTree.of(LAYOUT.map((shown) => (shown ? slotOf(shown) : undefined)))
const snapshot = { root: tree.root, weight: tree.weight, depth: tree.depth }

const answerTo = (position: bigint): Uint8Array => {
  const { slot, leaf, index } = tree.locate(position)
  const shown = LAYOUT[Number(slot)]
  if (shown === undefined) throw new Error('an empty slot was located')
  return encodeAnswer({ slot: tree.path(slot), leaf, opening: shown.opening(Number(index)) })
}

const refused = (position: bigint, data: Uint8Array): void => {
  expectCode('PROOF_INVALID', () => verifyAnswer(snapshot, position, data))
}

describe('an answer', () => {
  test('exists for every position and verifies there only', () => {
    for (let position = 0n; position < tree.weight; position++) {
      const data = answerTo(position)
      const { slot, leaf } = tree.locate(position)
      expect(verifyAnswer(snapshot, position, data)).toMatchObject({ slot: { slot }, leaf })
      for (let other = 0n; other < tree.weight + 2n; other++) {
        if (other !== position) refused(other, data)
      }
    }
  })

  test('has exactly the length that its tree depths fix', () => {
    const data = answerTo(0n)
    expect(data).toHaveLength(answerLength(3, 5n))
    expect(data).toHaveLength(77 + 3 * 40 + 1024 + 3 * 32)
    for (const cut of [0, 76, 77, 200, 1300, data.length - 1]) refused(0n, data.subarray(0, cut))
    for (const more of [1, 32, 40]) refused(0n, Buffer.concat([data, Buffer.alloc(more)]))
  })

  test('decodes to what was encoded', () => {
    const data = answerTo(7n)
    const { slot, leaf, index } = tree.locate(7n)
    const decoded = decodeAnswer(data, 3)
    expect(decoded.slot).toEqual(tree.path(slot))
    expect(decoded.leaf).toEqual(leaf)
    const opening = { index, leaf: decoded.payloadLeaf, path: decoded.payloadPath }
    expect(encodeAnswer({ slot: decoded.slot, leaf: decoded.leaf, opening })).toEqual(data)
  })

  test('is refused when any bit of it changes', () => {
    fc.assert(
      fc.property(fc.bigInt(0n, tree.weight - 1n), fc.nat(), (position, pick) => {
        const data = Uint8Array.from(answerTo(position))
        // Half of the flips hit the head and the paths, the parts with structure.
        const bits = 8 * data.length
        const bit = pick % 2 === 0 ? pick % bits : pick % (8 * 200)
        data[bit >> 3] = (data[bit >> 3] ?? 0) ^ (1 << (bit & 7))
        refused(position, data)
      }),
      { numRuns: 400 },
    )
  })

  test('is refused against another tree', () => {
    const data = answerTo(0n)
    const other = tree.clone()
    other.set(slotIndex(1), slotOf(SAMPLES[3]))
    const now = { root: other.root, weight: other.weight, depth: other.depth }
    expectCode('PROOF_INVALID', () => verifyAnswer(now, 0n, data))
    for (const depth of [0, 2, 4, 33, -1, 1.5]) {
      expectCode('PROOF_INVALID', () => verifyAnswer({ ...snapshot, depth }, 0n, data))
    }
    const weight = leaves(tree.weight + 1n)
    expectCode('PROOF_INVALID', () => verifyAnswer({ ...snapshot, weight }, 0n, data))
  })

  test('names what does not fit', () => {
    const message = (position: bigint, data: Uint8Array): string =>
      expectCode('PROOF_INVALID', () => verifyAnswer(snapshot, position, data)).message
    const spoilt = Uint8Array.from(answerTo(0n))
    spoilt[77 + 120] = (spoilt[77 + 120] ?? 0) ^ 1
    expect(message(0n, spoilt)).toContain('leaf 0 of deal 0x')
    const heavy = Uint8Array.from(answerTo(0n)).fill(0xff, 77 + 32, 77 + 40)
    expect(message(0n, heavy)).toContain('pass 64 bits')
    expect(message(5n, answerTo(0n))).toContain('position 5 is not in deal 0x')
  })
})

describe('decoding', () => {
  const claiming = (leafCount: bigint): Uint8Array => {
    const data = new Uint8Array(answerLength(0, leafCount))
    data[32] = 1
    data.set(uintBytes(leafCount, 8), 65)
    return data
  }

  test('takes 1 to 2^40 leaves', () => {
    for (const count of [1n, 5n, 1n << 40n]) {
      expect(decodeAnswer(claiming(count), 0).leaf.leaves).toBe(count)
    }
    for (const count of [0n, (1n << 40n) + 1n, (1n << 64n) - 1n]) {
      const error = expectCode('PROOF_INVALID', () => decodeAnswer(claiming(count), 0))
      expect(error.message).toContain(`for ${count} leaves`)
    }
  })

  test('takes exactly one length', () => {
    const data = claiming(5n)
    for (const length of [data.length - 1, data.length + 1, data.length + 32]) {
      const other = new Uint8Array(length)
      other.set(data.subarray(0, length))
      const error = expectCode('PROOF_INVALID', () => decodeAnswer(other, 0))
      expect(error.message).toContain(`${length} bytes instead of ${data.length}`)
    }
  })
})

describe('encoding', () => {
  test('refuses an opening that does not fit its slot', () => {
    const { slot, leaf } = tree.locate(0n)
    const opening = SAMPLES[0].opening(0)
    for (const wrong of [
      { ...opening, leaf: opening.leaf.subarray(1) },
      { ...opening, path: opening.path.subarray(32) },
      // One byte moved from the leaf to the path: the total length would be right.
      { ...opening, leaf: opening.leaf.subarray(32), path: Buffer.alloc(128) },
    ]) {
      expectCode('PROOF_INVALID', () =>
        encodeAnswer({ slot: tree.path(slot), leaf, opening: { ...wrong, index: leafIndex(0) } }),
      )
    }
  })
})

describe('random bytes', () => {
  test('never fail with anything but PROOF_INVALID', () => {
    const data = fc.oneof(
      fc.uint8Array({ maxLength: 3000 }),
      fc
        .tuple(fc.uint8Array({ minLength: 1293, maxLength: 1293 }), fc.nat(255))
        .map(([bytes, leafCount]) => {
          bytes[32] = 1
          bytes.fill(0, 65, 72)
          bytes[72] = leafCount
          return bytes
        }),
    )
    fc.assert(fc.property(data, (bytes) => refused(3n, bytes)))
  })
})
