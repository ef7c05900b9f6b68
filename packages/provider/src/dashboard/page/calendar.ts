/**
 * The proof calendar: a square for each of the last periods. The arrow keys walk through it; what is
 * picked is said below.
 */
import type { DashboardView, JsonOf } from '../view.ts'
import { type Child, h } from './dom.ts'
import { moment } from './format.ts'
import { wallTime } from './system-browser.ts'

type Status = JsonOf<DashboardView>['status']

const WORDS: Readonly<Record<string, string>> = {
  proven: 'proven',
  missed: 'missed: not paid',
  void: 'void: no seed was posted, nothing lost',
  idle: 'nothing to prove',
  open: 'not over yet',
}

export const calendarPanel = (status: Status): readonly Child[] => {
  const picked = h('p', { class: 'picked', role: 'status' })
  const { chain, calendar, books } = status
  const length = Number(chain?.nextPeriod ?? 0) - Number(chain?.periodStart ?? 0)
  const say = (period: string, state: string): void => {
    const ago = Number(chain?.period ?? 0) - Number(period)
    const at = Number(chain?.periodStart ?? 0) - ago * length
    picked.textContent = `Period ${period}, from ${moment(at, wallTime())}: ${WORDS[state] ?? state}`
  }
  const squares = calendar.map(({ period, state }, i) =>
    h('li', {
      ...{ class: state, tabindex: i === calendar.length - 1 ? 0 : -1 },
      ...{ 'data-key': `period ${period}`, 'data-period': period, 'data-state': state },
      ...{ 'aria-label': `period ${period}: ${WORDS[state] ?? state}` },
      mouseenter: () => say(period, state),
      focus: () => say(period, state),
    }),
  )
  const list = h('ul', { class: 'calendar', 'aria-label': 'the last periods, oldest first' })
  list.append(...squares)
  list.addEventListener('keydown', (event) => walk(squares, event))
  const { proven, missed } = books.outcomes
  return [
    h(
      'div',
      { class: 'top' },
      h('h2', {}, 'Proof calendar'),
      h('p', { class: 'note' }, `${proven} proven, ${missed} missed since these books began`),
    ),
    list,
    picked,
    h(
      'p',
      { class: 'legend' },
      ...['proven', 'missed', 'void', 'idle', 'open'].map((state) =>
        h('span', {}, h('i', { class: state }), state),
      ),
    ),
  ]
}

const walk = (squares: readonly HTMLElement[], event: Event): void => {
  const { key } = event as KeyboardEvent
  const move = { ArrowLeft: -1, ArrowRight: 1, Home: -squares.length, End: squares.length }[key]
  if (move === undefined) return
  const at = squares.indexOf(document.activeElement as HTMLElement)
  const next = Math.max(0, Math.min(squares.length - 1, at + move))
  squares[at]?.setAttribute('tabindex', '-1')
  squares[next]?.setAttribute('tabindex', '0')
  squares[next]?.focus()
  event.preventDefault()
}
