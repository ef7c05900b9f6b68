/**
 * F23 across settlement: reorganisations of 1 to 64 blocks take back a commitment, a dispute and its
 * answer, and a payment. A real provider notices, does again what was taken back, and in the end every
 * period is paid once.
 */

import type { DisputedEntry } from '@holdfast/chain'
import { type Ledger, type LedgerEvent, REWIND_BLOCKS } from '@holdfast/chain'
import {
  amount,
  costOf,
  type DealId,
  finalAt,
  type Period,
  period,
  periods,
  seconds,
} from '@holdfast/protocol'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { type RunningProvider, TestNetwork, until } from './support/network.ts'
import { payloadOf } from './support/payloads.ts'

const DEPTHS = [1, 2, 9, 33, 64] as const

describe('a reorganisation', () => {
  let network: TestNetwork
  let running: RunningProvider
  let ledger: Ledger
  let deal: DealId

  beforeEach(async () => {
    network = await TestNetwork.create()
    running = await network.start()
    ledger = network.ledger(network.publisher)
    ;({ deal } = await running.client.deal(payloadOf(50_000)))
    // Deeper than any of them: what came before is not what they are about.
    bury(REWIND_BLOCKS)
  })
  afterEach(async () => {
    await network.close()
  })

  /** As many empty blocks as are needed to have `depth` above and including the newest. */
  const bury = (depth: number): void => {
    for (let i = 1; i < depth; i++) network.chain.advance(seconds(0n))
  }

  /** Takes the newest `depth` blocks back; seeds come again, as on a real chain. */
  const takeBack = async (depth: number, seeded: Period): Promise<void> => {
    network.chain.reorg(depth)
    if ((await ledger.seed(seeded)) === undefined) network.chain.postSeed(seeded)
  }

  const isProven = async (of: Period): Promise<boolean> =>
    (await ledger.proven(network.owner.address, of, period(of + 1n))).length === 1

  /** The provider has nothing left to do and sees what the ledger says. */
  const settled = async (of: Period): Promise<void> => {
    const { follower, performer } = running.provider.parts
    await until(`period ${of} is proven and nothing is due`, async () => {
      const { audit } = await ledger.standing(network.owner.address)
      const seen = follower.state.isProven(of)
      return seen && (await isProven(of)) && audit === undefined && performer.duties().length === 0
    })
  }

  const proveNext = async (): Promise<Period> => {
    const of = network.nextPeriod()
    await settled(of)
    return of
  }

  test.each(DEPTHS)(
    'of %i blocks takes a commitment back, and it is committed to again',
    async (depth) => {
      const of = await proveNext()
      // The newest three or four are the seed, the commitment and what its audit shows.
      bury(Math.max(1, depth - 3))
      await takeBack(depth, of)
      await settled(of)
      const next = await proveNext()
      expect(await ledger.proven(network.owner.address, of, period(next + 1n))).toEqual([of, next])
      expect(running.provider.parts.performer.counts.failed.prove).toBe(0)
    },
  )

  test.each(DEPTHS)(
    'of %i blocks takes a dispute or its answer back, and nothing is slashed',
    async (depth) => {
      await proveNext()
      const of = await proveNext()
      const entry: DisputedEntry = {
        ...{ provider: network.owner.address, period: of },
        question: { class: 'global', i: 3 },
      }
      const answered = async (): Promise<boolean> =>
        (await ledger.dispute(entry))?.state === 'answered'
      const stake = (await ledger.provider(network.owner.address))?.stake
      await ledger.openDispute({ ...entry, membership: undefined })
      await until('it is answered', answered)
      // The answer alone goes: the dispute stands, and is answered again.
      bury(depth)
      await takeBack(depth, of)
      await until('it is answered again', answered)
      // The dispute goes too where that is deep enough: nobody asked, or it is answered once more.
      await takeBack(depth, of)
      await settled(of)
      const left = await ledger.dispute(entry)
      if (left !== undefined) await until('it is answered in the end', answered)
      expect((await ledger.provider(network.owner.address))?.stake).toBe(stake)
      expect(await ledger.disputes(network.owner.address)).toEqual([])
    },
  )

  test.each(DEPTHS)('of %i blocks takes a payment back, and it is made once', async (depth) => {
    const first = await proveNext()
    const final = finalAt(network.chain.network, first)
    let last = first
    while (network.chain.time < final) last = await proveNext()
    const paidThrough = async (): Promise<boolean> =>
      ((await ledger.deal(deal))?.settledThrough ?? 0n) > first
    await until('it is settled', paidThrough)
    bury(depth)
    await takeBack(depth, last)
    await settled(last)
    await until('it is settled again', paidThrough)
    await expectPaidOnce()
  })

  /** What was paid is what is proven, and what stands on the chain adds up to it. */
  const expectPaidOnce = async (): Promise<void> => {
    const found = await ledger.deal(deal)
    if (found === undefined) throw new Error('the deal is there')
    const { rate } = found.terms
    const proven = await ledger.proven(network.owner.address, found.start, found.settledThrough)
    const count = periods(BigInt(proven.length))
    const due = costOf({ rate, period: network.chain.network.period, periods: count })
    expect(found.paid).toBe(due)
    const events = await standing()
    const paid = events.reduce(
      (sum, event) => (event.kind === 'deal-settled' ? sum + event.paid : sum),
      0n,
    )
    expect(amount(paid)).toBe(due)
  }

  /** The events of the blocks that stand. */
  const standing = async (): Promise<readonly LedgerEvent[]> => {
    const { hash } = await ledger.tip()
    const found: LedgerEvent[] = []
    for await (const { applied } of ledger.follow(undefined)) {
      for (const { events } of applied) found.push(...events)
      if (applied.at(-1)?.ref.hash === hash) break
    }
    return found
  }
})
