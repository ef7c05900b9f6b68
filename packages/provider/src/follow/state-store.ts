/**
 * The chain state on disk: facts, the changes of the last blocks, and the cursor, in LevelDB. Every
 * update is one batch, so facts and cursor agree after any crash.
 *
 * Invariants: nothing here is the only copy of anything (the ledger has it all); the cursor record
 * carries a checksum over all facts, and cursor and undo records one of their own, so that a lost or
 * altered value is noticed when it opens, and then everything is folded anew from the deployment.
 */
import type { BlockRef } from '@holdfast/chain'
import type { Hash32 } from '@holdfast/protocol'
import type { KeyValuePlace } from '../key-values.ts'
import { crc32c } from '../store/crc32c.ts'
import { DisposableLevel } from '../store/disposable-level.ts'
import { type BlockChange, UNDO_BLOCKS } from './chain-state.ts'
import type { Fact } from './facts.ts'

const CURSOR = 'cursor'
const text = new TextEncoder()

/** JSON in which bigints are strings `n:123`; facts hold no other text that begins so. */
const encode = (value: unknown): string =>
  JSON.stringify(value, (_name, field: unknown) =>
    typeof field === 'bigint' ? `n:${field}` : field,
  )

const decode = <T>(json: string): T =>
  JSON.parse(json, (_name, field: unknown) =>
    typeof field === 'string' && /^n:[0-9]+$/.test(field) ? BigInt(field.slice(2)) : field,
  ) as T

const factKey = (key: string): string => `fact/${key}`
const undoKey = (number: bigint): string => `undo/${number.toString().padStart(20, '0')}`
const sumOf = (key: string, json: string): number => crc32c(text.encode(`${key} ${json}`))

/** A value with its own checksum, for those that the sum over all facts does not cover. */
const sealed = (key: string, json: string): string =>
  `${sumOf(key, json).toString(16).padStart(8, '0')} ${json}`

/** Undefined for a value that is not what was written. */
const opened = <T>(key: string, value: string): T | undefined => {
  const json = value.slice(9)
  return sealed(key, json) === value ? decode<T>(json) : undefined
}

interface CursorRecord {
  readonly ref: BlockRef | undefined
  /** XOR of the checksums of all facts. */
  readonly sum: number
}

interface UndoRecord {
  readonly ref: BlockRef
  readonly parent: BlockRef | undefined
  readonly changes: readonly (readonly [string, Fact | null])[]
}

export interface LoadedState {
  readonly facts: ReadonlyMap<string, Fact>
  readonly cursor: BlockRef | undefined
  /** The last blocks folded, oldest first. */
  readonly trail: readonly BlockRef[]
}

/** One block to take back, and the cursor after that. */
export interface Undo {
  readonly change: BlockChange
  readonly parent: BlockRef | undefined
}

/** A key and its new value; undefined removes it. */
type BatchChange = readonly [key: string, json: string | undefined]

export class StateStore {
  readonly #level: DisposableLevel<string>
  readonly #sums = new Map<string, number>()
  #sum = 0

  private constructor(level: DisposableLevel<string>) {
    this.#level = level
  }

  /** @param onDamage told why everything is folded anew. */
  static async open(
    directory: string,
    onDamage: (error: unknown) => void = () => undefined,
    place?: KeyValuePlace,
  ): Promise<StateStore> {
    return new StateStore(await DisposableLevel.open(directory, 'utf8', onDamage, place))
  }

  /** Everything; undefined when it cannot be trusted, and then it is cleared. */
  async load(): Promise<LoadedState | undefined> {
    const facts = new Map<string, Fact>()
    try {
      for await (const [key, json] of this.#level.scan({ gte: 'fact/', lt: 'fact0' })) {
        this.#count(key, sumOf(key, json))
        facts.set(key.slice('fact/'.length), decode<Fact>(json))
      }
      const cursor = await this.#cursor()
      const trail = await this.#trail()
      const ends = trail !== undefined && trail.at(-1)?.hash === cursor?.ref?.hash
      if (cursor?.sum === this.#sum && ends) return { facts, cursor: cursor.ref, trail }
    } catch {
      // A value that cannot be parsed is the same as one whose checksum is wrong.
    }
    await this.clear()
    return undefined
  }

  async clear(): Promise<void> {
    await this.#level.use((level) => level.clear())
    this.#sums.clear()
    this.#sum = 0
  }

  /** What must be taken back for a reverted block; undefined when it is too old to be known. */
  async undoOf(block: {
    readonly number: bigint
    readonly hash: Hash32
  }): Promise<Undo | undefined> {
    const json = await this.#level.use((level) => level.get(undoKey(block.number)))
    if (json === undefined) return undefined
    const record = opened<UndoRecord>(undoKey(block.number), json)
    if (record?.ref.hash !== block.hash) return undefined
    const changes = new Map(
      record.changes.map(([key, before]) => [
        key,
        { before: before ?? undefined, after: undefined },
      ]),
    )
    return { change: { ref: record.ref, changes }, parent: record.parent }
  }

  /** Writes what one update changed: facts by key, undo records, the cursor. */
  async write(update: {
    readonly facts: ReadonlyMap<string, Fact | undefined>
    readonly applied: readonly {
      readonly change: BlockChange
      readonly parent: BlockRef | undefined
    }[]
    readonly reverted: readonly BlockRef[]
    readonly cursor: BlockRef | undefined
  }): Promise<void> {
    const changes: BatchChange[] = []
    for (const [key, fact] of update.facts) {
      const name = factKey(key)
      const json = fact === undefined ? undefined : encode(fact)
      changes.push([name, json])
      this.#count(name, json === undefined ? undefined : sumOf(name, json))
    }
    for (const { number } of update.reverted) changes.push([undoKey(number), undefined])
    for (const { change, parent } of update.applied) {
      const before = [...change.changes].map(([key, fact]) => [key, fact.before ?? null] as const)
      const { ref } = change
      const key = undoKey(ref.number)
      changes.push([key, sealed(key, encode({ ref, parent, changes: before }))])
      if (ref.number >= UNDO_BLOCKS) changes.push([undoKey(ref.number - UNDO_BLOCKS), undefined])
    }
    changes.push([CURSOR, sealed(CURSOR, encode({ ref: update.cursor, sum: this.#sum }))])
    await this.#level.use((level) => {
      const batch = level.batch()
      for (const [key, json] of changes) {
        if (json === undefined) batch.del(key)
        else batch.put(key, json)
      }
      return batch.write()
    })
  }

  close(): Promise<void> {
    return this.#level.close()
  }

  async #cursor(): Promise<CursorRecord | undefined> {
    const json = await this.#level.use((level) => level.get(CURSOR))
    return json === undefined ? { ref: undefined, sum: 0 } : opened<CursorRecord>(CURSOR, json)
  }

  /** Undefined when any of it is damaged. */
  async #trail(): Promise<readonly BlockRef[] | undefined> {
    const trail: BlockRef[] = []
    let damaged = false
    for await (const [key, json] of this.#level.scan({ gte: 'undo/', lt: 'undo0' })) {
      const record = opened<UndoRecord>(key, json)
      if (record === undefined) damaged = true
      else trail.push(record.ref)
    }
    return damaged ? undefined : trail
  }

  #count(key: string, sum: number | undefined): void {
    this.#sum = (this.#sum ^ (this.#sums.get(key) ?? 0) ^ (sum ?? 0)) >>> 0
    if (sum === undefined) this.#sums.delete(key)
    else this.#sums.set(key, sum)
  }
}
