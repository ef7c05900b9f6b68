/** Periods in ascending order: added mostly at the end, asked for by range. */
import type { Period } from '@holdfast/protocol'

export class PeriodSet {
  readonly #periods: Period[] = []

  has(of: Period): boolean {
    return this.#periods[this.#place(of)] === of
  }

  add(of: Period): void {
    const at = this.#place(of)
    if (this.#periods[at] !== of) this.#periods.splice(at, 0, of)
  }

  delete(of: Period): void {
    const at = this.#place(of)
    if (this.#periods[at] === of) this.#periods.splice(at, 1)
  }

  /** Those of from <= p < to, oldest first. */
  between(from: Period, to: Period): readonly Period[] {
    return from < to ? this.#periods.slice(this.#place(from), this.#place(to)) : []
  }

  /** How many of from <= p < to. */
  count(from: Period, to: Period): number {
    return from < to ? this.#place(to) - this.#place(from) : 0
  }

  get last(): Period | undefined {
    return this.#periods.at(-1)
  }

  /** The index of the first that is not before `of`. */
  #place(of: Period): number {
    let low = 0
    let high = this.#periods.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#periods[middle] ?? of) < of) low = middle + 1
      else high = middle
    }
    return low
  }
}
