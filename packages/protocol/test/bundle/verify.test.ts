/**
 * Verifying entries: every entry of a bundle verifies for its question only; every change of
 * question, place, provider, period, sibling or answer is refused; so are bundles that hold a wrong
 * answer at the right place.
 */
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { BundleQuestion } from '../../src/bundle/entry.ts'
import {
  type BundleOpening,
  type CommittedBundle,
  verifyBundleEntry,
} from '../../src/bundle/verify.ts'
import { address, hash32 } from '../../src/ids.ts'
import { leaves, period } from '../../src/units.ts'
import { type Entry, entryHash, path, root } from '../reference/bundle.ts'
import { hex } from '../reference/bytes.ts'
import { bundled, CONTEXT, dealNumber, questionOf } from '../support/bundles.ts'
import { expectCode } from '../support/failures.ts'

const made = bundled(5000, 0, 100, 17_000, 1024)
const COUNT = made.entries.length

const entryAt = (index: number): Entry => {
  const entry = made.entries[index]
  if (entry === undefined) throw new Error(`no entry ${index}`)
  return entry
}

const openingAt = (index: number): BundleOpening => ({
  index: BigInt(index),
  count: BigInt(COUNT),
  answer: entryAt(index).answer,
  path: made.path(index),
})

const refused = (
  question: BundleQuestion,
  opening: BundleOpening,
  committed: CommittedBundle = made.committed,
): string =>
  expectCode('PROOF_INVALID', () => verifyBundleEntry(committed, question, opening)).message

const flipped = (data: Uint8Array, bit: number): Uint8Array => {
  const copy = Uint8Array.from(data)
  const at = (bit >> 3) % data.length
  copy[at] = (copy[at] ?? 0) ^ (1 << (bit & 7))
  return copy
}

const anyIndex = fc.oneof(fc.nat(459), fc.integer({ min: 460, max: COUNT - 1 }))

describe('an entry', () => {
  test('verifies for its own question', () => {
    made.entries.forEach((entry, index) => {
      if (index % 7 !== 0 && index < 455) return
      const shown = verifyBundleEntry(made.committed, questionOf(entry), openingAt(index))
      if (entry.class === 1) expect(shown.leaf.deal).toBe(entry.deal)
    })
  })

  test('verifies for no other', () => {
    fc.assert(
      fc.property(anyIndex, anyIndex, (index, other) => {
        fc.pre(index !== other)
        refused(questionOf(entryAt(other)), openingAt(index))
      }),
      { numRuns: 200 },
    )
    const unknown = { class: 'deal', deal: dealNumber(9), i: 0 } as const
    expect(refused(unknown, openingAt(460))).toContain(`0 of deal ${unknown.deal}`)
    refused({ class: 'deal', deal: dealNumber(0), i: 5 }, openingAt(465))
    refused({ class: 'global', i: 0.5 }, openingAt(0))
    refused({ class: 'global', i: 460 }, openingAt(460))
  })

  test('is refused at any other place, with any other count', () => {
    fc.assert(
      fc.property(anyIndex, fc.integer({ min: -600, max: 600 }), (index, by) => {
        fc.pre(by !== 0)
        const question = questionOf(entryAt(index))
        const opening = openingAt(index)
        refused(question, { ...opening, index: opening.index + BigInt(by) })
        refused(question, { ...opening, index: opening.index + 5n * BigInt(by) })
        refused(question, { ...opening, count: opening.count + BigInt(by) })
        refused(question, { ...opening, count: opening.count + 5n * BigInt(by) })
      }),
      { numRuns: 100 },
    )
    const question = questionOf(entryAt(0))
    for (const count of [-1n, 0n, 455n, 460n + 5n * ((1n << 32n) + 1n), 1n << 64n]) {
      refused(question, { ...openingAt(0), count })
    }
  })

  test('is refused when any bit of path or answer changes, or a length', () => {
    fc.assert(
      fc.property(anyIndex, fc.nat(), (index, bit) => {
        const question = questionOf(entryAt(index))
        const opening = openingAt(index)
        refused(question, { ...opening, path: flipped(opening.path, bit) })
        refused(question, { ...opening, answer: flipped(opening.answer, bit) })
      }),
      { numRuns: 200 },
    )
    const opening = openingAt(462)
    const question = questionOf(entryAt(462))
    for (const length of [0, 31, 32, opening.path.length - 32, opening.path.length - 1]) {
      refused(question, { ...opening, path: opening.path.subarray(0, length) })
    }
    refused(question, { ...opening, path: Buffer.concat([opening.path, Buffer.alloc(32)]) })
    refused(question, { ...opening, answer: opening.answer.subarray(1) })
  })

  test('is refused in another chain, ledger, provider, period, seed, bundle', () => {
    for (const index of [0, 459, 460, COUNT - 1]) {
      const question = questionOf(entryAt(index))
      for (const change of [
        { chainId: 1n },
        { proofs: address(`0x${'a2'.repeat(20)}`) },
        { provider: address(`0x${'b1'.repeat(20)}`) },
        { period: period(78) },
        { seed: hash32(`0x${'c4'.repeat(32)}`) },
      ]) {
        const committed = { ...made.committed, context: { ...CONTEXT, ...change } }
        expect(refused(question, openingAt(index), committed)).toContain('is not in bundle')
      }
      const other = hash32(`0x${'d5'.repeat(32)}`)
      refused(question, openingAt(index), { ...made.committed, root: other })
    }
  })

  test('is refused against another tree', () => {
    for (const index of [0, COUNT - 1]) {
      const question = questionOf(entryAt(index))
      const { snapshot } = made
      for (const tree of [
        { ...snapshot, root: hash32(`0x${'d5'.repeat(32)}`) },
        { ...snapshot, weight: leaves(snapshot.weight + 1n) },
        { ...snapshot, weight: leaves(0) },
        { ...snapshot, depth: 2 },
        { ...snapshot, depth: 4 },
      ]) {
        refused(question, openingAt(index), { ...made.committed, tree })
      }
    }
  })
})

describe('a bundle committed with', () => {
  /** Commits the entries given here in place of the honest ones, and opens the one at `index`. */
  const forged = (index: number, entries: readonly Entry[], question = entryAt(index)): string => {
    const hashes = entries.map((entry, at) =>
      entry === made.entries[at] ? (made.hashes[at] ?? Buffer.alloc(0)) : entryHash(entry, at),
    )
    const answer = entries[index]?.answer ?? Buffer.alloc(0)
    const count = BigInt(entries.length)
    const opening = { index: BigInt(index), count, answer, path: path(hashes, index) }
    const committed = { ...made.committed, root: hash32(hex(root(CONTEXT, hashes))) }
    return refused(questionOf(question), opening, committed)
  }
  const replaced = (index: number, entry: Partial<Entry>): readonly Entry[] =>
    made.entries.map((held, at) => (at === index ? { ...held, ...entry } : held))

  test('a made-up answer is caught', () => {
    fc.assert(
      fc.property(anyIndex, fc.nat(), (index, bit) => {
        const answer = Buffer.from(flipped(entryAt(index).answer, bit))
        expect(forged(index, replaced(index, { answer }))).not.toContain('is not in bundle')
      }),
      { numRuns: 60 },
    )
    for (const index of [0, 460]) {
      for (const answer of [Buffer.alloc(0), Buffer.alloc(76), Buffer.alloc(3000, 0xff)]) {
        forged(index, replaced(index, { answer }))
      }
    }
  })

  test('the right answer to another question is caught', () => {
    const { answer: ofSlot2 } = entryAt(465)
    const message = forged(460, replaced(460, { answer: ofSlot2 }))
    expect(message).toContain(`an answer of deal ${dealNumber(2)}`)
    for (const index of [3, 470]) {
      const answer = entryAt(index + 1).answer
      expect(forged(index, replaced(index, { answer }))).not.toContain('is not in bundle')
    }
  })

  test('an entry of another class, deal or number in its place is caught', () => {
    for (const change of [{ class: 0 }, { deal: dealNumber(0) }, { i: 1 }]) {
      expect(forged(465, replaced(465, change))).toContain('is not in bundle')
    }
  })

  test('entries that are not 460 and five per deal are caught', () => {
    for (const length of [459, 461, 464]) {
      expect(forged(0, made.entries.slice(0, length))).toContain(`a bundle of ${length} entries`)
    }
  })
})
