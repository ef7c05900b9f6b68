/** Tables of the page: transactions, and the parts that tables share. */
import { type Child, h } from './dom.ts'
import { coin, moment, short } from './format.ts'
import type { View } from './panels.ts'
import { wallTime } from './system-browser.ts'

export interface Column {
  readonly name: string
  readonly isNumber?: boolean
}

export const cell = (
  text: string,
  options: { readonly number?: boolean; readonly full?: string } = {},
): HTMLElement =>
  h('td', { class: options.number === true ? 'number' : undefined, title: options.full }, text)

/** Text with a state's colour. */
export const chip = (text: string, mood: 'good' | 'warn' | 'bad' | ''): HTMLElement =>
  h('span', { class: `chip ${mood}` }, text)

export const tableOf = (head: readonly HTMLElement[], rows: readonly HTMLElement[]): HTMLElement =>
  h(
    'div',
    { class: 'wide', tabindex: 0 },
    h('table', {}, h('thead', {}, h('tr', {}, ...head)), h('tbody', {}, ...rows)),
  )

const SHOWN = 12

export const transactionsPanel = ({ status: { transactions } }: View): readonly Child[] => {
  const title = h('div', { class: 'top' }, h('h2', {}, 'Transactions'))
  if (transactions.length === 0) return [title, h('p', { class: 'note' }, 'None yet.')]
  const columns: readonly Column[] = [
    { name: 'State' },
    { name: 'Duty' },
    { name: 'Nonce', isNumber: true },
    { name: 'Replaced', isNumber: true },
    { name: 'Gas (coin)', isNumber: true },
    { name: 'Transaction' },
    { name: 'Time' },
  ]
  const head = columns.map(({ name, isNumber }) =>
    h('th', { scope: 'col', class: isNumber === true ? 'number' : undefined }, name),
  )
  const rows = transactions
    .slice(0, SHOWN)
    .map((one) =>
      h(
        'tr',
        {},
        h('td', {}, chip(one.state, one.state === 'mined' ? 'good' : 'warn')),
        cell(one.kind.split(' ').map(short).join(' '), { full: one.kind }),
        cell(one.nonce === undefined ? '' : String(one.nonce), { number: true }),
        cell(one.replacements === undefined ? '' : String(one.replacements), { number: true }),
        cell(one.wei === undefined ? '' : coin(one.wei), { number: true }),
        h('td', { title: one.transaction }, h('code', {}, short(one.transaction ?? ''))),
        cell(moment(one.at, wallTime())),
      ),
    )
  return [title, tableOf(head, rows)]
}
