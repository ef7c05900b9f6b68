/** A watch's notes as JSON text and back, every field checked: the form of `WatchBook` on disk. */
import {
  address,
  amount,
  dealId,
  type Hash32,
  HoldfastError,
  hash32,
  period,
} from '@holdfast/protocol'
import { toJson } from '../ui/json.ts'
import type { GasEntry } from './budget.ts'
import { checkKey } from './check-key.ts'
import type { Subject } from './watch-events.ts'
import { MISSING_KEPT } from './watch-limits.ts'
import type { CheckEntry, DisputeEntry, DisputeState, WatchNotes } from './watch-notes.ts'

const FORMAT = 'holdfast-watch/1'
const CHECKS: readonly CheckEntry['state'][] = ['shown', 'wrong', 'silent']
const DISPUTES: readonly DisputeState[] = [
  'opening',
  'open',
  'answered',
  'lost',
  'expired',
  'dropped',
]

export const encodeBook = ({ checks, disputes, gas }: WatchNotes): string => {
  const body = {
    format: FORMAT,
    checks: [...checks.values()],
    disputes: [...disputes.values()],
    gas: [...gas].map(([name, entry]) => ({ name, ...entry })),
  }
  return `${toJson(body)}\n`
}

type Entry = Readonly<Record<string, unknown>>

const invalid = (reason: string): HoldfastError =>
  new HoldfastError({ code: 'MESSAGE_INVALID', field: 'watch', reason })

const listOf = (value: unknown): readonly Entry[] => {
  if (!Array.isArray(value)) throw invalid('a list is missing')
  return value.map((entry: unknown) => {
    if (typeof entry === 'object' && entry !== null) return entry as Entry
    throw invalid('an entry is no object')
  })
}

const text = (entry: Entry, name: string): string => {
  const value = entry[name]
  if (typeof value === 'string' && value.length <= 200) return value
  throw invalid(`${name} is not text`)
}

const whole = (entry: Entry, name: string): bigint => {
  const value = text(entry, name)
  if (/^\d{1,40}$/.test(value)) return BigInt(value)
  throw invalid(`${name} is not a whole number`)
}

const small = (entry: Entry, name: string): number => {
  const value = entry[name]
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  throw invalid(`${name} is not a whole number`)
}

const numbers = (entry: Entry, name: string): readonly number[] => {
  const value = entry[name]
  if (!Array.isArray(value) || value.length > MISSING_KEPT)
    throw invalid(`${name} is no short list`)
  return value.map((one: unknown) => small({ one }, 'one'))
}

const oneOf = <T extends string>(entry: Entry, name: string, of: readonly T[]): T => {
  const found = of.find((one) => one === entry[name])
  if (found === undefined) throw invalid(`${name} is none of ${of.join(', ')}`)
  return found
}

const yes = (entry: Entry, name: string): boolean => {
  const value = entry[name]
  if (typeof value === 'boolean') return value
  throw invalid(`${name} is neither true nor false`)
}

const subjectFrom = (entry: Entry): Subject => ({
  deal: entry['deal'] === null ? null : dealId(text(entry, 'deal')),
  provider: address(text(entry, 'provider')),
  period: period(whole(entry, 'period')),
})

const checkFrom = (entry: Entry): CheckEntry => ({
  ...subjectFrom(entry),
  root: hash32(text(entry, 'root')),
  state: oneOf(entry, 'state', CHECKS),
  looks: small(entry, 'looks'),
  missing: numbers(entry, 'missing'),
})

const disputeFrom = (entry: Entry): DisputeEntry => ({
  ...subjectFrom(entry),
  dispute: hash32(text(entry, 'dispute')),
  challenge: small(entry, 'challenge'),
  bond: amount(whole(entry, 'bond')),
  state: oneOf(entry, 'state', DISPUTES),
  since: whole(entry, 'since'),
  declared: yes(entry, 'declared'),
})

const gasFrom = (entry: Entry): readonly [string, GasEntry] => [
  text(entry, 'name'),
  {
    period: period(whole(entry, 'period')),
    wei: whole(entry, 'wei'),
    settled: yes(entry, 'settled'),
  },
]

/** @throws HoldfastError or SyntaxError for text that is no book. */
export const decodeBook = (body: string): WatchNotes => {
  const value = JSON.parse(body) as Entry
  if (value['format'] !== FORMAT) throw invalid(`it is no ${FORMAT}`)
  const checks = listOf(value['checks']).map(checkFrom)
  const disputes = listOf(value['disputes']).map(disputeFrom)
  return {
    checks: new Map(checks.map((entry) => [checkKey(entry), entry])),
    disputes: new Map(disputes.map((entry): [Hash32, DisputeEntry] => [entry.dispute, entry])),
    gas: new Map(listOf(value['gas']).map(gasFrom)),
  }
}
