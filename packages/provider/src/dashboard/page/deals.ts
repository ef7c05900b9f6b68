/** The deals table: every column sorts, the newest deals first at the start. */
import { type Child, h } from './dom.ts'
import { bytes, coin, moment, short, tokens } from './format.ts'
import type { View } from './panels.ts'
import { wallTime } from './system-browser.ts'
import { cell, chip, tableOf } from './tables.ts'

type Row = View['deals'][number]

export interface Order {
  readonly column: string
  readonly down: boolean
}

interface DealColumn {
  readonly name: string
  readonly isNumber: boolean
  readonly key: (row: Row) => bigint | string
}

const number = (text: string | undefined): bigint => BigInt(text ?? '-1')

const COLUMNS: readonly DealColumn[] = [
  { name: 'Deal', isNumber: false, key: ({ id }) => id },
  { name: 'State', isNumber: false, key: ({ state }) => state },
  { name: 'Size', isNumber: true, key: ({ length }) => number(length) },
  { name: 'Periods', isNumber: true, key: ({ start }) => number(start) },
  { name: 'Proven', isNumber: true, key: ({ provenPeriods }) => number(provenPeriods) },
  { name: 'Last proof', isNumber: true, key: ({ lastProven }) => number(lastProven) },
  { name: 'Settled', isNumber: true, key: ({ settled }) => number(settled?.toProvider) },
  { name: 'Pending', isNumber: true, key: ({ pending }) => number(pending?.toProvider) },
  { name: 'Gas', isNumber: true, key: ({ gas }) => number(gas) },
  { name: 'Egress', isNumber: true, key: ({ egress }) => number(egress) },
  { name: 'Last scrub', isNumber: false, key: ({ lastScrub }) => number(lastScrub) },
  { name: 'Problem', isNumber: false, key: ({ problem }) => problem ?? '' },
]

const compare = (a: bigint | string, b: bigint | string): number => (a < b ? -1 : a > b ? 1 : 0)

const sorted = (rows: readonly Row[], { column, down }: Order): readonly Row[] => {
  const key = COLUMNS.find(({ name }) => name === column)?.key
  if (key === undefined) return rows
  const up = [...rows].sort((a, b) => compare(key(a), key(b)))
  return down ? up.reverse() : up
}

const MOODS: Readonly<Record<string, 'good' | 'warn' | 'bad' | ''>> = {
  active: 'good',
  accepted: 'warn',
  faulty: 'bad',
  refused: 'bad',
}

export const dealsPanel = (
  view: View,
  order: Order,
  sort: (order: Order) => void,
): readonly Child[] => {
  const { deals, dealCount } = view
  const note = dealCount > deals.length ? `the newest ${deals.length} of ${dealCount}` : ''
  const title = h('div', { class: 'top' }, h('h2', {}, 'Deals'), h('p', { class: 'note' }, note))
  if (deals.length === 0) {
    return [
      title,
      h('p', { class: 'note' }, 'No deals yet: clients find this provider on the ledger.'),
    ]
  }
  const head = COLUMNS.map(({ name, isNumber }) => {
    const isChosen = order.column === name
    const direction = order.down ? 'descending' : 'ascending'
    const down = isChosen ? !order.down : isNumber
    const button = h(
      'button',
      {
        type: 'button',
        class: 'sort',
        'data-key': `sort ${name}`,
        click: () => sort({ column: name, down }),
      },
      name,
    )
    const attributes = { scope: 'col', class: isNumber ? 'number' : undefined }
    return h('th', { ...attributes, 'aria-sort': isChosen ? direction : undefined }, button)
  })
  return [
    title,
    tableOf(
      head,
      sorted(deals, order).map((row) => rowOf(row, view)),
    ),
  ]
}

const rowOf = (row: Row, { token }: View): HTMLElement => {
  const right = { number: true }
  const unproven = row.unprovenPeriods === '0' ? '' : ` (${row.unprovenPeriods} not)`
  return h(
    'tr',
    { 'data-deal': row.id },
    h('td', { title: row.id }, h('code', {}, short(row.id))),
    h('td', {}, chip(row.state, MOODS[row.state] ?? '')),
    cell(bytes(row.length), right),
    cell(row.start === undefined ? '' : `${row.start}–${row.end}`, right),
    cell(`${row.provenPeriods}${unproven}`, right),
    cell(row.lastProven ?? '', right),
    cell(row.settled === undefined ? '' : tokens(row.settled.toProvider, token), right),
    cell(row.pending === undefined ? '' : tokens(row.pending.toProvider, token), right),
    cell(row.gas === undefined ? '' : coin(row.gas), right),
    cell(row.egress === undefined ? '' : bytes(row.egress), right),
    cell(moment(row.lastScrub, wallTime())),
    h('td', { class: 'problem' }, row.problem),
  )
}
