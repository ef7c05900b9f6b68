/**
 * Performs duties in two lanes, proofs apart from everything else, so that no opening or settlement
 * ever delays a proof. Each lane asks for its most urgent duty, does it, waits until the ledger's
 * answer is folded, and asks again.
 *
 * Invariants: nothing is performed before the follower has caught up with the tip; a duty that was
 * tried is not tried again before something changed, or a pause that grows while it fails. What is
 * in flight is remembered in memory alone: losing that costs gas, never correctness.
 */
import type { ProviderLedger, TxReceipt } from '@holdfast/chain'
import {
  type Clock,
  type DealId,
  HoldfastError,
  type Logger,
  milliseconds,
  type ProviderId,
  timestamp,
} from '@holdfast/protocol'
import type { Follower } from '../follow/follower.ts'
import { Wake } from '../wake.ts'
import { type CommittingDependencies, commitPeriod } from './committing.ts'
import { type DutyPolicy, dutiesAt } from './duties.ts'
import {
  DUTY_KINDS,
  type Duty,
  type DutyOf,
  describeDuty,
  type LaneName,
  laneOf,
  nameOf,
  sendOptionsFor,
} from './duty.ts'
import { endAudit, endDispute } from './ending.ts'
import { GivenUp } from './given-up.ts'
import { performLedgerDuty } from './ledger-duties.ts'
import { type ProvingDependencies, provePeriod } from './proving.ts'
import { recoverDeal } from './recovering.ts'
import { answerAudit, answerDispute } from './showing.ts'

export interface PerformerDependencies extends ProvingDependencies, CommittingDependencies {
  readonly ledger: ProviderLedger
  readonly follower: Follower
  readonly clock: Clock
  readonly logger: Logger
}

export interface PerformerOptions extends DutyPolicy {
  readonly provider: ProviderId
}

/** An opening is given up after this many refusals that name no final reason. */
const OPEN_TRIES = 5
const PAUSE_FIRST_MS = 500
const PAUSE_MAX_MS = 30_000

interface Lane {
  readonly name: LaneName
  readonly wake: Wake
  /** Tried since the last change, by key. */
  readonly tried: Set<string>
  failuresInRow: number
}

/** Told of every duty that ended in a mined transaction, before the next one is looked for. */
export type PerformedListener = (duty: Duty, receipt: TxReceipt) => Promise<void> | void

/** What happened so far, for metrics and status. */
export interface PerformerCounts {
  readonly performed: Readonly<Record<Duty['kind'], number>>
  readonly failed: Readonly<Record<Duty['kind'], number>>
}

const zero = (): Record<Duty['kind'], number> =>
  Object.fromEntries(DUTY_KINDS.map((kind) => [kind, 0])) as Record<Duty['kind'], number>

export class Performer {
  readonly #dependencies: PerformerDependencies
  readonly #options: PerformerOptions
  readonly #lanes: readonly Lane[] = (['proofs', 'ledger'] as const).map((name) => ({
    name,
    wake: new Wake(),
    tried: new Set<string>(),
    failuresInRow: 0,
  }))
  readonly #givenUp = new GivenUp()
  readonly #openFailures = new Map<string, number>()
  readonly #opening = new Set<DealId>()
  readonly #listeners = new Set<PerformedListener>()
  readonly #failureListeners = new Set<() => void>()
  readonly #performed = zero()
  readonly #failed = zero()

  constructor(dependencies: PerformerDependencies, options: PerformerOptions) {
    this.#dependencies = dependencies
    this.#options = options
  }

  get counts(): PerformerCounts {
    return { performed: this.#performed, failed: this.#failed }
  }

  /** What would be done now; empty before the first block is folded. */
  duties(): readonly Duty[] {
    const { follower, book } = this.#dependencies
    const tip = follower.state.cursor
    if (tip === undefined) return []
    const { state } = follower
    const givenUp = this.#givenUp.names
    return dutiesAt({ state, promises: book.promises, tip, givenUp }, this.#options)
  }

  /** Why the answer that a duty is about could not be made the last time. */
  troubleWith(duty: DutyOf<'answer-audit' | 'answer-dispute'>): string | undefined {
    return this.#givenUp.reasonFor(nameOf(duty))
  }

  /** True while this process waits for a deal's opening transaction, until its hash is written down. */
  isOpening(deal: DealId): boolean {
    return this.#opening.has(deal)
  }

  onPerformed(listener: PerformedListener): void {
    this.#listeners.add(listener)
  }

  /** Told whenever a duty failed, until the returned function is called. */
  onFailed(listener: () => void): () => void {
    this.#failureListeners.add(listener)
    return () => this.#failureListeners.delete(listener)
  }

  /** Something changed: look again. */
  wake(): void {
    for (const lane of this.#lanes) {
      lane.tried.clear()
      lane.wake.ring()
    }
  }

  /** Performs duties until the signal fires; the duty in hand is finished first. */
  async run(signal: AbortSignal): Promise<void> {
    await this.#catchUp(signal)
    const forget = this.#dependencies.follower.onUpdate(() => this.wake())
    try {
      await Promise.all(this.#lanes.map((lane) => this.#runLane(lane, signal)))
    } finally {
      forget()
    }
  }

  async #runLane(lane: Lane, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const duty = this.duties().find((d) => laneOf(d) === lane.name && !lane.tried.has(nameOf(d)))
      if (duty === undefined) await this.#rest(lane, signal)
      else {
        lane.tried.add(nameOf(duty))
        const done = await this.#tryDuty(duty, signal)
        lane.failuresInRow = done ? 0 : lane.failuresInRow + 1
      }
    }
  }

  /** Waits for news; after failures also for a pause to end. */
  async #rest(lane: Lane, signal: AbortSignal): Promise<void> {
    if (lane.failuresInRow === 0) return lane.wake.wait(signal)
    const pauseMs = Math.min(PAUSE_MAX_MS, PAUSE_FIRST_MS * 2 ** (lane.failuresInRow - 1))
    const pause = new AbortController()
    const stop = AbortSignal.any([signal, pause.signal])
    const slept = this.#dependencies.clock
      .sleep(milliseconds(pauseMs), { signal: stop })
      .catch(() => undefined)
    await Promise.race([slept, lane.wake.wait(stop)])
    pause.abort()
    lane.tried.clear()
  }

  async #tryDuty(duty: Duty, signal: AbortSignal): Promise<boolean> {
    const { logger, follower } = this.#dependencies
    try {
      const receipt = await this.#perform(duty)
      if (receipt !== undefined) {
        this.#performed[duty.kind]++
        const { transaction, gasUsed } = receipt
        logger.info('duty performed', { ...describeDuty(duty), transaction, gas: gasUsed })
        for (const listener of this.#listeners) await listener(duty, receipt)
        await follower.reached(receipt.block, signal)
      }
      return true
    } catch (error) {
      if (signal.aborted) return true
      if (HoldfastError.is(error, 'NOTHING_TO_DO')) return true
      this.#failed[duty.kind]++
      logger.warn('duty failed: it stays due', { ...describeDuty(duty), ...errorFields(error) })
      for (const listener of [...this.#failureListeners]) listener()
      await this.#countOpenFailure(duty, error)
      return false
    }
  }

  async #perform(duty: Duty): Promise<TxReceipt | undefined> {
    const { state } = this.#dependencies.follower
    const { provider, gasBudgets } = this.#options
    const options = sendOptionsFor(duty, gasBudgets)
    const of = { state, provider }
    const showing = { ...this.#dependencies, givenUp: this.#givenUp }
    const now = state.cursor?.timestamp ?? timestamp(0n)
    switch (duty.kind) {
      case 'answer-audit':
        return answerAudit(showing, of, duty, options)
      case 'answer-dispute':
        return answerDispute(showing, state, duty, options)
      case 'end-audit':
        return endAudit(this.#dependencies, { provider, now }, duty, options)
      case 'end-dispute':
        return endDispute(this.#dependencies, now, duty, options)
      case 'prove':
        return this.#prove(duty)
      case 'recover':
        return recoverDeal(this.#dependencies, of, duty, options)
      case 'open':
        return this.#open(duty)
      default:
        return performLedgerDuty(this.#dependencies, state, duty, options)
    }
  }

  async #prove(duty: DutyOf<'prove'>): Promise<TxReceipt | undefined> {
    const { state } = this.#dependencies.follower
    const { provider, gasBudgets } = this.#options
    const options = sendOptionsFor(duty, gasBudgets)
    await this.#dependencies.holdings.writeDown()
    if (duty.mode === 'commit') {
      const made = await commitPeriod(this.#dependencies, provider, duty, options)
      if (made === 'damaged') return undefined
      if (made !== 'not-kept') return made
    }
    return provePeriod(this.#dependencies, { state, provider, duty }, options)
  }

  async #open(duty: DutyOf<'open'>): Promise<TxReceipt | undefined> {
    const { state } = this.#dependencies.follower
    this.#opening.add(duty.deal)
    try {
      const options = sendOptionsFor(duty, this.#options.gasBudgets)
      return await performLedgerDuty(this.#dependencies, state, duty, options)
    } finally {
      this.#opening.delete(duty.deal)
    }
  }

  async #countOpenFailure(duty: Duty, error: unknown): Promise<void> {
    if (duty.kind !== 'open' || !HoldfastError.is(error) || isTransport(error)) return
    const failures = (this.#openFailures.get(duty.deal) ?? 0) + 1
    this.#openFailures.set(duty.deal, failures)
    if (failures < OPEN_TRIES) return
    const reason = `${error.code}: ${error.message}`
    await this.#dependencies.book.record({ kind: 'deal-refused', deal: duty.deal, reason })
  }

  /** Waits until what the ledger knew when we started is folded. */
  async #catchUp(signal: AbortSignal): Promise<void> {
    const { ledger, follower, clock, logger } = this.#dependencies
    while (!signal.aborted) {
      try {
        return await follower.reached(await ledger.tip({ signal }), signal)
      } catch (error) {
        if (signal.aborted) return
        logger.warn('ledger not reached: waiting', errorFields(error))
        await clock.sleep(milliseconds(PAUSE_FIRST_MS), { signal }).catch(() => undefined)
      }
    }
  }
}

const isTransport = (error: HoldfastError): boolean =>
  error.code === 'LEDGER_UNREACHABLE' || error.code === 'TIMED_OUT' || error.code === 'ABORTED'

const errorFields = (error: unknown): Readonly<Record<string, unknown>> =>
  HoldfastError.is(error)
    ? { code: error.code, reason: error.message }
    : { code: 'INVARIANT', reason: error instanceof Error ? error.message : String(error) }
