/**
 * The operator's status as metrics: names end in their unit, totals in `_total`, a gauge for every
 * bound stands beside what it bounds. What is not known yet is left out, never written as zero.
 */
import { counter, gauge, labelled, type Metric, oneOf } from './metrics.ts'
import type { NodeStatus } from './status/node-status.ts'

type Part = (status: NodeStatus) => readonly Metric[]

const volumes: Part = ({ volumes: all, payloads, damages }) => {
  const sum = (pick: (volume: (typeof all)[number]) => bigint): bigint =>
    all.reduce((total, volume) => total + pick(volume), 0n)
  const each = (name: string, help: string, pick: (volume: (typeof all)[number]) => bigint) =>
    labelled(
      'gauge',
      { name, help },
      all.map((volume) => ({ labels: { volume: volume.name }, value: pick(volume) })),
    )
  return [
    gauge(
      'holdfast_store_capacity_bytes',
      'What the operator allows.',
      sum((v) => v.capacity),
    ),
    gauge(
      'holdfast_store_used_bytes',
      'What sealed records take.',
      sum((v) => v.used),
    ),
    gauge(
      'holdfast_store_reserved_bytes',
      'What open uploads may take.',
      sum((v) => v.reserved),
    ),
    gauge(
      'holdfast_store_free_bytes',
      'What new uploads can have.',
      sum((v) => v.free),
    ),
    gauge('holdfast_store_payloads', 'Payloads stored.', payloads),
    gauge('holdfast_payloads_damaged', 'Payloads found damaged.', damages.length),
    each('holdfast_volume_capacity_bytes', 'What a volume may take.', (v) => v.capacity),
    each('holdfast_volume_used_bytes', 'What sealed records take on a volume.', (v) => v.used),
    each('holdfast_volume_free_bytes', 'What new uploads can have on a volume.', (v) => v.free),
    labelled(
      'counter',
      {
        name: 'holdfast_volume_thread_deaths_total',
        help: 'How often the thread of a volume died and was started again.',
      },
      all.map(({ name, deaths }) => ({ labels: { volume: name }, value: deaths.count })),
    ),
    labelled(
      'gauge',
      { name: 'holdfast_volume_state', help: '1 for the state that a volume is in.' },
      all.flatMap(({ name, state }) =>
        oneOf({ volume: name }, 'state', state, [
          'ok',
          'draining',
          'read-only',
          'restarting',
          'unavailable',
          'missing',
        ]),
      ),
    ),
  ]
}

const chain: Part = ({ chain: at, lastProof, books, calendar }) => {
  const { proven, missed, void: voided } = books.outcomes
  const outcomes = { proven, missed, void: voided }
  const judged = labelled(
    'counter',
    { name: 'holdfast_periods_total', help: 'Periods that are over, by how they ended.' },
    Object.entries(outcomes).map(([outcome, value]) => ({ labels: { outcome }, value })),
  )
  const open = calendar.filter(({ state }) => state === 'open').length
  if (at === undefined) return [judged]
  return [
    judged,
    gauge('holdfast_chain_block', 'Number of the last block folded.', at.block),
    gauge('holdfast_chain_block_timestamp_seconds', 'Its time.', at.blockTime),
    gauge('holdfast_chain_silent_seconds', 'Since the last block arrived.', at.silentSeconds),
    ...(at.skewSeconds === undefined
      ? []
      : [gauge('holdfast_clock_skew_seconds', 'This clock minus the chain.', at.skewSeconds)]),
    gauge('holdfast_period', 'The current proof period.', at.period),
    gauge('holdfast_period_proven', '1 when the current period is proven.', at.proven ? 1 : 0),
    gauge('holdfast_periods_open', 'Periods whose outcome is not final.', open),
    gauge('holdfast_period_deadline_timestamp_seconds', 'When its window closes.', at.deadline),
    gauge('holdfast_tree_leaves', 'Leaves challenged in the current period.', at.weight),
    ...(lastProof === undefined
      ? []
      : [
          gauge(
            'holdfast_last_proof_age_seconds',
            'Since the last proof was mined.',
            at.time > lastProof.at ? at.time - lastProof.at : 0n,
          ),
        ]),
  ]
}

const duties: Part = ({ duties: { due, performed, failed } }) => {
  const samples = (counts: Readonly<Record<string, number>>): Metric['samples'] =>
    Object.entries(counts).map(([duty, value]) => ({ labels: { duty }, value }))
  return [
    gauge('holdfast_duties_due', 'Duties that are due now.', due.length),
    counter('holdfast_duties_performed_total', 'Duties performed.', samples(performed)),
    counter('holdfast_duties_failed_total', 'Tries of a duty that failed.', samples(failed)),
  ]
}

const money: Part = ({ wallet, books, deals }) => {
  const known = (name: string, help: string, value: bigint | undefined): readonly Metric[] =>
    value === undefined ? [] : [gauge(name, help, value)]
  return [
    labelled(
      'gauge',
      { name: 'holdfast_deals', help: 'Deals by state.' },
      Object.entries(deals).map(([state, value]) => ({ labels: { state }, value })),
    ),
    labelled(
      'counter',
      { name: 'holdfast_gas_spent_wei_total', help: 'Gas paid, by kind of duty.' },
      Object.entries(books.gas).map(([duty, { wei }]) => ({ labels: { duty }, value: wei })),
    ),
    labelled(
      'counter',
      { name: 'holdfast_transactions_mined_total', help: 'Transactions booked, by kind of duty.' },
      Object.entries(books.gas).map(([duty, { count }]) => ({ labels: { duty }, value: count })),
    ),
    ...known('holdfast_wallet_balance_wei', "The operator's native coin.", wallet.gas),
    ...known(
      'holdfast_wallet_spend_per_day_wei',
      'What gas costs a day at the pace of late.',
      wallet.forecast?.perDay,
    ),
    ...known(
      'holdfast_wallet_days_left',
      'Days that the balance lasts at that pace.',
      wallet.forecast?.daysLeft,
    ),
    ...known(
      'holdfast_wallet_proofs_left',
      'Proofs that the balance pays for.',
      wallet.forecast?.proofsLeft,
    ),
    ...known('holdfast_vault_balance_units', "The owner's free token balance.", wallet.vault),
    ...known('holdfast_stake_units', 'Tokens staked.', wallet.stake),
  ]
}

const traffic: Part = ({ uploads, books, transactions }) => {
  const inFlight = transactions.filter(({ state }) => state === 'in flight').length
  return [
    gauge('holdfast_uploads_open', 'Upload sessions that are open.', uploads.open),
    gauge('holdfast_upload_parts_running', 'Requests that send a part now.', uploads.parts),
    counter('holdfast_egress_bytes_total', 'Payload bytes served.', [{ value: books.egress }]),
    gauge('holdfast_transactions_in_flight', 'Transactions not mined yet.', inFlight),
  ]
}

const scrub: Part = (status) =>
  status.scrub === undefined
    ? []
    : [
        gauge('holdfast_scrub_progress_ratio', 'Of this round, 0 to 1.', status.scrub.progress),
        gauge('holdfast_scrub_behind', '1 when behind its plan.', status.scrub.behind ? 1 : 0),
      ]

const health: Part = ({
  safeToStop,
  alarms,
  process: own,
  journalBytes,
  journalRoom,
  upSince,
  ...status
}) => {
  const severities = ['critical', 'warning', 'notice']
  return [
    gauge('holdfast_safe_to_stop', '1 when stopping now costs nothing.', safeToStop.safe ? 1 : 0),
    labelled(
      'gauge',
      { name: 'holdfast_alarms', help: 'Alarms that stand, by severity.' },
      severities.map((severity) => ({
        labels: { severity },
        value: alarms.filter((alarm) => alarm.severity === severity).length,
      })),
    ),
    labelled(
      'gauge',
      { name: 'holdfast_alarm', help: 'Alarms that stand, by kind.' },
      [...new Set(alarms.map(({ kind }) => kind))].map((kind) => ({
        labels: { kind },
        value: alarms.filter((alarm) => alarm.kind === kind).length,
      })),
    ),
    gauge(
      'holdfast_certificate_expiry_timestamp_seconds',
      'When the TLS certificate ends.',
      status.certificate.expires,
    ),
    gauge('holdfast_journal_bytes', 'Length of the journal.', journalBytes),
    gauge(
      'holdfast_journal_reserve_free_bytes',
      'What is left for the journal when its disk is full.',
      journalRoom.left,
    ),
    gauge(
      'holdfast_journal_full',
      '1 when its disk is full and uploads are refused.',
      journalRoom.state === 'ok' ? 0 : 1,
    ),
    gauge('holdfast_start_timestamp_seconds', 'When this process began.', upSince),
    gauge('holdfast_event_loop_delay_seconds', 'The longest delay of late.', own.loopDelaySeconds),
    gauge('holdfast_process_resident_bytes', 'Resident memory.', own.residentBytes),
  ]
}

/** Every metric of a status. */
export const statusMetrics = (status: NodeStatus): readonly Metric[] =>
  [volumes, chain, duties, money, traffic, scrub, health].flatMap((part) => part(status))
