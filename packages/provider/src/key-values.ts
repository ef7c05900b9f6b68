/**
 * The ordered key-value store that indexes and folded facts lie in, as a port: LevelDB on a real
 * node, memory in a simulation. Holds only what can be read again from sectors, journal or ledger.
 *
 * What every adapter keeps: a batch is there as a whole or not at all; after a crash what was written
 * last may be missing, but never something that was written before what is there.
 */
import { rename, rm, statfs } from 'node:fs/promises'
import { openChecksum } from '@holdfast/prover'
import { Level } from 'level'
import { damagedTable } from './store/table-check.ts'

/** What values are: text, or bytes. */
export type ValueEncoding = 'utf8' | 'view'

/** Keys of from <= key < to, in order. */
export interface KeyRange {
  readonly gte: string
  readonly lt: string
}

/** Changes that are written together. */
export interface KeyValueBatch<V> {
  put(key: string, value: V): unknown
  del(key: string): unknown
  /** @param options with `sync` it is durable when it resolves. */
  write(options?: { readonly sync: boolean }): Promise<void>
}

export interface KeyValues<V> {
  get(key: string): Promise<V | undefined>
  put(key: string, value: V): Promise<void>
  del(key: string): Promise<void>
  batch(): KeyValueBatch<V>
  iterator(range: KeyRange): AsyncIterable<[string, V]>
  values(range: KeyRange): AsyncIterable<V>
  clear(): Promise<void>
  close(): Promise<void>
}

/** Where key-value stores come from. */
export interface KeyValuePlace {
  open<V>(directory: string, encoding: ValueEncoding): Promise<KeyValues<V>>
  /** Forgets everything that is there. */
  remove(directory: string): Promise<void>
  /** Bytes that are free on its disk. */
  free(directory: string): Promise<bigint>
}

/**
 * LevelDB, one directory for each store. Tables are checked before it opens them, because one that is
 * damaged may end the process; they are written uncompressed, so that their blocks can be found.
 */
export const levelPlace: KeyValuePlace = {
  open: async <V>(directory: string, valueEncoding: ValueEncoding) => {
    const damaged = await damagedTable(directory, openChecksum())
    if (damaged !== undefined) throw new Error(`the table ${damaged} is damaged`)
    const level = new Level<string, V>(directory, { valueEncoding, compression: false })
    await level.open()
    return level
  },
  remove: (directory) => rm(directory, { recursive: true, force: true }),
  free: async (directory) => {
    const { bavail, bsize } = await statfs(directory, { bigint: true })
    return bavail * bsize
  },
}

/** LevelDB that is not removed when it is damaged, but renamed: the last one that was. */
export const keptAside: KeyValuePlace = {
  ...levelPlace,
  remove: async (directory) => {
    const aside = `${directory}.damaged`
    await rm(aside, { recursive: true, force: true })
    await rename(directory, aside)
  },
}
