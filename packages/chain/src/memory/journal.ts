/**
 * Maps that remember how to undo what was done to them. Every change between two marks can be taken
 * back, which is what a refused transaction and a reorganised block need.
 */

/** A list of steps back, newest last. */
export class Journal {
  #undo: (() => void)[] = []

  record(undo: () => void): void {
    this.#undo.push(undo)
  }

  /** The steps since the last call; they belong to the caller now. */
  take(): readonly (() => void)[] {
    const steps = this.#undo
    this.#undo = []
    return steps
  }

  /** Takes everything back that was not taken away. */
  rollBack(): void {
    undoAll(this.take())
  }
}

/** Runs steps back, newest first. */
export const undoAll = (steps: readonly (() => void)[]): void => {
  for (let i = steps.length - 1; i >= 0; i--) steps[i]?.()
}

/** A map whose changes are journalled. Values are replaced, never changed in place. */
export class JournaledMap<K, V> {
  readonly #journal: Journal
  readonly #map = new Map<K, V>()

  constructor(journal: Journal) {
    this.#journal = journal
  }

  get(key: K): V | undefined {
    return this.#map.get(key)
  }

  has(key: K): boolean {
    return this.#map.has(key)
  }

  set(key: K, value: V): void {
    const had = this.#map.has(key)
    const before = this.#map.get(key)
    this.#journal.record(() => {
      if (had) this.#map.set(key, before as V)
      else this.#map.delete(key)
    })
    this.#map.set(key, value)
  }

  delete(key: K): void {
    if (!this.#map.has(key)) return
    const before = this.#map.get(key) as V
    this.#journal.record(() => this.#map.set(key, before))
    this.#map.delete(key)
  }

  /** In order of insertion. */
  values(): IterableIterator<V> {
    return this.#map.values()
  }
}
