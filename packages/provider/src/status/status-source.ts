/**
 * Reads the node's status off its parts. Balances cost calls to the chain and are asked for rarely;
 * everything else is in memory. Reads only.
 */
import type { LedgerReader, NetworkParams, ProviderRecord } from '@holdfast/chain'
import {
  bytes,
  type CallOptions,
  type Clock,
  type Period,
  period,
  periodAt,
  periodDeadline,
  periodStart,
  roundFor,
  roundTime,
  type Signer,
  type Timestamp,
  timestamp,
} from '@holdfast/protocol'
import type { AlarmBoard } from '../alarms/alarm-board.ts'
import type { RuleInput } from '../alarms/alarm-rules.ts'
import type { ProviderConfig } from '../config.ts'
import type { Performer } from '../duties/performer.ts'
import type { PeriodOutcome } from '../earnings/account-types.ts'
import type { Accounts } from '../earnings/accounts.ts'
import { finalPeriod, weightAt } from '../earnings/period-record.ts'
import type { Follower } from '../follow/follower.ts'
import type { Intake } from '../intake/intake.ts'
import type { PromiseBook } from '../journal/promise-book.ts'
import type { VolumeSet } from '../store/volume-set.ts'
import { auditRow, disputeRows } from './asked-rows.ts'
import type { ChainWatch } from './chain-watch.ts'
import type {
  ChainStatus,
  DealCounts,
  NodeStatus,
  RegistrationStatus,
  ScrubStatus,
} from './node-status.ts'
import { type CalendarDay, proofCalendar } from './proof-calendar.ts'
import { type SafeToStop, safeToStop } from './safe-to-stop.ts'
import { transactionRows } from './transaction-rows.ts'
import { volumeRows } from './volume-rows.ts'
import { type WalletForecast, walletForecast } from './wallet-forecast.ts'

/** What other parts know and this one only passes on; each may be missing. */
export interface StatusExtras {
  readonly scrub?: () => ScrubStatus | undefined
  readonly lastScrub?: (root: `0x${string}`) => Timestamp | undefined
}

export interface StatusDependencies {
  readonly ledger: Pick<LedgerReader, 'gasBalance' | 'balance' | 'provider' | 'minimumStake'>
  readonly network: NetworkParams
  readonly operator: Signer
  readonly clock: Clock
  readonly config: () => ProviderConfig
  readonly configProblem: () => string | undefined
  readonly software: string
  readonly certificate: () => NodeStatus['certificate']
  readonly loopDelaySeconds: () => number
  readonly store: Pick<VolumeSet, 'status'>
  readonly book: PromiseBook
  readonly follower: Follower
  readonly intake: Intake
  readonly performer: Performer
  readonly accounts: Accounts
  readonly board: AlarmBoard
  readonly watch: ChainWatch
  readonly extras: StatusExtras
}

const CALENDAR_PERIODS = 120
const BALANCES_EVERY_MS = 15_000

interface Balances {
  readonly gas: bigint
  readonly vault: NodeStatus['wallet']['vault']
  readonly stake: NodeStatus['wallet']['stake']
  readonly accepting: boolean | undefined
  readonly keys: Pick<RegistrationStatus, 'operator' | 'beneficiary'> | undefined
}

export class StatusSource {
  readonly #dependencies: StatusDependencies
  readonly #upSince: Timestamp
  #balances: Balances | undefined
  /** A constant of the contracts: asked for until it is known. */
  #stakeMin: NodeStatus['wallet']['stakeMin']
  #askedMs = Number.NEGATIVE_INFINITY

  constructor(dependencies: StatusDependencies) {
    this.#dependencies = dependencies
    this.#upSince = this.#wall()
  }

  /** Asks the chain for balances when the last answer is old. Never rejects: an old answer stays. */
  async refresh(options: CallOptions = {}): Promise<void> {
    const { clock, ledger, operator } = this.#dependencies
    const { provider, token } = this.#dependencies.config()
    if (clock.now() - this.#askedMs < BALANCES_EVERY_MS) return
    this.#askedMs = clock.now()
    const [gas, vault, record, stakeMin] = await Promise.allSettled([
      ledger.gasBalance(operator.address, options),
      ledger.balance(provider, token, options),
      ledger.provider(provider, options),
      this.#stakeMin ?? ledger.minimumStake(options),
    ])
    if (stakeMin.status === 'fulfilled') this.#stakeMin = stakeMin.value
    if (gas.status === 'rejected' || vault.status === 'rejected') return
    const known = record.status === 'fulfilled' ? record.value : undefined
    this.#balances = {
      gas: gas.value,
      vault: vault.value,
      stake: known?.stake ?? this.#balances?.stake,
      accepting: known?.accepting ?? this.#balances?.accepting,
      keys: known === undefined ? this.#balances?.keys : keysOf(known),
    }
  }

  /** The status now. */
  async status(): Promise<NodeStatus> {
    const input = await this.#input()
    return {
      ...input,
      safeToStop: this.#safeToStop(input),
      alarms: this.#dependencies.board.alarms,
    }
  }

  /** What the alarm rules read. */
  ruleInput(): Promise<RuleInput> {
    return this.#input()
  }

  async #input(): Promise<RuleInput> {
    const d = this.#dependencies
    const { provider, region } = d.config()
    const chain = this.#chain()
    const { performed, failed } = d.performer.counts
    const volumes = volumeRows(d.store.status())
    return {
      ...{ provider, operator: d.operator.address, software: d.software, region },
      ...{ upSince: this.#upSince, at: this.#wall(), chain },
      accepting: this.#balances?.accepting,
      stopped: d.follower.state.standing.stopped,
      registration: this.#registration(),
      wallet: this.#wallet(chain?.time),
      deals: this.#dealCounts(chain?.period),
      payloads: volumes.reduce((sum, volume) => sum + volume.payloads, 0),
      damages: [...d.book.promises.damages.values()],
      volumes,
      scrub: d.extras.scrub?.(),
      calendar: await this.#calendar(chain?.period),
      duties: { due: d.performer.duties(), performed, failed },
      books: { ...d.accounts.totals, damaged: d.accounts.damaged },
      lastProof: this.#lastProof(),
      transactions: transactionRows(
        d.book.promises.transactions(d.operator.address),
        d.accounts.entries,
      ),
      uploads: { open: d.intake.openSessions, parts: d.intake.partsInFlight },
      certificate: d.certificate(),
      disputes: disputeRows(d.follower.state, d.network, d.performer),
      audit: auditRow(d.follower.state, d.performer),
      configProblem: d.configProblem(),
      process: {
        residentBytes: bytes(process.memoryUsage.rss()),
        loopDelaySeconds: d.loopDelaySeconds(),
      },
      journalBytes: bytes(d.book.size),
      journalRoom: d.book.room,
    }
  }

  #wall(): Timestamp {
    return timestamp(Math.max(0, Math.floor(this.#dependencies.clock.now() / 1000)))
  }

  #chain(): ChainStatus | undefined {
    const { follower, network, watch } = this.#dependencies
    const { state } = follower
    const tip = state.cursor
    if (tip === undefined) return undefined
    watch.note(tip)
    const time = watch.time ?? tip.timestamp
    const now = periodAt(network, time)
    return {
      ...{ block: tip.number, blockTime: tip.timestamp, time },
      ...{ silentSeconds: watch.silentSeconds, skewSeconds: watch.skewSeconds },
      period: now,
      periodStart: periodStart(network, now),
      seedDue: roundTime(network, roundFor(network, now)),
      deadline: periodDeadline(network, now),
      nextPeriod: periodStart(network, period(now + 1n)),
      seeded: state.seed(now) !== undefined,
      proven: state.isProven(now),
      weight: weightAt(state, now),
    }
  }

  #wallet(now: Timestamp | undefined): NodeStatus['wallet'] {
    const { accounts } = this.#dependencies
    const gas = this.#balances?.gas
    let forecast: WalletForecast | undefined
    if (gas !== undefined && now !== undefined) {
      forecast = walletForecast(gas, accounts.entries, now)
    }
    const { vault, stake } = this.#balances ?? { vault: undefined, stake: undefined }
    const slash = this.#dependencies.network.disputeSlash
    return { gas, vault, stake, stakeMin: this.#stakeMin, slash, forecast }
  }

  #registration(): RegistrationStatus | undefined {
    const keys = this.#balances?.keys
    if (keys === undefined) return undefined
    const { beneficiary: expectedBeneficiary } = this.#dependencies.config()
    return { operator: keys.operator, beneficiary: keys.beneficiary, expectedBeneficiary }
  }

  #dealCounts(now: Period | undefined): DealCounts {
    const { follower, book } = this.#dependencies
    const { state } = follower
    const counts = { accepted: 0, active: 0, faulty: 0, ended: 0, closed: 0 }
    for (const deal of state.deals()) {
      if (deal.closed) counts.closed++
      else if (now !== undefined && now >= deal.end) counts.ended++
      else if (deal.faultedFrom !== undefined) counts.faulty++
      else counts.active++
    }
    for (const { deal, refused } of book.promises.deals.values()) {
      if (refused === undefined && state.deal(deal) === undefined) counts.accepted++
    }
    return counts
  }

  async #calendar(now: Period | undefined): Promise<readonly CalendarDay[]> {
    if (now === undefined) return []
    const { accounts, follower, network } = this.#dependencies
    const { state } = follower
    const from = period(now > BigInt(CALENDAR_PERIODS) ? now - BigInt(CALENDAR_PERIODS) : 0n)
    const judged = new Map<Period, PeriodOutcome>()
    for (const { period: of, outcome } of await accounts.periods(from, now)) {
      if (outcome !== undefined) judged.set(of, outcome)
    }
    const view = {
      ...{ now, finalThrough: finalPeriod(state, network), deals: state.deals() },
      ...{ judged, judgedTo: accounts.totals.judgedTo ?? period(0) },
      isProven: (of: Period) => state.isProven(of),
    }
    return proofCalendar(view, CALENDAR_PERIODS)
  }

  #lastProof(): NodeStatus['lastProof'] {
    const { accounts } = this.#dependencies
    const last = accounts.entries.findLast(({ kind }) => kind === 'prove')
    if (last?.proof === undefined) return undefined
    return { period: last.proof.period, at: last.at }
  }

  #safeToStop(input: RuleInput): SafeToStop {
    const { network, follower, book } = this.#dependencies
    const { chain, transactions } = input
    const unknown = { safe: false, reason: 'the chain is not known yet', until: undefined }
    if (chain === undefined) return unknown
    const waiting = [...book.promises.deals.values()].filter(
      ({ deal, refused }) => refused === undefined && follower.state.deal(deal) === undefined,
    )
    const before = waiting.map(({ proposal }) => proposal.terms.openBefore)
    return safeToStop({
      schedule: network,
      time: chain.time,
      period: chain.period,
      weight: chain.weight,
      nextWeight: weightAt(follower.state, period(chain.period + 1n)),
      proven: chain.proven,
      inFlight: transactions
        .filter(({ state, isProof }) => state === 'in flight' && isProof)
        .map(({ kind }) => kind),
      openBefore: before.sort((a, b) => Number(a - b)).find((at) => at >= chain.time),
      unsure: unsureOf(chain, network),
    })
  }
}

const keysOf = ({ operator, beneficiary }: ProviderRecord): Balances['keys'] => ({
  operator,
  beneficiary,
})

/** Blocks come many to a period: without one for that long nobody knows what was proven. */
const unsureOf = (chain: ChainStatus, { period: length }: NetworkParams): string | undefined =>
  chain.silentSeconds > Math.max(60, Number(length) / 2)
    ? `no block for ${Math.floor(chain.silentSeconds)} s`
    : undefined
