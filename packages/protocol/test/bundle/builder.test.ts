/**
 * Building bundles: the streaming root and the paths equal the recursive reference, whatever the
 * number of deals; answers out of order never make a bundle.
 */
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { BundleBuilder } from '../../src/bundle/builder.ts'
import type { BundleDeal } from '../../src/bundle/order.ts'
import { buildBundlePath, bundleNodes } from '../../src/bundle/path.ts'
import { dealId } from '../../src/ids.ts'
import { slotIndex } from '../../src/units.ts'
import { entryHash, path, questions, root } from '../reference/bundle.ts'
import { hex, uint, unhex } from '../reference/bytes.ts'
import { bundled, CONTEXT, dealNumber, questionOf } from '../support/bundles.ts'
import { expectCode } from '../support/failures.ts'

const DEALS = Array.from({ length: 20 }, (_, n) => dealNumber(n))

/** The shortest thing with a deal, a slot and something of its own. */
const answerOf = (deal: string, slot: number, own: number): Buffer =>
  Buffer.concat([unhex(deal), Buffer.alloc(41), uint(slot, 4), uint(own, 4)])

/** Answers of a provider whose slot s holds a deal where `taken[s]`. */
const answersOf = (taken: readonly boolean[]): readonly Buffer[] => {
  const globals = Array.from({ length: 460 }, (_, i) => answerOf(dealNumber(0), 0, i))
  const deals = taken.flatMap((held, slot) =>
    held ? [0, 1, 2, 3, 4].map((i) => answerOf(DEALS[slot] ?? '', slot, i)) : [],
  )
  return [...globals, ...deals]
}

const fed = (answers: readonly Buffer[]): BundleBuilder => {
  const builder = new BundleBuilder(CONTEXT)
  for (const answer of answers) builder.add(answer)
  return builder
}

describe('a builder', () => {
  test('gives root, places, hashes and paths of the reference', () => {
    const slots = fc.array(fc.boolean(), { maxLength: 20 })
    fc.assert(
      fc.property(slots, fc.nat(), (taken, pick) => {
        const answers = answersOf(taken)
        const asked = questions(taken.map((held, n) => (held ? dealNumber(n) : undefined)))
        const builder = new BundleBuilder(CONTEXT)
        const built = answers.map((answer) => builder.add(answer))
        const hashes = asked.map((question, index) =>
          entryHash({ ...question, answer: answers[index] ?? Buffer.alloc(0) }, index),
        )
        expect(built.map((entry) => hex(entry.hash))).toEqual(hashes.map(hex))
        built.forEach((entry, index) => {
          expect(entry.index).toBe(BigInt(index))
          const question = asked[index]
          if (question) expect(entry.place).toMatchObject(questionOf(question))
        })
        const count = BigInt(answers.length)
        expect(builder.finish()).toEqual({ root: hex(root(CONTEXT, hashes)), count })
        const at = pick % answers.length
        const nodes = bundleNodes(Buffer.concat(hashes))
        expect(hex(buildBundlePath(count, BigInt(at), nodes))).toBe(hex(path(hashes, at)))
      }),
      { numRuns: 20 },
    )
  })

  test('streams 10,000 deals from one buffer', () => {
    const builder = new BundleBuilder(CONTEXT)
    const hashes = new Uint8Array(50_460 * 32)
    const answer = Buffer.alloc(81)
    for (let index = 0; index < 50_460; index++) {
      const slot = index < 460 ? 0 : Math.floor((index - 460) / 5)
      answer.writeUInt32BE(slot, 28)
      answer.writeUInt32BE(slot, 73)
      answer.writeUInt32BE(index, 77)
      hashes.set(builder.add(answer).hash, 32 * index)
    }
    const { root: built, count } = builder.finish()
    expect(count).toBe(50_460n)
    const list = Array.from({ length: 50_460 }, (_, at) =>
      Buffer.from(hashes.subarray(32 * at, 32 * at + 32)),
    )
    expect(built).toBe(hex(root(CONTEXT, list)))
    expect(buildBundlePath(count, 50_459n, bundleNodes(hashes))).toHaveLength(16 * 32)
  })

  test('takes absent entries in their places, as the reference hashes no bytes', () => {
    const answers = answersOf([true, true])
    const gaps = new Set([0, 459, 461, 465])
    const builder = new BundleBuilder(CONTEXT)
    const at = (slot: number): BundleDeal => ({
      slot: slotIndex(slot),
      deal: dealId(dealNumber(slot)),
    })
    const hashes = answers.map((answer, index) => {
      const slot = index < 460 ? undefined : at(Math.floor((index - 460) / 5))
      return (gaps.has(index) ? builder.addAbsent(slot) : builder.add(answer)).hash
    })
    const asked = questions([dealNumber(0), dealNumber(1)])
    const wanted = asked.map((question, index) => {
      const answer = gaps.has(index) ? Buffer.alloc(0) : (answers[index] ?? Buffer.alloc(0))
      return entryHash({ ...question, answer }, index)
    })
    expect(hashes.map(hex)).toEqual(wanted.map(hex))
    expect(builder.finish().root).toBe(hex(root(CONTEXT, wanted)))
    const started = fed(answers.slice(0, 461))
    expectCode('INVARIANT', () => started.addAbsent())
    expectCode('INVARIANT', () => started.addAbsent(at(1)))
    expectCode('INVARIANT', () => new BundleBuilder(CONTEXT).addAbsent(at(0)))
  })

  test('takes answers in their order only', () => {
    const good = answersOf([true, false, true])
    const swapped = (a: number, b: number): readonly Buffer[] =>
      good.map((answer, at) => good[at === a ? b : at === b ? a : at] ?? answer)
    // The second deal before the first; an answer of each exchanged; slot or deal changed midway.
    const reversed = [...good.slice(0, 460), ...good.slice(465), ...good.slice(460, 465)]
    expectCode('INVARIANT', () => fed(reversed))
    expectCode('INVARIANT', () => fed(swapped(461, 466)))
    for (const wrong of [answerOf(DEALS[0] ?? '', 2, 1), answerOf(DEALS[2] ?? '', 0, 1)]) {
      expectCode('INVARIANT', () => fed([...good.slice(0, 461), wrong]))
    }
    expectCode('INVARIANT', () => fed([...good, ...good.slice(465)]))
    expectCode('INVARIANT', () => fed([Buffer.alloc(77)]))
  })

  test('finishes whole bundles only, and once', () => {
    const good = answersOf([true])
    for (const length of [0, 1, 459, 461, 464]) {
      expectCode('INVARIANT', () => fed(good.slice(0, length)).finish())
    }
    expect(fed(good.slice(0, 460)).finish().count).toBe(460n)
    const builder = fed(good)
    builder.finish()
    expectCode('INVARIANT', () => builder.finish())
    expectCode('INVARIANT', () => builder.add(good[464] ?? Buffer.alloc(0)))
  })

  test('builds what a real provider commits', () => {
    const made = bundled(5000, 0, 100)
    const builder = fed(made.entries.map(({ answer }) => answer))
    expect(builder.finish()).toEqual({ root: made.committed.root, count: 470n })
  })
})

describe('paths', () => {
  test('need an index inside and whole hashes', () => {
    const nodes = bundleNodes(Buffer.alloc(96))
    for (const index of [-1n, 3n]) expectCode('INVARIANT', () => buildBundlePath(3n, index, nodes))
    for (const length of [0, 31, 33]) {
      expectCode('INVARIANT', () => bundleNodes(Buffer.alloc(length)))
    }
    expectCode('INVARIANT', () => nodes(0, 3n))
    expectCode('INVARIANT', () => nodes(3, 0n))
    expectCode('INVARIANT', () => buildBundlePath(2n, 0n, () => new Uint8Array(31)))
  })
})
