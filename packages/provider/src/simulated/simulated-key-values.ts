/**
 * Key-value stores in memory that lose their newest writes with the power, as LevelDB does: some of
 * the last batches are gone, each as a whole, none before one that is there.
 */
import type { KeyRange, KeyValueBatch, KeyValuePlace, KeyValues } from '../key-values.ts'
import type { Chance } from './simulated-file.ts'
import type { SimulatedRun } from './simulated-run.ts'

type Value = string | Uint8Array

/** Batches that may not have reached the disk yet. */
const UNSURE_BATCHES = 64

class Table {
  readonly values = new Map<string, Value>()
  readonly #undo: (() => void)[] = []

  apply(changes: ReadonlyMap<string, Value | undefined>): void {
    const before = [...changes.keys()].map((key) => [key, this.values.get(key)] as const)
    this.#undo.push(() => {
      for (const [key, value] of before) this.#set(key, value)
    })
    if (this.#undo.length > UNSURE_BATCHES) this.#undo.shift()
    for (const [key, value] of changes) this.#set(key, value)
  }

  lose(batches: number): void {
    for (const undo of this.#undo.splice(this.#undo.length - batches).reverse()) undo()
    this.#undo.length = 0
  }

  get unsure(): number {
    return this.#undo.length
  }

  #set(key: string, value: Value | undefined): void {
    if (value === undefined) this.values.delete(key)
    else this.values.set(key, value)
  }
}

/** All stores of one machine. */
export class SimulatedKeyValues {
  readonly #tables = new Map<string, Table>()

  /** The power went off. */
  lose(chance: Chance): void {
    for (const table of this.#tables.values()) {
      table.lose(chance(2) === 0 ? 0 : chance(table.unsure + 1))
    }
  }

  /** As one run of a program sees them. */
  place(run: SimulatedRun): KeyValuePlace {
    return {
      open: (directory) => run.step(() => this.#open(directory, run)),
      remove: (directory) => run.step(() => void this.#tables.delete(directory)),
      free: () => Promise.resolve(2n ** 40n),
    }
  }

  #open<V>(directory: string, run: SimulatedRun): KeyValues<V> {
    const table = this.#tables.get(directory) ?? new Table()
    this.#tables.set(directory, table)
    return openTable<V>(table, run)
  }
}

const openTable = <V>(table: Table, run: SimulatedRun): KeyValues<V> => {
  const apply = (changes: ReadonlyMap<string, Value | undefined>): Promise<void> =>
    run.step(() => table.apply(changes))
  const entries = async function* ({ gte, lt }: KeyRange): AsyncGenerator<[string, V]> {
    const found = [...table.values].filter(([key]) => key >= gte && key < lt)
    for (const entry of found.sort(([a], [b]) => (a < b ? -1 : 1))) {
      yield await run.step(() => entry as [string, V])
    }
  }
  return {
    get: (key) => run.step(() => table.values.get(key) as V | undefined),
    put: (key, value) => apply(new Map([[key, value as Value]])),
    del: (key) => apply(new Map([[key, undefined]])),
    batch: () => new Batch<V>(apply),
    iterator: entries,
    values: async function* (range) {
      for await (const [, value] of entries(range)) yield value
    },
    clear: () => apply(new Map([...table.values.keys()].map((key) => [key, undefined]))),
    close: () => run.step(() => undefined),
  }
}

class Batch<V> implements KeyValueBatch<V> {
  readonly #apply: (changes: ReadonlyMap<string, Value | undefined>) => Promise<void>
  readonly #changes = new Map<string, Value | undefined>()

  constructor(apply: (changes: ReadonlyMap<string, Value | undefined>) => Promise<void>) {
    this.#apply = apply
  }

  put(key: string, value: V): void {
    this.#changes.set(key, value as Value)
  }

  del(key: string): void {
    this.#changes.set(key, undefined)
  }

  write(): Promise<void> {
    return this.#apply(this.#changes)
  }
}
