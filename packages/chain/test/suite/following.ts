/** Conformance: following the chain, reorganisations, concurrent writes, cancellation. */

import { amount, type DealId, type Hash32, timestamp } from '@holdfast/protocol'
import { expect, test } from '@jest/globals'
import {
  type BlockRef,
  FINAL_BLOCKS,
  type Ledger,
  type LedgerEvent,
  type LedgerUpdate,
  REWIND_BLOCKS,
} from '../../src/ledger.ts'
import { begin, codeOf, meet, randomHash } from '../support/scenario.ts'
import type { HarnessSource } from './source.ts'

/** The simplest reader: which deals are open, with what it takes to undo blocks. */
class Fold {
  readonly trail: BlockRef[] = []
  readonly #opened = new Map<bigint, DealId[]>()

  take({ reverted, applied }: LedgerUpdate): void {
    for (const ref of reverted) {
      this.#opened.delete(ref.number)
      const last = this.trail.at(-1)
      if (last?.number === ref.number) this.trail.pop()
    }
    for (const { ref, events } of applied) {
      const last = this.trail.at(-1)
      if (last !== undefined && ref.number <= last.number) throw new Error('blocks go forward')
      this.trail.push(ref)
      this.#opened.set(ref.number, dealsIn(events))
    }
  }

  get deals(): readonly DealId[] {
    return [...this.#opened.entries()].sort(([a], [b]) => Number(a - b)).flatMap(([, ids]) => ids)
  }
}

const dealsIn = (events: readonly LedgerEvent[]): DealId[] =>
  events.flatMap((event) => (event.kind === 'deal-opened' ? [event.deal] : []))

type After = BlockRef | readonly BlockRef[] | undefined

/** Follows into `fold` until it stands on the block; every update is checked against the trail. */
const catchUp = async (ledger: Ledger, fold: Fold, to: Hash32, after?: After): Promise<void> => {
  const stop = new AbortController()
  for await (const update of ledger.follow(after ?? fold.trail, { signal: stop.signal })) {
    fold.take(update)
    if (fold.trail.at(-1)?.hash === to) return
  }
}

export const followingSuite = (source: HarnessSource): void => {
  test('knows the block that is final, and balances that are agreed on', async () => {
    const harness = source()
    const { ledger, signer } = await harness.account(amount(10n))
    const [token] = harness.network.tokens
    if (token === undefined) throw new Error('the network has a token')
    await ledger.deposit(token.address, amount(7n))
    expect(await ledger.agreedBalance(signer.address, token.address)).toBe(7n)
    const tip = await ledger.tip()
    const final = await ledger.finalBlock()
    const expected = tip.number > BigInt(FINAL_BLOCKS) ? tip.number - BigInt(FINAL_BLOCKS) : 0n
    expect(final.number).toBe(expected)
    expect(final.timestamp).toBeLessThanOrEqual(tip.timestamp)
  })

  test('brings every event, in order, once', async () => {
    const scenario = await begin(source())
    const first = await scenario.open()
    const second = await scenario.open()
    const { ledger } = scenario.publisher
    const fold = new Fold()
    await catchUp(ledger, fold, (await ledger.tip()).hash)
    const mine = fold.deals.filter((id) => id === first.id || id === second.id)
    expect(mine).toEqual([first.id, second.id])
    expect(fold.deals).toEqual((await ledger.deals({})).map((deal) => deal.id))
  })

  test('goes on exactly after the block it is given, live', async () => {
    const scenario = await begin(source())
    const { ledger } = scenario.publisher
    const from = await ledger.tip()
    const fold = new Fold()
    const stop = new AbortController()
    const done = (async () => {
      for await (const update of ledger.follow(from, { signal: stop.signal })) {
        expect(update.reverted).toEqual([])
        fold.take(update)
        if (fold.deals.length === 3) return
      }
    })()
    const opened = [await scenario.open(), await scenario.open(), await scenario.open()]
    await done
    expect(fold.deals).toEqual(opened.map((deal) => deal.id))
    expect(fold.trail[0]?.number).toBe(from.number + 1n)
  })

  test('serves several followers at once', async () => {
    const scenario = await begin(source())
    const { ledger } = scenario.publisher
    const from = await ledger.tip()
    const folds = [new Fold(), new Fold(), new Fold()]
    const { receipt } = await scenario.open()
    await Promise.all(folds.map((fold) => catchUp(ledger, fold, receipt.block.hash, from)))
    for (const fold of folds) expect(fold.trail).toEqual(folds[0]?.trail)
  })
}

export const interruptionSuite = (source: HarnessSource): void => {
  test('ends with ABORTED when the signal fires and when the ledger closes', async () => {
    const { ledger } = await source().account()
    const stop = new AbortController()
    const wait = async (signal?: AbortSignal) => {
      const from = await ledger.tip()
      const options = signal === undefined ? {} : { signal }
      for await (const _ of ledger.follow(from, options)) throw new Error('nothing happens')
    }
    const first = wait(stop.signal)
    const second = wait()
    stop.abort()
    expect(await codeOf(first)).toBe('ABORTED')
    await ledger.close()
    await ledger.close()
    expect(await codeOf(second)).toBe('ABORTED')
    expect(await codeOf(ledger.tip({ signal: AbortSignal.abort() }))).toBe('ABORTED')
  })

  test('gets concurrent writes of one account all mined', async () => {
    const { publisher, token } = await meet(source())
    const { ledger } = publisher
    const amounts = Array.from({ length: 12 }, (_, i) => amount(BigInt(i) + 1n))
    await ledger.deposit(token, amount(1_000n))
    const receipts = await Promise.all(amounts.map((value) => ledger.withdraw(token, value)))
    expect(new Set(receipts.map((receipt) => receipt.transaction)).size).toBe(12)
    expect(await ledger.balance(ledger.account, token)).toBe(1_000n - 78n)
    const mixed = [amount(10n ** 15n), amount(1n), amount(10n ** 15n), amount(2n)]
    const outcomes = await Promise.allSettled(mixed.map((value) => ledger.withdraw(token, value)))
    expect(outcomes.map((outcome) => outcome.status)).toEqual([
      ...['rejected', 'fulfilled', 'rejected', 'fulfilled'],
    ])
  })
}

export const reorgSuite = (source: HarnessSource): void => {
  test('reverts newest first and applies what came instead', async () => {
    const scenario = await begin(source())
    const { ledger } = scenario.publisher
    const kept = await scenario.open()
    const tree = scenario.tree.clone()
    const lost = [await scenario.open(), await scenario.open()]
    const fold = new Fold()
    await catchUp(ledger, fold, (await ledger.tip()).hash)
    const before = [...fold.trail]
    await source().reorg(2)
    const stop = new AbortController()
    for await (const update of ledger.follow(fold.trail, { signal: stop.signal })) {
      expect(update.reverted).toEqual(before.slice(-2).toReversed())
      fold.take(update)
      break
    }
    for (const { id } of lost) expect(await ledger.deal(id)).toBeUndefined()
    expect(fold.deals).toContain(kept.id)
    expect(fold.deals).toEqual((await ledger.deals({})).map((deal) => deal.id))
    // The provider's tree is back to where it was, and writing goes on.
    scenario.tree = tree
    const again = await scenario.open()
    await catchUp(ledger, fold, again.receipt.block.hash)
    expect(fold.deals.at(-1)).toBe(again.id)
  })

  test('notices a reorganisation while following live', async () => {
    const scenario = await begin(source())
    const { ledger } = scenario.publisher
    const from = await ledger.tip()
    const fold = new Fold()
    const seen: LedgerUpdate[] = []
    const stop = new AbortController()
    const live = ledger.follow(from, { signal: stop.signal })[Symbol.asyncIterator]()
    const until = async (met: () => boolean): Promise<void> => {
      while (!met()) {
        const { value } = await live.next()
        const update = value as LedgerUpdate
        seen.push(update)
        fold.take(update)
      }
    }
    const tree = scenario.tree.clone()
    const lost = await scenario.open()
    await until(() => fold.deals.includes(lost.id))
    await source().reorg(1)
    scenario.tree = tree
    const next = await scenario.open()
    await until(() => fold.deals.includes(next.id))
    expect(fold.deals).toEqual([next.id])
    const gone = seen.flatMap((update) => update.reverted.map((ref) => ref.hash))
    expect(gone).toContain(lost.receipt.block.hash)
    stop.abort()
    expect(await codeOf(live.next())).toBe('ABORTED')
  })
}

export const lostBlockSuite = (source: HarnessSource): void => {
  test('starts again from a block that is gone, with and without the blocks before it', async () => {
    const scenario = await begin(source())
    const { ledger } = scenario.publisher
    await scenario.open()
    await scenario.open()
    const fold = new Fold()
    await catchUp(ledger, fold, (await ledger.tip()).hash)
    const [last] = fold.trail.slice(-1)
    await source().reorg(1)
    const expected = (await ledger.deals({})).map((deal) => deal.id)
    const single = new Fold()
    for (const ref of fold.trail) single.take({ reverted: [], applied: [{ ref, events: [] }] })
    const tip = await ledger.tip()
    // One block only: goes back by number, and repeats what may be the same.
    const stop = new AbortController()
    for await (const update of ledger.follow(last, { signal: stop.signal })) {
      expect(update.reverted[0]).toEqual(last)
      expect(update.reverted.length).toBeLessThanOrEqual(REWIND_BLOCKS + 1)
      for (const [i, ref] of update.reverted.entries()) {
        expect(ref.number).toBe((last?.number ?? 0n) - BigInt(i))
      }
      fold.take(update)
      if (fold.trail.at(-1)?.hash === tip.hash) break
    }
    expect(fold.deals).toEqual(expected)
    // All its blocks: exactly one is gone.
    await catchUp(ledger, single, tip.hash)
    expect(single.trail.at(-1)?.hash).toBe(tip.hash)
  })

  test('goes back by number when nothing it is given was ever there', async () => {
    const scenario = await begin(source())
    const { ledger } = scenario.publisher
    const opened = await scenario.open()
    const tip = await ledger.tip()
    const stranger = { number: tip.number + 5n, hash: randomHash(), timestamp: timestamp(1n) }
    const stop = new AbortController()
    const events: LedgerEvent[] = []
    for await (const update of ledger.follow(stranger, { signal: stop.signal })) {
      if (events.length === 0) expect(update.reverted[0]).toEqual(stranger)
      for (const block of update.applied) events.push(...block.events)
      if (update.applied.at(-1)?.ref.hash === tip.hash) break
    }
    expect(dealsIn(events)).toContain(opened.id)
  })
}
