/**
 * What can be wrong, as a closed set: each kind with how bad it is and what the operator does about
 * it. An alarm is a state, not an event: it stands while its reason does.
 */
import type { ChainAlarmKind } from '@holdfast/chain'
import type { Timestamp } from '@holdfast/protocol'

export type AlarmKind =
  | ChainAlarmKind
  | 'proof-late'
  | 'period-missed'
  | 'payload-damaged'
  | 'volume-read-only'
  | 'volume-unavailable'
  | 'volume-thread-died'
  | 'volume-nearly-full'
  | 'home-full'
  | 'wallet-low'
  | 'ledger-silent'
  | 'clock-skew'
  | 'certificate-expiring'
  | 'scrub-behind'
  | 'dispute-open'
  | 'audit-unanswerable'
  | 'stake-low'
  | 'registration-differs'
  | 'config-invalid'
  | 'books-damaged'

/** `critical` costs money or data soon, `warning` will, `notice` is good to know. */
export type Severity = 'critical' | 'warning' | 'notice'

/** A reason that stands: a kind and what it is about. */
export interface Finding {
  readonly kind: AlarmKind
  /** A deal, a volume, an account …; empty when there is only one. */
  readonly subject: string
  readonly message: string
  /** Where it is not the kind's usual one. */
  readonly severity?: Severity
}

export interface Alarm extends Finding {
  readonly severity: Severity
  readonly remedy: string
  /** Wall time of this machine, in seconds. */
  readonly since: Timestamp
}

interface KindRow {
  readonly severity: Severity
  /** What to do; a full sentence. */
  readonly remedy: string
}

const row = (severity: Severity, remedy: string): KindRow => ({ severity, remedy })

export const ALARM_TABLE: Readonly<Record<AlarmKind, KindRow>> = {
  'proof-late': row(
    'critical',
    'See the log for why the proof is not on chain; do not stop the node before the deadline.',
  ),
  'period-missed': row(
    'critical',
    'The period is not paid. See the log around its deadline, and mend it before the next one.',
  ),
  'payload-damaged': row(
    'critical',
    'Repair it from another replica, or let the node declare the fault; check the disk.',
  ),
  'volume-read-only': row(
    'critical',
    'A write failed. Check the disk, then start the node again; proofs and reads go on meanwhile.',
  ),
  'volume-unavailable': row(
    'critical',
    'The disk does not answer. Check its cable and mount; the other volumes go on.',
  ),
  'volume-thread-died': row(
    'warning',
    'The node starts it again by itself. If it keeps dying, see the log, check memory and disk, and report it.',
  ),
  'volume-nearly-full': row('warning', 'Add a volume, or raise the capacity, before uploads stop.'),
  'home-full': row(
    'critical',
    'Free room on the disk of the home; uploads are taken again by themselves. Keep journal.reserve.',
  ),
  'wallet-low': row('warning', "Send native coin to the operator's account: it pays for proofs."),
  'gas-budget': row('warning', 'Raise the gas budget, or wait until the chain is cheaper.'),
  'key-used-elsewhere': row(
    'critical',
    "Stop whatever else uses the operator's key, or replace the key with init.",
  ),
  'transaction-stuck': row(
    'warning',
    'The node raises the price; check the endpoint and the wallet.',
  ),
  'endpoint-set-aside': row('warning', 'Check the named RPC endpoint, or replace it.'),
  'ledger-unreachable': row('critical', 'Check the RPC endpoints and the network.'),
  'ledger-silent': row('critical', 'No new block arrives. Check the RPC endpoints and the chain.'),
  'clock-skew': row('warning', 'Set the clock of this machine (NTP); vouchers are judged by it.'),
  'certificate-expiring': row(
    'warning',
    'Replace tls/cert.pem; with the same key nothing else changes.',
  ),
  'scrub-behind': row('warning', 'Give the disk time to scrub, or run holdfast-provider scrub.'),
  'dispute-open': row('critical', 'Answer it before its deadline: keep the node and its RPC up.'),
  'audit-unanswerable': row(
    'critical',
    'Bring back the disk or the home that holds its bundle before its deadline; after it the node ends the audit itself, for half of a slash.',
  ),
  'stake-low': row(
    'notice',
    'Add stake (holdfast-provider stake), then init again if new deals were stopped.',
  ),
  'registration-differs': row(
    'critical',
    "The ledger names other keys than this node's. If that was not you, the owner's key is stolen.",
  ),
  'config-invalid': row(
    'warning',
    'Correct config.json and send SIGHUP; until then the former settings stand.',
  ),
  'books-damaged': row(
    'notice',
    'Some figures of gas and egress are lost; deals and money on the ledger are not touched.',
  ),
}

/** Findings are the same when kind and subject are. */
export const keyOf = ({ kind, subject }: Pick<Finding, 'kind' | 'subject'>): string =>
  `${kind} ${subject}`
