/**
 * The operator's view as lines for people: few words, units on every number, the worst thing first.
 * Reads the JSON that programs get, so both can never say different things.
 */
import pc from 'picocolors'
import type { AdminAnswer } from '../admin/client.ts'
import { formatBytes, formatCoin, formatTokens } from '../quantity.ts'
import { Answer } from './answer.ts'
import { table } from './output.ts'

/** How amounts are said to people. */
export interface Money {
  readonly decimals: number
  readonly symbol: string
}

const MARKS: Readonly<Record<string, string>> = {
  proven: '■',
  missed: '✗',
  void: '○',
  idle: '·',
  open: '…',
}
const CALENDAR_SHOWN = 60
const STRETCHES_SHOWN = 14
const BAR = 24

/** `0x12345678…`: enough to tell deals apart; `--json` has all of it. */
export const short = (id: string): string => (id.length > 14 ? `${id.slice(0, 10)}…` : id)

/** A moment, and how far away it is from `now`. */
export const moment = (at: bigint, now: bigint): string => {
  const text = new Date(Number(at) * 1000).toISOString().replace('T', ' ').slice(0, 19)
  return at >= now ? `${text} (in ${span(at - now)})` : `${text} (${span(now - at)} ago)`
}

const span = (seconds: bigint): string => {
  if (seconds < 120n) return `${seconds} s`
  if (seconds < 7200n) return `${seconds / 60n} min`
  return seconds < 172_800n ? `${seconds / 3600n} h` : `${seconds / 86_400n} days`
}

export const statusLines = (json: AdminAnswer, money: Money): readonly string[] => {
  const status = new Answer(json)
  const now = status.group('chain').integer('time') ?? 0n
  const rows: [string, string][] = [
    ['provider', `${status.text('provider')} in ${status.text('region')}`],
    ['node', nodeLine(status, now)],
    ['safe to stop', stopLine(status.group('safeToStop'), now)],
    ['period', periodLine(status.group('chain'), now)],
    ['deals', countsLine(status.group('deals'))],
    ...status.list('volumes').map((volume): [string, string] => ['volume', volumeLine(volume)]),
    ['wallet', walletLine(status.group('wallet'), money)],
  ]
  const damages = status.list('damages').length
  if (damages > 0) rows.push(['damaged', pc.red(`${damages} payloads`)])
  const calendar = calendarLine(status)
  if (calendar !== '') rows.push(['calendar', calendar])
  rows.push(['alarms', alarmsHead(status)])
  return [...table(rows), ...alarmLines(status, now)]
}

const nodeLine = (status: Answer, now: bigint): string => {
  if (status.flag('running') !== true) return pc.red('not running')
  const since = status.integer('upSince')
  const at = status.integer('at') ?? now
  const accepting = status.flag('accepting') === false ? ', takes no new deals' : ''
  if (since === undefined) return 'starting or stopping'
  return `${status.text('software')}, process ${status.text('pid')}, since ${moment(since, at)}${accepting}`
}

const stopLine = (stop: Answer, now: bigint): string => {
  const until = stop.integer('until')
  const when = until === undefined ? '' : `, until ${moment(until, now)}`
  const word = stop.flag('safe') === true ? pc.green('yes') : pc.yellow('no')
  return `${word}${when}: ${stop.text('reason')}`
}

const periodLine = (chain: Answer, now: bigint): string => {
  const period = chain.text('period')
  if (period === '') return 'no block seen yet'
  if (chain.flag('proven') === true) return `${period}, ${pc.green('proven')}`
  if (chain.integer('weight') === 0n) return `${period}, nothing to prove`
  const deadline = chain.integer('deadline') ?? 0n
  return deadline <= now
    ? `${period}, ${pc.red('not proven')}`
    : `${period}, to be proven before ${moment(deadline, now)}`
}

const countsLine = (deals: Answer): string =>
  ['accepted', 'active', 'faulty', 'ended', 'closed']
    .map((state) => ({ state, count: deals.text(state) }))
    .filter(({ count }) => count !== '0' && count !== '')
    .map(({ state, count }) => `${count} ${state}`)
    .join(', ') || 'none'

const volumeLine = (volume: Answer): string => {
  const size = (name: string): string => formatBytes(volume.integer(name) ?? 0n)
  const state = volume.text('state')
  const reason = volume.text('reason') === '' ? '' : `: ${volume.text('reason')}`
  const said = state === 'ok' ? '' : `, ${pc.red(state)}${reason}`
  return `${volume.text('name')}: ${size('used')} of ${size('capacity')} used, ${size('free')} free${said}`
}

const walletLine = (wallet: Answer, money: Money): string => {
  const gas = wallet.integer('gas')
  const vault = wallet.integer('vault')
  const days = wallet.group('forecast').integer('daysLeft')
  if (gas === undefined || vault === undefined) return 'not known yet'
  const lasts = days === undefined ? '' : ` (about ${days > 9999n ? 'ever' : `${days} days`})`
  const stake = formatTokens(wallet.integer('stake') ?? 0n, money.decimals)
  const free = formatTokens(vault, money.decimals)
  return `${formatCoin(gas)} coin for gas${lasts}; ${free} ${money.symbol} free, ${stake} staked`
}

const calendarLine = (status: Answer): string =>
  status
    .list('calendar')
    .slice(-CALENDAR_SHOWN)
    .map((day) => MARKS[day.text('state')] ?? '?')
    .join('')

const alarmsHead = (status: Answer): string => {
  const all = status.list('alarms')
  if (status.text('upSince') === '') return 'not known while the node is down'
  return all.length === 0 ? pc.green('none') : pc.red(String(all.length))
}

const alarmLines = (status: Answer, now: bigint): readonly string[] =>
  status.list('alarms').flatMap((alarm) => {
    const color = alarm.text('severity') === 'critical' ? pc.red : pc.yellow
    const at = status.integer('at') ?? now
    const subject = alarm.text('subject') === '' ? '' : ` ${short(alarm.text('subject'))}`
    return [
      `  ${color(alarm.text('kind'))}${subject}: ${alarm.text('message')}, since ${moment(alarm.integer('since') ?? 0n, at)}`,
      pc.dim(`    ${alarm.text('remedy')}`),
    ]
  })

export const dealLines = (json: AdminAnswer): readonly string[] => {
  const rows = new Answer(json)
    .list('deals')
    .map((deal) => [
      short(deal.text('id')),
      deal.text('state'),
      formatBytes(deal.integer('length') ?? 0n),
      deal.text('start') === '' ? '' : `${deal.text('start')}..${deal.text('end')}`,
      `${deal.text('provenPeriods')}${deal.text('unprovenPeriods') === '0' ? '' : ` (${deal.text('unprovenPeriods')} not)`}`,
      deal.text('lastProven') || 'never',
      short(deal.text('client')),
      deal.text('problem'),
    ])
  if (rows.length === 0) return ['no deals yet']
  const head = ['deal', 'state', 'size', 'periods', 'proven', 'last', 'client', 'problem']
  return table([head, ...rows])
}

export const earningsLines = (json: AdminAnswer, money: Money): readonly string[] => {
  const earnings = new Answer(json)
  const tokens = (value: bigint | undefined): string => formatTokens(value ?? 0n, money.decimals)
  const row = (name: string, line: Answer, gas: string, proven: readonly string[]): string[] => [
    name,
    tokens(line.group('settled').integer('toProvider')),
    tokens(line.group('pending').integer('toProvider')),
    formatCoin(line.group('gas').integer(gas) ?? 0n),
    formatBytes(line.integer('egress') ?? 0n),
    ...proven,
  ]
  const lines = earnings
    .list('deals')
    .map((line) =>
      row(short(line.text('deal')), line, 'total', [
        line.text('provenPeriods'),
        line.text('lastProven') || 'never',
      ]),
    )
  const head = [
    'deal',
    `settled (${money.symbol})`,
    'pending',
    'gas (coin)',
    'egress',
    'proven',
    'last',
  ]
  const totals = row('all', earnings.group('totals'), 'total', ['', ''])
  const notes = 'settled and pending with the network fee taken off; gas of all transactions in all'
  return [...table([head, ...lines, totals]), pc.dim(notes), ...seriesLines(earnings, tokens)]
}

const seriesLines = (earnings: Answer, tokens: (value: bigint) => string): readonly string[] => {
  const series = earnings.group('series')
  const shown = series.list('stretches').slice(-STRETCHES_SHOWN)
  const earned = shown.map((stretch) => stretch.integer('earned') ?? 0n)
  const most = earned.toSorted((a, b) => Number(b - a))[0] ?? 0n
  if (most === 0n) return []
  const rows = shown.map((stretch, i) => {
    const value = earned[i] ?? 0n
    const at = new Date(Number(stretch.integer('at') ?? 0n) * 1000).toISOString()
    const when = series.text('by') === 'day' ? at.slice(0, 10) : at.slice(11, 19)
    return [when, tokens(value), '█'.repeat(Number((value * BigInt(BAR)) / most))]
  })
  return ['', `earned by ${series.text('by')}`, ...table(rows)]
}
