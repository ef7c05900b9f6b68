/**
 * The panels above the tables: what to know at a glance, alarms, volumes, earnings.
 */
import type { DashboardView, JsonOf } from '../view.ts'
import { bar, type Child, h } from './dom.ts'
import { bytes, coin, counted, day, moment, short, span, tokens } from './format.ts'
import { type Bar, plot } from './plot.ts'
import { wallTime } from './system-browser.ts'

export type View = JsonOf<DashboardView>

interface Head {
  readonly title: string
  readonly figure: string
  readonly note: string
  readonly mood: 'good' | 'warn' | 'bad' | ''
  readonly extra?: HTMLElement | undefined
}

const head = ({ title, figure, note, mood, extra }: Head): HTMLElement =>
  h(
    'section',
    { class: `card head ${mood}`, 'aria-label': title },
    h('h2', {}, title),
    h('p', { class: 'figure' }, figure),
    h('p', { class: 'note' }, note),
    extra,
  )

/** Chain time now: what the node said, and what passed since. */
export const chainTime = (view: View, receivedAt: number): number =>
  Number(view.status.chain?.time ?? 0) + Math.max(0, wallTime() - receivedAt)

const stopHead = ({ status }: View, now: number): HTMLElement => {
  const { safe, reason, until } = status.safeToStop
  const left =
    until === undefined
      ? ''
      : `${safe ? 'back within' : 'ask again in'} ${span(Number(until) - now)}, ${moment(until, now)}`
  return head({
    title: 'Safe to stop',
    figure: safe ? 'Yes' : 'Not now',
    note: [reason, left].filter((text) => text !== '').join(' · '),
    mood: safe ? 'good' : 'warn',
  })
}

const periodHead = ({ status: { chain } }: View, now: number): HTMLElement => {
  if (chain === undefined) {
    return head({ title: 'Period', figure: '–', note: 'no block seen yet', mood: 'warn' })
  }
  const length = Number(chain.nextPeriod) - Number(chain.periodStart)
  const share = (now - Number(chain.periodStart)) / length
  const left = Number(chain.deadline) - now
  const idle = chain.weight === '0'
  const open = idle ? 'nothing to prove' : left > 0 ? `${span(left)} to the deadline` : 'not proven'
  return head({
    title: 'Period',
    figure: chain.period,
    note: chain.proven ? 'proven' : open,
    mood: chain.proven || idle ? 'good' : left > 0 ? '' : 'bad',
    extra: bar(share, `${Math.round(share * 100)} % of the period is over`),
  })
}

const walletHead = ({ status: { wallet } }: View): HTMLElement => {
  const { gas, forecast } = wallet
  const days = forecast?.daysLeft === undefined ? undefined : Number(forecast.daysLeft)
  const proofs =
    forecast?.proofsLeft === undefined ? '' : `, ${counted(forecast.proofsLeft, 'proof')}`
  const lasts =
    days === undefined
      ? 'pace not known yet'
      : days > 3650
        ? 'lasts for years'
        : `lasts ${days} days`
  return head({
    title: 'Gas wallet',
    figure: gas === undefined ? '–' : coin(gas),
    note: `${lasts}${proofs}`,
    mood: days !== undefined && days < 7 ? 'bad' : '',
  })
}

const storageHead = ({ status }: View): HTMLElement => {
  const sum = (name: 'capacity' | 'used' | 'reserved'): number =>
    status.volumes.reduce((total, volume) => total + Number(volume[name]), 0)
  const [capacity, used, reserved] = [sum('capacity'), sum('used'), sum('reserved')]
  const damaged = status.damages.length
  return head({
    title: 'Storage',
    figure: bytes(used),
    note: `of ${bytes(capacity)}, ${counted(status.payloads, 'payload')}${damaged === 0 ? '' : `, ${damaged} damaged`}, ${counted(status.uploads.open, 'upload')} open`,
    mood: damaged === 0 ? '' : 'bad',
    extra: bar(
      capacity === 0 ? 0 : used / capacity,
      `${bytes(used)} used, ${bytes(reserved)} reserved of ${bytes(capacity)}`,
      capacity === 0 ? 0 : reserved / capacity,
    ),
  })
}

export const headPanels = (view: View, now: number): readonly Child[] => [
  stopHead(view, now),
  periodHead(view, now),
  storageHead(view),
  walletHead(view),
]

export const alarmsPanel = ({ status: { alarms } }: View): readonly Child[] => {
  const title = h('h2', {}, 'Alarms')
  if (alarms.length === 0) {
    return [
      h('div', { class: 'top' }, title, h('span', { class: 'chip good' }, 'none')),
      h('p', { class: 'note' }, 'Proofs, disks, wallet, clock, chain and certificate are watched.'),
    ]
  }
  const items = alarms.map(({ kind, subject, severity, message, remedy, since }) =>
    h(
      'li',
      { class: severity, 'data-kind': kind },
      h('strong', {}, kind),
      subject === '' ? undefined : h('span', {}, ` ${short(subject)}`),
      `: ${message}, since ${moment(since, wallTime())}`,
      h('p', { class: 'remedy' }, remedy),
    ),
  )
  const count = h('span', { class: 'chip bad' }, String(alarms.length))
  return [h('div', { class: 'top' }, title, count), h('ul', { class: 'alarms' }, ...items)]
}

export const volumesPanel = ({ status: { volumes } }: View): readonly Child[] => [
  h('div', { class: 'top' }, h('h2', {}, 'Volumes')),
  ...volumes.map(({ name, path, state, reason, capacity, used, reserved, free, payloads }) =>
    h(
      'div',
      { 'data-volume': name, title: path },
      h(
        'p',
        { class: 'top' },
        h('strong', {}, name),
        h('span', { class: `chip ${state === 'ok' ? 'good' : 'bad'}` }, state),
      ),
      reason === undefined ? undefined : h('p', { class: 'note' }, reason),
      bar(
        Number(used) / Math.max(1, Number(capacity)),
        `${bytes(used)} used of ${bytes(capacity)}`,
        Number(reserved) / Math.max(1, Number(capacity)),
      ),
      h(
        'p',
        { class: 'note' },
        `${bytes(used)} used, ${bytes(reserved)} reserved, ${bytes(free)} free, ${counted(payloads, 'payload')}`,
      ),
    ),
  ),
]

/** The unit stands in the caption, not on every line of the axis. */
const UNIT = / (?:coin|(?!B|[KMGTP]iB)\S+)$/

export type Measure = 'earned' | 'gas' | 'egress'

const MEASURES: Readonly<Record<Measure, string>> = {
  earned: 'Earned',
  gas: 'Gas',
  egress: 'Egress',
}

const said = (view: View, measure: Measure, value: string): string => {
  if (measure === 'earned') return `${tokens(value, view.token)} ${view.token.symbol}`
  return measure === 'gas' ? `${coin(value)} coin` : bytes(value)
}

const unitOf = (view: View, measure: Measure): string => {
  if (measure === 'egress') return ''
  return measure === 'gas' ? ', in coin' : `, in ${view.token.symbol}, the network fee taken off`
}

const barsOf = (view: View, measure: Measure): readonly Bar[] =>
  view.series.stretches.map((stretch): Bar => {
    const value = stretch[measure]
    const at = Number(stretch.at)
    const isDay = view.series.by === 'day'
    return {
      label: isDay ? day(at) : `period ${stretch.from}`,
      tick: isDay ? day(at).slice(5) : stretch.from,
      value: Number(value),
      said: said(view, measure, value),
    }
  })

export const earningsPanel = (
  view: View,
  measure: Measure,
  choose: (measure: Measure) => void,
): readonly Child[] => {
  const { totals, token, series } = view
  const picked = h('p', { class: 'picked', role: 'status' })
  const tabs = Object.entries(MEASURES).map(([name, text]) =>
    h(
      'button',
      {
        ...{ type: 'button', 'aria-pressed': String(name === measure), 'data-key': `tab ${name}` },
        click: () => choose(name as Measure),
      },
      text,
    ),
  )
  const money = (value: string): string => `${tokens(value, token)} ${token.symbol}`
  const sums: readonly (readonly [string, string])[] = [
    ['Settled', money(totals.settled.toProvider)],
    ['Pending', money(totals.pending.toProvider)],
    ['Network fee so far', money(totals.settled.fee)],
    ['Gas spent', `${coin(totals.gas.total)} coin`],
    ['Egress', bytes(totals.egress)],
  ]
  return [
    h('div', { class: 'top' }, h('h2', {}, 'Earnings'), h('div', { class: 'tabs' }, ...tabs)),
    h(
      'dl',
      { class: 'sums' },
      ...sums.flatMap(([name, value]) => [
        h('div', {}, h('dt', {}, name), h('dd', { 'data-sum': name }, value)),
      ]),
    ),
    plot(barsOf(view, measure), {
      title: `${MEASURES[measure]} by ${series.by}`,
      axis: (value) => said(view, measure, String(Math.round(value))).replace(UNIT, ''),
      onPick: (one) => {
        picked.textContent = one === undefined ? '' : `${one.label}: ${one.said}`
      },
    }),
    h('p', { class: 'note' }, `${MEASURES[measure]} by ${series.by}${unitOf(view, measure)}`),
    picked,
  ]
}
