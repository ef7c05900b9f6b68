/**
 * Keeps the books while the node runs: every mined transaction is booked, every period that is over is
 * judged once, egress is written down every few seconds. Decides nothing and sends nothing.
 */
import type { LedgerReader, NetworkParams, TxReceipt } from '@holdfast/chain'
import {
  type CallOptions,
  type Clock,
  type Logger,
  type Period,
  period,
  periodAt,
  type Root,
} from '@holdfast/protocol'
import type { Duty } from '../duties/duties.ts'
import type { Follower } from '../follow/follower.ts'
import { pauseUntilNews } from '../wake.ts'
import type { PeriodOutcome } from './account-types.ts'
import { type Accounts, judgeFrom } from './accounts.ts'
import { finalPeriod, wasCounted, weightAt } from './period-record.ts'

export interface BookkeeperDependencies {
  readonly accounts: Accounts
  readonly follower: Pick<Follower, 'state' | 'nextUpdate'>
  readonly ledger: Pick<LedgerReader, 'seed'>
  readonly network: NetworkParams
  readonly clock: Clock
  readonly logger: Logger
}

/** News of the chain is looked at after this pause, and every five seconds in any case. */
const FLUSH_PAUSE_MS = 1000
const FLUSH_EVERY_MS = 5000
/** Periods that are still judged after a long stop. */
const JUDGED_BACK = 1000n

export class Bookkeeper {
  readonly #dependencies: BookkeeperDependencies

  constructor(dependencies: BookkeeperDependencies) {
    this.#dependencies = dependencies
  }

  /** Books the transaction of a duty. Never rejects. */
  performed(duty: Duty, receipt: TxReceipt): Promise<void> {
    if (duty.kind === 'give-up') return Promise.resolve()
    const { accounts, follower, network } = this.#dependencies
    const proof =
      duty.kind === 'prove'
        ? { period: duty.period, weight: weightAt(follower.state, duty.period) }
        : undefined
    return accounts.bookGas({
      transaction: receipt.transaction,
      kind: duty.kind,
      at: receipt.block.timestamp,
      period: periodAt(network, receipt.block.timestamp),
      wei: receipt.gasUsed * receipt.gasPrice,
      deals: dealsOf(duty),
      ...(proof === undefined ? {} : { proof }),
    })
  }

  served(root: Root, count: number): void {
    this.#dependencies.accounts.countEgress(root, count, this.#now())
  }

  /** Judges and flushes until the signal fires. */
  async run(signal: AbortSignal): Promise<void> {
    const { accounts, follower, clock, logger } = this.#dependencies
    while (!signal.aborted) {
      await this.#judge({ signal }).catch((error: unknown) => {
        if (signal.aborted) return
        const reason = error instanceof Error ? error.message : String(error)
        logger.warn('periods not judged yet: trying again', { reason })
      })
      await accounts.flush()
      const bounds = { leastMs: FLUSH_PAUSE_MS, mostMs: FLUSH_EVERY_MS, signal }
      await pauseUntilNews(clock, (stop) => follower.nextUpdate(stop), bounds)
    }
  }

  #now(): Period | undefined {
    const { follower, network } = this.#dependencies
    const tip = follower.state.cursor
    return tip === undefined ? undefined : periodAt(network, tip.timestamp)
  }

  async #judge(options: CallOptions): Promise<void> {
    const { accounts, follower, network } = this.#dependencies
    const { state } = follower
    const now = this.#now()
    if (now === undefined) return
    const end = finalPeriod(state, network)
    const outcomes = new Map<Period, PeriodOutcome>()
    const from = judgeFrom(accounts.totals, now, JUDGED_BACK)
    for (let of = from; of < end; of = period(of + 1n)) {
      outcomes.set(of, await this.#outcomeOf(of, options))
    }
    if (end > from || accounts.totals.judgedTo === undefined) await accounts.judge(outcomes, end)
  }

  async #outcomeOf(of: Period, options: CallOptions): Promise<PeriodOutcome> {
    const { follower, ledger } = this.#dependencies
    const { state } = follower
    if (state.isProven(of)) return 'proven'
    if (!wasCounted(state.deals(), of)) return 'idle'
    const seed = state.seed(of) ?? (await ledger.seed(of, options))
    return seed === undefined ? 'void' : 'missed'
  }
}

const dealsOf = (duty: Duty): Parameters<Accounts['bookGas']>[0]['deals'] => {
  if (duty.kind === 'settle') return duty.deals
  return 'deal' in duty ? [duty.deal] : []
}
