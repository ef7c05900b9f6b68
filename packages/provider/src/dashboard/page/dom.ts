/**
 * Elements from code, text as text: nothing here ever parses a string as markup, so no value of a deal
 * or a volume can become part of the page.
 */
export type Child = Node | string | undefined

export type Properties = Readonly<
  Record<string, string | number | boolean | ((event: Event) => void) | undefined>
>

const SVG = 'http://www.w3.org/2000/svg'

const fill = (element: Element, properties: Properties, children: readonly Child[]): void => {
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === false) continue
    if (typeof value === 'function') element.addEventListener(name, value)
    else element.setAttribute(name, value === true ? '' : String(value))
  }
  for (const child of children) if (child !== undefined) element.append(child)
}

/** An HTML element: attributes by name, functions as listeners. */
export const h = (name: string, properties: Properties = {}, ...children: Child[]): HTMLElement => {
  const element = document.createElement(name)
  fill(element, properties, children)
  return element
}

/** An SVG element. */
export const s = (name: string, properties: Properties = {}, ...children: Child[]): SVGElement => {
  const element = document.createElementNS(SVG, name)
  fill(element, properties, children)
  return element
}

/** A part of the page that is there from the start. */
export const part = (id: string): HTMLElement => {
  const element = document.getElementById(id)
  if (element === null) throw new Error(`the page has no ${id}`)
  return element
}

const shown = new WeakMap<Element, string>()

/**
 * Fills a part anew when what it shows has changed. The focus stays on the element that bears the same
 * `data-key` as the one that had it.
 */
export const show = (into: HTMLElement, state: unknown, make: () => readonly Child[]): void => {
  const key = JSON.stringify(state)
  if (shown.get(into) === key) return
  shown.set(into, key)
  const active = document.activeElement
  const focused = into.contains(active) ? active?.getAttribute('data-key') : undefined
  into.replaceChildren(...make().filter((child) => child !== undefined))
  if (focused === undefined || focused === null) return
  const again = [...into.querySelectorAll<HTMLElement | SVGElement>('[data-key]')]
  again.find((element) => element.getAttribute('data-key') === focused)?.focus()
}

/** A bar with a share filled, 0 to 1, and a second share behind it. */
export const bar = (share: number, label: string, second = 0): HTMLElement => {
  const width = (part: number): number => Math.max(0, Math.min(1, part)) * 100
  const rects = [
    s('rect', { width: width(share), height: 10 }),
    s('rect', { class: 'second', x: width(share), width: width(second), height: 10 }),
  ]
  const svg = s('svg', { viewBox: '0 0 100 10', preserveAspectRatio: 'none' }, ...rects)
  return h('div', { class: 'bar', role: 'img', 'aria-label': label }, svg)
}
