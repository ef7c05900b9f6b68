/**
 * When something is wrong, as pure rules over the node's status: same status, same findings. What
 * only one part can notice (a lying endpoint, a foreign nonce) is raised by that part instead.
 */
import type { NodeStatus } from '../status/node-status.ts'
import type { Finding } from './alarm.ts'

/** Limits of the rules; every one may be set in the configuration. */
export interface AlarmLimits {
  /** A volume with less than this share free is nearly full, in percent. */
  readonly volumeFreePercent: number
  /** The operator's account should last so many days. */
  readonly walletDays: number
  /** A certificate should be good for so many days; the node makes a new one a week before the end. */
  readonly certificateDays: number
  /** Clocks may differ by so many seconds. */
  readonly skewSeconds: number
  /** Without a block for so many seconds the ledger is silent. */
  readonly silentSeconds: number
}

export const ALARM_LIMITS: AlarmLimits = {
  volumeFreePercent: 5,
  walletDays: 7,
  certificateDays: 6,
  skewSeconds: 60,
  silentSeconds: 180,
}

/** What the rules read: the status, without the alarms that come of it. */
export type RuleInput = Omit<NodeStatus, 'alarms' | 'safeToStop'>

type Rule = (status: RuleInput, limits: AlarmLimits) => readonly Finding[]

const DAY = 86_400n
/** Fewer proofs than this in the account are an emergency. */
const PROOFS_MIN = 10n
/** Deaths of a thread in an hour that are no accident any more. */
const DEATHS_MANY = 4

/** All that is wrong now. */
export const findingsAt = (status: RuleInput, limits: AlarmLimits): readonly Finding[] =>
  RULES.flatMap((rule) => rule(status, limits))

/** Half of the time between seed and deadline is gone, and the proof is not on chain. */
const proofLate: Rule = ({ chain }) => {
  if (chain === undefined || chain.proven || chain.weight === 0n) return []
  const { period, seedDue, deadline, time } = chain
  const half = seedDue + (deadline - seedDue) / 2n
  if (time < half || time >= deadline) return []
  const why = chain.seeded ? 'its proof is not on chain' : 'its seed is not posted'
  const message = `period ${period}: ${why}, ${deadline - time} s are left`
  return [{ kind: 'proof-late', subject: '', message }]
}

/** The last period that counted was missed; the next one that is proven clears it. */
const periodMissed: Rule = ({ calendar }) => {
  const over = calendar.filter(({ state }) => state === 'proven' || state === 'missed')
  const proven = over.findLastIndex(({ state }) => state === 'proven')
  const missed = over.slice(proven + 1)
  const [first] = missed
  const last = missed.at(-1)
  if (first === undefined || last === undefined) return []
  const what =
    missed.length === 1
      ? `period ${first.period} was missed`
      : `${missed.length} periods in a row were missed, ${first.period} to ${last.period}`
  return [{ kind: 'period-missed', subject: '', message: what }]
}

const damage: Rule = ({ damages }) =>
  damages.map(({ root, leaf, what }) => ({
    kind: 'payload-damaged',
    subject: root,
    message: `leaf ${leaf}: ${what}`,
  }))

const volumes: Rule = (status, limits) =>
  status.volumes.flatMap((volume): readonly Finding[] => {
    const { name, state, reason, capacity, free } = volume
    const message = reason ?? state
    if (state === 'read-only') return [{ kind: 'volume-read-only', subject: name, message }]
    if (state === 'unavailable' || state === 'missing') {
      return [{ kind: 'volume-unavailable', subject: name, message }]
    }
    if (state === 'draining' || state === 'restarting') return []
    if (free * 100n >= capacity * BigInt(limits.volumeFreePercent)) return []
    return [
      {
        kind: 'volume-nearly-full',
        subject: name,
        message: `${free} of ${capacity} bytes are free for uploads`,
      },
    ]
  })

const home: Rule = ({ journalRoom: { state, left, reserve } }) => {
  if (state === 'ok') return []
  const refused = 'new uploads and deals are refused'
  const message =
    state === 'reserve'
      ? `the disk under the journal is full: ${refused}; proofs go on, for as long as the ${left} bytes of the journal's reserve last`
      : `the disk under the journal has no room for its reserve of ${reserve} bytes: ${refused}; proofs stop when it is full`
  return [{ kind: 'home-full', subject: '', message }]
}

/** Stands for an hour after the last time; loud while nothing can be written, and when it goes on. */
const volumeThreads: Rule = (status) =>
  status.volumes.flatMap(({ name, state, deaths }): readonly Finding[] => {
    const down = state === 'restarting'
    if (!down && deaths.lately === 0) return []
    const loud = down || deaths.lately >= DEATHS_MANY
    const message = `${deaths.lately} times in an hour, the last time because: ${deaths.reason}`
    const severity = loud ? 'critical' : 'warning'
    return [{ kind: 'volume-thread-died', subject: name, severity, message }]
  })

const wallet: Rule = ({ operator, wallet: { gas, forecast } }, limits) => {
  if (gas === undefined || forecast === undefined) return []
  const { proofsLeft, daysLeft } = forecast
  const finding = { kind: 'wallet-low', subject: operator } as const
  if (gas === 0n || (proofsLeft !== undefined && proofsLeft < PROOFS_MIN)) {
    const message = `${gas} wei pay for ${proofsLeft ?? 0n} more proofs`
    return [{ ...finding, severity: 'critical', message }]
  }
  if (daysLeft === undefined || daysLeft >= BigInt(limits.walletDays)) return []
  const message = `${gas} wei last about ${daysLeft} days at ${forecast.perDay} wei a day`
  return [{ ...finding, severity: daysLeft < 1n ? 'critical' : 'warning', message }]
}

const chainSilent: Rule = ({ chain, upSince, at }, limits) => {
  const silent = chain?.silentSeconds ?? Number(at - upSince)
  if (silent < limits.silentSeconds) return []
  const last = chain === undefined ? 'no block yet' : `the last block is ${chain.block}`
  return [
    {
      kind: 'ledger-silent',
      subject: '',
      message: `nothing new for ${Math.floor(silent)} s: ${last}`,
    },
  ]
}

const clockSkew: Rule = ({ chain }, limits) => {
  const skew = chain?.skewSeconds
  if (skew === undefined || Math.abs(skew) <= limits.skewSeconds) return []
  const where = skew > 0 ? 'ahead of' : 'behind'
  const message = `this clock is about ${Math.round(Math.abs(skew))} s ${where} the chain's`
  return [{ kind: 'clock-skew', subject: '', message }]
}

const certificate: Rule = ({ certificate: { expires, problem }, at }, limits) => {
  const finding = { kind: 'certificate-expiring', subject: '' } as const
  if (expires <= at) {
    return [{ ...finding, severity: 'critical', message: 'the TLS certificate has expired' }]
  }
  if (expires < at + BigInt(limits.certificateDays) * DAY) {
    const message = `the TLS certificate: ${(expires - at) / DAY} days are left`
    return [{ ...finding, severity: 'warning', message }]
  }
  if (problem === undefined) return []
  return [{ ...finding, severity: 'warning', message: `the new one is not taken: ${problem}` }]
}

const scrub: Rule = (status) =>
  status.scrub?.behind === true
    ? [
        {
          kind: 'scrub-behind',
          subject: '',
          message: `the round is ${Math.floor(status.scrub.progress * 100)} % done`,
        },
      ]
    : []

const disputes: Rule = (status) =>
  status.disputes.map(({ subject, deadline, problem }) => ({
    kind: 'dispute-open',
    subject,
    message: `to be answered before ${deadline}${problem === undefined ? '' : `; it cannot be shown: ${problem}`}`,
  }))

/** Nothing else is proven while it is owed. An audit that is merely not shown yet is everyday. */
const audit: Rule = ({ audit: owed }) => {
  if (owed?.problem === undefined) return []
  const { period, deadline, problem } = owed
  const message = `the audit of period ${period}, due before ${deadline}, cannot be shown: ${problem}`
  return [{ kind: 'audit-unanswerable', subject: String(period), message }]
}

/** Early, while one more slash would stop new deals; loud, when they are stopped. */
const stake: Rule = ({ stopped, wallet: { stake: held, stakeMin, slash } }) => {
  const finding = { kind: 'stake-low', subject: '' } as const
  if (held === undefined || stakeMin === undefined) return []
  const figures = `${held} are staked, ${stakeMin} are required`
  if (stopped) {
    return [{ ...finding, severity: 'critical', message: `${figures}; no new deals open` }]
  }
  if (held < stakeMin) return [{ ...finding, severity: 'critical', message: figures }]
  if (held >= stakeMin + slash) return []
  return [{ ...finding, message: `${figures}; a slash of ${slash} would stop new deals` }]
}

/** Somebody changed the keys on the ledger, or this node runs with old ones. */
const registration: Rule = ({ operator, registration: found }) => {
  if (found === undefined) return []
  const { beneficiary, expectedBeneficiary } = found
  const finding = { kind: 'registration-differs' } as const
  const owner = 'the owner'
  return [
    ...(found.operator === operator
      ? []
      : [
          {
            ...finding,
            subject: 'operator',
            message: `the ledger names operator ${found.operator}, this node signs as ${operator}`,
          },
        ]),
    ...(beneficiary === expectedBeneficiary
      ? []
      : [
          {
            ...finding,
            subject: 'beneficiary',
            message: `earnings go to ${beneficiary ?? owner}, config.json says ${expectedBeneficiary ?? owner}`,
          },
        ]),
  ]
}

const config: Rule = ({ configProblem }) =>
  configProblem === undefined
    ? []
    : [{ kind: 'config-invalid', subject: '', message: configProblem }]

const books: Rule = (status) =>
  status.books.damaged === 0
    ? []
    : [
        {
          kind: 'books-damaged',
          subject: '',
          message: `${status.books.damaged} values could not be believed`,
        },
      ]

const RULES: readonly Rule[] = [
  proofLate,
  periodMissed,
  damage,
  volumes,
  home,

  volumeThreads,
  wallet,
  chainSilent,
  clockSkew,
  certificate,
  scrub,
  disputes,
  audit,
  stake,
  registration,
  config,
  books,
]
