/**
 * What a volume holds when it opens: the index where it can be trusted, the sectors themselves from
 * there on. Work is bounded by what the index does not cover yet.
 *
 * Invariants: a record counts only with a valid trailer; bytes behind the last whole record of a
 * shared sector are kept in `quarantine/` before the file is cut; damage in the middle is stepped
 * over and reported, never cut. Payload bytes are not read here: whoever relies on a payload without
 * having just written it asks the store to verify it.
 */
import { createReadStream, createWriteStream } from 'node:fs'
import { open, readdir, truncate, unlink } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { Logger, Root } from '@holdfast/protocol'
import type { IndexContent, IndexedRecord, IndexedSector } from './payload-index.ts'
import { readSuperblock, type ScanStep, scanSector } from './sector-files.ts'
import { FIRST_RECORD, type SectorKind, type Superblock } from './sector-format.ts'

export interface RecoveredSector {
  readonly number: number
  readonly kind: SectorKind
  readonly salt: Uint8Array
  readonly path: string
  /** Where the next record would begin; the end of the file. */
  readonly end: number
}

export interface RecoveredVolume {
  readonly sectors: readonly RecoveredSector[]
  readonly content: IndexContent
  /** Sectors read because the index did not cover them, in whole or in part. */
  readonly scanned: number
  readonly nextSequence: bigint
}

export interface RecoveryPaths {
  readonly sectors: string
  readonly quarantine: string
}

/** Reads a volume. `known` is what the index says; undefined reads every sector. */
export const recoverVolume = async (
  logger: Logger,
  paths: RecoveryPaths,
  known: IndexContent | undefined,
): Promise<RecoveredVolume> => {
  const files = (await readdir(paths.sectors)).filter((name) => name.endsWith('.sector')).sort()
  const live = new LiveRecords(known?.records ?? [])
  const sectors: RecoveredSector[] = []
  let scanned = 0
  for (const file of files) {
    const path = join(paths.sectors, file)
    const sector = await recoverSector({ logger, live }, paths, path, known)
    if (sector === undefined) continue
    if (sector.scanned) scanned++
    sectors.push(sector)
  }
  const numbers = new Set(sectors.map(({ number }) => number))
  const records = live.within(numbers)
  return {
    sectors,
    scanned,
    nextSequence: live.highest + 1n,
    content: { records, sectors: states(sectors, records) },
  }
}

const states = (
  sectors: readonly RecoveredSector[],
  records: readonly IndexedRecord[],
): ReadonlyMap<number, IndexedSector> => {
  const live = new Map<number, number>()
  for (const { sector } of records) live.set(sector, (live.get(sector) ?? 0) + 1)
  return new Map(
    sectors.map(({ number, end }) => [number, { indexed: end, live: live.get(number) ?? 0 }]),
  )
}

/** The latest record of each root, by sequence; a tombstone is the latest word too. */
class LiveRecords {
  readonly #records = new Map<Root, IndexedRecord>()
  readonly #tombstones = new Map<Root, bigint>()
  highest = 0n

  constructor(known: readonly IndexedRecord[]) {
    for (const record of known) this.add(record)
  }

  add(record: IndexedRecord): void {
    const { sequence, commitment, type } = record.trailer
    if (sequence > this.highest) this.highest = sequence
    const buried = this.#tombstones.get(commitment.root) ?? -1n
    const present = this.#records.get(commitment.root)?.trailer.sequence ?? -1n
    if (sequence <= buried || sequence <= present) return
    if (type === 'payload') this.#records.set(commitment.root, record)
    else {
      this.#tombstones.set(commitment.root, sequence)
      this.#records.delete(commitment.root)
    }
  }

  within(sectors: ReadonlySet<number>): readonly IndexedRecord[] {
    return [...this.#records.values()].filter(({ sector }) => sectors.has(sector))
  }
}

interface SectorRecovery {
  readonly logger: Logger
  readonly live: LiveRecords
}

const recoverSector = async (
  recovery: SectorRecovery,
  paths: RecoveryPaths,
  path: string,
  known: IndexContent | undefined,
): Promise<(RecoveredSector & { readonly scanned: boolean }) | undefined> => {
  const handle = await open(path, 'r')
  try {
    const superblock = await readSuperblock(handle, path)
    if (superblock === undefined)
      return await notASector(recovery, path, (await handle.stat()).size)
    const { size } = await handle.stat()
    const from = known?.sectors.get(superblock.sector)?.indexed ?? FIRST_RECORD
    let end = Math.min(from, size)
    for await (const step of scanSector(handle, superblock, from)) {
      end = await recoverStep(recovery, paths, { superblock, path, step })
    }
    const { sector: number, kind, salt } = superblock
    return { number, kind, salt, path, end, scanned: from < size || known === undefined }
  } finally {
    await handle.close()
  }
}

/** A sector file whose creation was cut short holds nothing; anything longer is left for a person. */
const notASector = async (
  { logger }: SectorRecovery,
  path: string,
  size: number,
): Promise<undefined> => {
  if (size <= FIRST_RECORD) await unlink(path)
  else logger.error('sector unreadable: both superblocks are damaged', { path, size_bytes: size })
  return undefined
}

interface StepPlace {
  readonly superblock: Superblock
  readonly path: string
  readonly step: ScanStep
}

/** Takes in one step of the walk; returns where the sector ends so far. */
const recoverStep = async (
  recovery: SectorRecovery,
  paths: RecoveryPaths,
  { superblock, path, step }: StepPlace,
): Promise<number> => {
  const place = { path, offset_bytes: step.offset, end_bytes: step.end }
  switch (step.kind) {
    case 'record':
      recovery.live.add({ sector: superblock.sector, offset: step.offset, trailer: step.trailer })
      return step.end
    case 'damaged':
      recovery.logger.error('sector damaged: a record cannot be read, later ones can', place)
      return step.end
    case 'torn':
      if (superblock.kind === 'own') {
        recovery.logger.error('sector damaged: its record cannot be read', place)
        return step.end
      }
      recovery.logger.warn('unfinished write moved to quarantine', place)
      await keepTail(path, step.offset, paths.quarantine)
      await truncate(path, step.offset)
      return step.offset
  }
}

const keepTail = async (path: string, offset: number, directory: string): Promise<void> => {
  const target = join(directory, `${basename(path)}-${offset}.tail`)
  await pipeline(createReadStream(path, { start: offset }), createWriteStream(target))
}
