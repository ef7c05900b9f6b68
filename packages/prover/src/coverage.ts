/**
 * Which bytes of a payload have arrived: disjoint, sorted intervals that are joined when they touch.
 * Pure; memory grows with the number of gaps only.
 */
export interface Interval {
  readonly start: bigint
  /** One past the last byte. */
  readonly end: bigint
}

export class Coverage {
  #intervals: Interval[] = []

  /** Adds an interval, and returns the joined one that it now lies in. */
  add(added: Interval): Interval {
    const apart: Interval[] = []
    let { start, end } = added
    for (const held of this.#intervals) {
      if (held.end < start || held.start > end) {
        apart.push(held)
        continue
      }
      if (held.start < start) start = held.start
      if (held.end > end) end = held.end
    }
    const joined = { start, end }
    this.#intervals = [...apart, joined].sort((a, b) => (a.start < b.start ? -1 : 1))
    return joined
  }

  /** Bytes that have arrived. */
  get total(): bigint {
    return this.#intervals.reduce((sum, { start, end }) => sum + end - start, 0n)
  }
}
