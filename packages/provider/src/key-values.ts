/**
 * The ordered key-value store that indexes and folded facts lie in, as a port: LevelDB on a real
 * node, memory in a simulation. Holds only what can be read again from sectors, journal or ledger.
 *
 * What every adapter keeps: a batch is there as a whole or not at all; after a crash what was written
 * last may be missing, but never something that was written before what is there.
 */
import { rm } from 'node:fs/promises'
import { Level } from 'level'

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
  write(): Promise<void>
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
}

/** LevelDB, one directory for each store. */
export const levelPlace: KeyValuePlace = {
  open: async <V>(directory: string, valueEncoding: ValueEncoding) => {
    const level = new Level<string, V>(directory, { valueEncoding })
    await level.open()
    return level
  },
  remove: (directory) => rm(directory, { recursive: true, force: true }),
}
