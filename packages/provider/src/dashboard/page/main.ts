/**
 * The page's beginning: logs in, follows the stream of views, and shows each in its panels. Keeps the
 * last view and nothing else; a lost connection is said and taken up again by the browser.
 */
import { calendarPanel } from './calendar.ts'
import { dealsPanel, type Order } from './deals.ts'
import { part, show } from './dom.ts'
import { moment, span } from './format.ts'
import { logIn, loginPanel, takeCode } from './login.ts'
import {
  alarmsPanel,
  chainTime,
  earningsPanel,
  headPanels,
  type Measure,
  type View,
  volumesPanel,
} from './panels.ts'
import { every, wallTime } from './system-browser.ts'
import { transactionsPanel } from './tables.ts'

const LOST_AFTER_SECONDS = 15

const state: {
  view: View | undefined
  receivedAt: number
  measure: Measure
  order: Order
  stream: EventSource | undefined
} = {
  view: undefined,
  receivedAt: 0,
  measure: 'earned',
  order: { column: '', down: true },
  stream: undefined,
}

const draw = (): void => {
  const { view, measure, order } = state
  if (view === undefined) return
  const { status } = view
  const now = chainTime(view, state.receivedAt)
  const tick = Math.floor(now)
  show(part('head'), [status, tick], () => headPanels(view, now))
  show(part('alarms'), status.alarms, () => alarmsPanel(view))
  show(part('calendar'), [status.calendar, status.books.outcomes], () => calendarPanel(status))
  show(part('volumes'), status.volumes, () => volumesPanel(view))
  show(part('earnings'), [view.series, view.totals, measure], () =>
    earningsPanel(view, measure, (chosen) => {
      state.measure = chosen
      draw()
    }),
  )
  show(part('deals'), [view.deals, order], () =>
    dealsPanel(view, order, (chosen) => {
      state.order = chosen
      draw()
    }),
  )
  show(part('transactions'), status.transactions, () => transactionsPanel(view))
  frame(view)
}

/** What is around the panels: who this is, and how the node is. */
const frame = ({ status }: View): void => {
  const { provider, region, software, upSince, accepting } = status
  const closed = accepting === false ? ', takes no new deals' : ''
  part('who').textContent = `${provider} in ${region}${closed}`
  const { residentBytes, loopDelaySeconds } = status.process
  const up = `up since ${moment(upSince, wallTime())}`
  const memory = `${Math.round(Number(residentBytes) / 2 ** 20)} MiB of memory`
  const delay = `longest event loop delay ${Math.round(loopDelaySeconds * 1000)} ms`
  part('foot').textContent = [software, up, memory, delay].join(' · ')
  const bad = status.alarms.length > 0 ? `(${status.alarms.length}) ` : ''
  document.title = `${bad}Holdfast provider`
}

const link = (text: string, how: 'live' | 'lost' | ''): void => {
  const element = part('link')
  if (element.textContent !== text) element.textContent = text
  element.setAttribute('data-state', how)
}

const follow = (): void => {
  part('login').hidden = true
  part('board').hidden = false
  part('logout').hidden = false
  const stream = new EventSource('/api/events')
  state.stream = stream
  stream.addEventListener('message', (event: MessageEvent<string>) => {
    state.view = JSON.parse(event.data) as View
    state.receivedAt = wallTime()
    link('live', 'live')
    draw()
  })
  stream.addEventListener('error', () => {
    link('the node does not answer', 'lost')
    // The browser gives up when it is refused: then the session is over, or never was.
    if (stream.readyState === EventSource.CLOSED) void enter()
  })
}

const askLogin = async (wrong?: string): Promise<void> => {
  state.stream?.close()
  state.view = undefined
  part('board').hidden = true
  part('logout').hidden = true
  part('login').hidden = false
  link('not logged in', '')
  part('login').replaceChildren(
    ...(await loginPanel({ wrong, onDone: follow })).filter((child) => child !== undefined),
  )
}

/** Follows when there is a session, with the code of a link when there is one; else asks. */
const enter = async (): Promise<void> => {
  const code = takeCode()
  const wrong = code === undefined ? undefined : await logIn({ code })
  const response = await fetch('/api/session').catch(() => undefined)
  if (response === undefined) return link('the node does not answer', 'lost')
  const { open }: { readonly open?: boolean } = await response.json()
  if (open === true) follow()
  else await askLogin(wrong)
}

part('logout').addEventListener('click', () => {
  const headers = { 'content-type': 'application/json' }
  void fetch('/api/logout', { method: 'POST', headers, body: '{}' }).then(() => askLogin())
})
window.addEventListener('hashchange', () => void enter())
every(1000, () => {
  const silent = wallTime() - state.receivedAt
  if (state.view !== undefined && silent > LOST_AFTER_SECONDS) {
    link(`no news for ${span(silent)}`, 'lost')
  }
  draw()
})
void enter()
