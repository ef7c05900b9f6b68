/**
 * The index of one volume: where each payload's record lies, and how far each sector has been
 * indexed. A convenience only: everything in it can be read from the sectors again, and is, when
 * the directory is missing or a value fails its checksum.
 *
 * Invariants: a value that comes out is the one that went in (each carries a CRC-32C over key and
 * value); a write is one LevelDB batch. Writes are not synced: the sectors are.
 */
import { rm } from 'node:fs/promises'
import { bytes, type Root, root, schemeId, timestamp } from '@holdfast/protocol'
import { Level } from 'level'
import { crc32c } from './crc32c.ts'
import type { RecordTrailer } from './sector-format.ts'

/** One live payload: what its trailer says, and where its record begins. */
export interface IndexedRecord {
  readonly sector: number
  readonly offset: number
  readonly trailer: RecordTrailer
}

const VALUE_VERSION = 1
const text = new TextEncoder()

const sealedValue = (key: string, body: object): string => {
  const json = JSON.stringify({ version: VALUE_VERSION, ...body }, (_name, value: unknown) =>
    typeof value === 'bigint' ? value.toString() : value,
  )
  return `${crc32c(text.encode(key + json))
    .toString(16)
    .padStart(8, '0')}${json}`
}

/** The fields of a stored value; undefined when its checksum or version is wrong. */
const openedValue = (key: string, value: string): Record<string, unknown> | undefined => {
  const json = value.slice(8)
  if (Number.parseInt(value.slice(0, 8), 16) !== crc32c(text.encode(key + json))) return undefined
  const body: Record<string, unknown> = JSON.parse(json)
  return body['version'] === VALUE_VERSION ? body : undefined
}

const payloadKey = (payload: Root): string => `payload/${payload}`
const sectorKey = (sector: number): string => `sector/${String(sector).padStart(8, '0')}`

const encodeRecord = (record: IndexedRecord): string => {
  const { trailer } = record
  return sealedValue(payloadKey(trailer.commitment.root), {
    sector: record.sector,
    offset: record.offset,
    sequence: trailer.sequence,
    scheme: trailer.commitment.scheme,
    length: trailer.commitment.length,
    layersBytes: trailer.layersBytes,
    storedAt: trailer.storedAt,
    framesCrc: trailer.framesCrc,
    layersCrc: trailer.layersCrc,
  })
}

const decodeRecord = (key: string, value: string): IndexedRecord | undefined => {
  const body = openedValue(key, value)
  if (body === undefined) return undefined
  const integer = (name: string): bigint => BigInt(String(body[name]))
  return {
    sector: Number(body['sector']),
    offset: Number(body['offset']),
    trailer: {
      type: 'payload',
      sequence: integer('sequence'),
      commitment: {
        scheme: schemeId(Number(body['scheme'])),
        root: root(key.slice('payload/'.length)),
        length: bytes(integer('length')),
      },
      layersBytes: bytes(integer('layersBytes')),
      storedAt: timestamp(integer('storedAt')),
      framesCrc: Number(body['framesCrc']),
      layersCrc: Number(body['layersCrc']),
    },
  }
}

/** What the index said when it was opened; undefined when it cannot be trusted as a whole. */
export interface IndexContent {
  readonly records: readonly IndexedRecord[]
  readonly sectors: ReadonlyMap<number, IndexedSector>
}

/** How far a sector is indexed, and how many live payloads it had then: LevelDB can lose writes. */
export interface IndexedSector {
  readonly indexed: number
  readonly live: number
}

export class PayloadIndex {
  readonly #level: Level<string, string>

  private constructor(level: Level<string, string>) {
    this.#level = level
  }

  /** Opens the index; one that LevelDB cannot open is removed and begun anew. */
  static async open(directory: string): Promise<PayloadIndex> {
    const level = new Level<string, string>(directory)
    try {
      await level.open()
      return new PayloadIndex(level)
    } catch {
      await rm(directory, { recursive: true, force: true })
      const fresh = new Level<string, string>(directory)
      await fresh.open()
      return new PayloadIndex(fresh)
    }
  }

  /** Everything, or undefined when any value is damaged. */
  async load(): Promise<IndexContent | undefined> {
    const records: IndexedRecord[] = []
    const sectors = new Map<number, IndexedSector>()
    for await (const [key, value] of this.#level.iterator()) {
      if (key.startsWith('payload/')) {
        const record = decodeRecord(key, value)
        if (record === undefined) return undefined
        records.push(record)
      } else {
        const body = openedValue(key, value)
        if (body === undefined) return undefined
        sectors.set(Number(key.slice('sector/'.length)), {
          indexed: Number(body['indexed']),
          live: Number(body['live']),
        })
      }
    }
    return complete(records, sectors) ? { records, sectors } : undefined
  }

  /** Remembers a record and the state of its sector. */
  async put(record: IndexedRecord, state: IndexedSector): Promise<void> {
    const key = sectorKey(record.sector)
    await this.#level
      .batch()
      .put(payloadKey(record.trailer.commitment.root), encodeRecord(record))
      .put(key, sealedValue(key, state))
      .write()
  }

  /** Forgets a payload, and remembers the new state of its sector; undefined: the file is gone. */
  async remove(payload: Root, sector: number, state: IndexedSector | undefined): Promise<void> {
    const batch = this.#level.batch().del(payloadKey(payload))
    if (state === undefined) batch.del(sectorKey(sector))
    else batch.put(sectorKey(sector), sealedValue(sectorKey(sector), state))
    await batch.write()
  }

  /** Replaces everything. */
  async rewrite(content: IndexContent): Promise<void> {
    await this.#level.clear()
    const batch = this.#level.batch()
    for (const record of content.records) {
      batch.put(payloadKey(record.trailer.commitment.root), encodeRecord(record))
    }
    for (const [sector, state] of content.sectors) {
      batch.put(sectorKey(sector), sealedValue(sectorKey(sector), state))
    }
    await batch.write()
  }

  close(): Promise<void> {
    return this.#level.close()
  }
}

/** Whether every sector has as many records as it says: LevelDB opens with writes silently missing. */
const complete = (
  records: readonly IndexedRecord[],
  sectors: ReadonlyMap<number, IndexedSector>,
): boolean => {
  const live = new Map<number, number>()
  for (const { sector } of records) live.set(sector, (live.get(sector) ?? 0) + 1)
  for (const [sector, state] of sectors) if ((live.get(sector) ?? 0) !== state.live) return false
  return [...live.keys()].every((sector) => sectors.has(sector))
}
