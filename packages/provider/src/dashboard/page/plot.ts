/**
 * A bar plot with axes, drawn by hand in SVG: round numbers on the left, times below, each bar named
 * for those who do not see it.
 */
import { h, s } from './dom.ts'

export interface Bar {
  readonly label: string
  /** Written below the axis where there is room. */
  readonly tick: string
  readonly value: number
  /** The value as text, with its unit. */
  readonly said: string
}

export interface PlotOptions {
  readonly title: string
  /** A value of the axis as text. */
  readonly axis: (value: number) => string
  readonly onPick: (bar: Bar | undefined) => void
}

/** A unit of the drawing is a pixel on a page at least this narrow and at most this wide. */
const NARROW = 340
const WIDE = 960
const HEIGHT = 260
const LEFT = 84
const RIGHT = 8
const TOP = 12
const BOTTOM = 30
const LINES = 4
/** What the page keeps free on both sides of a plot. */
const MARGINS = 48
/** Room that a time below the axis takes. */
const TICK = 115

/**
 * The smallest whole number of 1, 2, 2.5, 5 times a power of ten that is at least `value`: values are in
 * the smallest unit, and a line at half of one would be named by another figure than it stands for.
 */
export const roundUp = (value: number): number => {
  if (value <= 1) return 1
  const power = 10 ** Math.floor(Math.log10(value))
  const steps = [1, 2, 2.5, 5, 10]
  const fits = (step: number): boolean => step * power >= value && Number.isInteger(step * power)
  return (steps.find(fits) ?? 10) * power
}

export const plot = (bars: readonly Bar[], options: PlotOptions): HTMLElement => {
  const width = Math.max(NARROW, Math.min(WIDE, document.documentElement.clientWidth - MARGINS))
  const most = bars.reduce((best, { value }) => Math.max(best, value), 0)
  const step = roundUp(most / LINES)
  const top = step * LINES
  const y = (value: number): number => TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / top)
  const room = (width - LEFT - RIGHT) / Math.max(1, bars.length)
  const lines = Array.from({ length: LINES + 1 }, (_, i) => i * step).flatMap((value) => [
    s('line', {
      ...{ x1: LEFT, x2: width - RIGHT, y1: y(value), y2: y(value) },
      class: value === 0 ? 'axis' : 'grid',
    }),
    s('text', { x: LEFT - 8, y: y(value) + 4, 'text-anchor': 'end' }, options.axis(value)),
  ])
  const ticks = Math.max(2, Math.floor((width - LEFT) / TICK))
  const every = Math.max(1, Math.ceil(bars.length / ticks))
  const drawn = bars.flatMap((bar, i) => {
    const x = LEFT + i * room
    const pick = (): void => options.onPick(bar)
    const drop = (): void => options.onPick(undefined)
    const tall = Math.max(bar.value > 0 ? 1 : 0, y(0) - y(bar.value))
    const rect = s('rect', {
      ...{ class: 'value', x: x + room * 0.12, width: room * 0.76, y: y(0) - tall, height: tall },
      ...{ rx: Math.min(3, room / 6), tabindex: -1, 'data-key': `bar ${bar.label}` },
      ...{ role: 'img', 'aria-label': `${bar.label}: ${bar.said}` },
      ...{ mouseenter: pick, focus: pick, mouseleave: drop, blur: drop },
    })
    const isTicked = (bars.length - 1 - i) % every === 0
    const tick = s('text', { x: x + room / 2, y: HEIGHT - 10, 'text-anchor': 'middle' }, bar.tick)
    return isTicked ? [rect, tick] : [rect]
  })
  const picture = s(
    'svg',
    {
      class: 'plot',
      viewBox: `0 0 ${width} ${HEIGHT}`,
      role: 'group',
      tabindex: 0,
      'data-key': 'plot',
    },
    s('title', {}, options.title),
    ...lines,
    ...drawn,
  )
  picture.addEventListener('keydown', (event) => walk(picture, event as KeyboardEvent))
  return h('div', { class: 'wide' }, picture)
}

/** The arrow keys go from bar to bar. */
const walk = (picture: SVGElement, event: KeyboardEvent): void => {
  const move = { ArrowLeft: -1, ArrowRight: 1 }[event.key]
  if (move === undefined) return
  const bars = [...picture.querySelectorAll<SVGElement>('.value')]
  const at = bars.indexOf(document.activeElement as SVGElement)
  const next = at < 0 ? bars.length - 1 : Math.max(0, Math.min(bars.length - 1, at + move))
  bars[next]?.focus()
  event.preventDefault()
}
