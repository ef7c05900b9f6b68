/**
 * Everything an operator asks of a running node, as one value: the commands, the metrics, the
 * dashboard and the alarm rules all read this and nothing else, so they cannot disagree.
 */
import type {
  Address,
  Amount,
  Bytes,
  Hash32,
  Leaves,
  Period,
  ProviderId,
  Root,
  Timestamp,
} from '@holdfast/protocol'
import type { Alarm } from '../alarms/alarm.ts'
import type { Duty } from '../duties/duties.ts'
import type { AccountTotals, Wei } from '../earnings/account-types.ts'
import type { JournalRoom } from '../journal/journal-reserve.ts'

import type { Deaths } from '../store/thread-keeper.ts'
import type { VolumeCondition } from '../store/volume-status.ts'
import type { CalendarDay } from './proof-calendar.ts'
import type { SafeToStop } from './safe-to-stop.ts'
import type { WalletForecast } from './wallet-forecast.ts'

export interface ChainStatus {
  readonly block: bigint
  readonly blockTime: Timestamp
  /** Chain time now: the last block's, and what passed since it came. */
  readonly time: Timestamp
  readonly silentSeconds: number
  /** Clock of this machine minus the chain's, where it can be told. */
  readonly skewSeconds: number | undefined
  readonly period: Period
  readonly periodStart: Timestamp
  /** When the current period's seed is due. */
  readonly seedDue: Timestamp
  readonly deadline: Timestamp
  readonly nextPeriod: Timestamp
  readonly seeded: boolean
  readonly proven: boolean
  /** Leaves challenged in the current period. */
  readonly weight: Leaves
}

export interface VolumeStatus {
  readonly name: string
  readonly path: string
  readonly state: VolumeCondition
  /** Why it is not ok. */
  readonly reason: string | undefined
  readonly capacity: Bytes
  readonly used: Bytes
  readonly reserved: Bytes
  readonly free: Bytes
  readonly payloads: number
  /** Averaged time to make something durable. */
  readonly latencyMs: number
  /** How often its thread died and was started again, and why the last time. */
  readonly deaths: Deaths
}

export interface DamageStatus {
  readonly root: Root
  readonly leaf: bigint
  readonly what: string
}

/** A transaction on its way, or mined lately. */
export interface TransactionStatus {
  /** `prove 17`, `settle`, … */
  readonly kind: string
  /** Whether it is a proof: those may not wait. */
  readonly isProof: boolean
  readonly state: 'in flight' | 'mined'
  readonly transaction: Hash32 | undefined
  readonly nonce: number | undefined
  /** How often its price was raised. */
  readonly replacements: number | undefined
  readonly at: Timestamp | undefined
  readonly wei: Wei | undefined
}

export interface ScrubStatus {
  /** Share of the store that was read since the round began, 0 to 1. */
  readonly progress: number
  readonly lastRound: Timestamp | undefined
  /** Behind its plan. */
  readonly behind: boolean
}

export interface DealCounts {
  readonly accepted: number
  readonly active: number
  readonly faulty: number
  readonly ended: number
  readonly closed: number
}

/** The keys of a provider: what it is registered with, and what this node believes. */
export interface RegistrationStatus {
  readonly operator: Address
  /** Who gets what deals earn; the owner when undefined. */
  readonly beneficiary: Address | undefined
  readonly expectedBeneficiary: Address | undefined
}

/** An open dispute against this node. */
export interface DisputeStatus {
  /** Its id. */
  readonly subject: string
  /** From here on anybody may slash for it. */
  readonly deadline: Timestamp
  /** Why its answer could not be made the last time it was tried. */
  readonly problem: string | undefined
}

/** An audit that has to be shown. */
export interface AuditStatus {
  readonly period: Period
  /** From here on anybody may slash for it. */
  readonly deadline: Timestamp
  /** Why its answers could not be made the last time it was tried. */
  readonly problem: string | undefined
}

export interface NodeStatus {
  readonly provider: ProviderId
  readonly operator: Address
  readonly software: string
  readonly region: string
  readonly upSince: Timestamp
  /** Wall time of this machine. */
  readonly at: Timestamp
  /** Undefined before the first block. */
  readonly chain: ChainStatus | undefined
  readonly safeToStop: SafeToStop
  readonly accepting: boolean | undefined
  /** A slash or its end stopped it. */
  readonly stopped: boolean
  /** What the ledger has of this provider, and what the configuration says; undefined while unknown. */
  readonly registration: RegistrationStatus | undefined
  readonly wallet: {
    readonly gas: Wei | undefined
    readonly vault: Amount | undefined
    readonly stake: Amount | undefined
    /** What must be staked for deals to open, and what one slash takes of it. */
    readonly stakeMin: Amount | undefined
    readonly slash: Amount
    readonly forecast: WalletForecast | undefined
  }
  readonly deals: DealCounts
  readonly payloads: number
  readonly damages: readonly DamageStatus[]
  readonly volumes: readonly VolumeStatus[]
  readonly scrub: ScrubStatus | undefined
  readonly calendar: readonly CalendarDay[]
  readonly duties: {
    readonly due: readonly Duty[]
    readonly performed: Readonly<Record<Duty['kind'], number>>
    readonly failed: Readonly<Record<Duty['kind'], number>>
  }
  readonly books: AccountTotals & { readonly damaged: number }
  readonly lastProof: { readonly period: Period; readonly at: Timestamp } | undefined
  readonly transactions: readonly TransactionStatus[]
  readonly uploads: { readonly open: number; readonly parts: number }
  readonly certificate: {
    readonly expires: Timestamp
    /** Why the files that are there now were not taken. */
    readonly problem: string | undefined
  }
  readonly disputes: readonly DisputeStatus[]
  /** The audit that is owed; undefined when none is. */
  readonly audit: AuditStatus | undefined
  readonly configProblem: string | undefined
  readonly process: { readonly residentBytes: Bytes; readonly loopDelaySeconds: number }
  readonly journalBytes: Bytes
  /** Whether the disk under the journal has room. */
  readonly journalRoom: JournalRoom
  readonly alarms: readonly Alarm[]
}
