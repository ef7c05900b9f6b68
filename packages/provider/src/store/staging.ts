/**
 * Uploads before they are payloads: one file each under `incoming/`, laid out as the sector it will
 * become, so that a large payload is written once, at its final place.
 *
 * Invariants: no byte is written outside the reserved payload; the header with the commitment is
 * durable before `create` resolves, so a restart knows every reservation from its file alone.
 */
import { type FileHandle, open, readdir, rename, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import {
  type Bytes,
  bytes,
  type Commitment,
  HoldfastError,
  type Random,
  toNumber,
} from '@holdfast/protocol'
import type { WriteGuard } from './disk-errors.ts'
import { createSector, readHeader, readSuperblock, syncDirectory } from './sector-files.ts'
import {
  encodeHeader,
  FIRST_RECORD,
  layoutOf,
  type RecordHeader,
  type RecordLayout,
  SALT_BYTES,
  type Superblock,
} from './sector-format.ts'
import type { StagingName } from './sector-store.ts'
import { SyncGate } from './sync-gate.ts'

const SUFFIX = '.sector'
const NAME = /^[a-z0-9-]{1,64}$/

/** One reservation with its open file. */
export interface Staged {
  readonly name: StagingName
  readonly path: string
  readonly superblock: Superblock
  readonly header: RecordHeader
  readonly layout: RecordLayout
  readonly handle: FileHandle
  readonly gate: SyncGate
}

/** The open reservations of one volume. */
export class StagingArea {
  readonly #directory: string
  readonly #guard: WriteGuard
  readonly #random: Random
  readonly #open = new Map<StagingName, Staged>()

  constructor(directory: string, guard: WriteGuard, random: Random) {
    this.#directory = directory
    this.#guard = guard
    this.#random = random
  }

  /** Opens what a former run left; files that never became reservations are removed. */
  async load(): Promise<void> {
    for (const file of await readdir(this.#directory)) {
      const path = join(this.#directory, file)
      const staged = file.endsWith(SUFFIX) ? await this.#reopen(path) : undefined
      if (staged === undefined) await unlink(path)
      else this.#open.set(staged.name, staged)
    }
  }

  get all(): ReadonlyMap<StagingName, Staged> {
    return this.#open
  }

  /** @throws HoldfastError `SESSION_NOT_FOUND`. */
  get(name: StagingName): Staged {
    const staged = this.#open.get(name)
    if (staged === undefined) throw new HoldfastError({ code: 'SESSION_NOT_FOUND', session: name })
    return staged
  }

  /** Creates the file of a reservation, durable with its header. */
  async create(name: StagingName, sector: number, header: RecordHeader): Promise<Staged> {
    if (!NAME.test(name)) {
      throw new HoldfastError({ code: 'ID_INVALID', kind: 'staging name', value: name })
    }
    const path = join(this.#directory, `${name}${SUFFIX}`)
    const superblock: Superblock = { sector, kind: 'own', salt: this.#random.bytes(SALT_BYTES) }
    const layout = layoutOf(FIRST_RECORD, header)
    const start = { header: encodeHeader(header, superblock.salt), length: layout.end }
    const handle = await createSector(path, superblock, start)
    const staged = this.#staged({ name, path, superblock, header, layout, handle })
    this.#open.set(name, staged)
    return staged
  }

  /** @throws HoldfastError `RANGE_INVALID` outside the payload, `DISK_FULL`, `STORE_READ_ONLY`. */
  async write(name: StagingName, offset: Bytes, buffers: readonly Uint8Array[]): Promise<void> {
    const { handle, layout, header } = this.get(name)
    const length = buffers.reduce((sum, buffer) => sum + buffer.length, 0)
    if (offset + BigInt(length) > header.commitment.length) {
      const reason = `${length} bytes at ${offset} pass the reserved ${header.commitment.length}`
      throw new HoldfastError({ code: 'RANGE_INVALID', reason })
    }
    await this.#guard.run(() => writeAll(handle, buffers, layout.payload + toNumber(offset)))
  }

  sync(name: StagingName): Promise<void> {
    return this.get(name).gate.wait()
  }

  /** Moves a finished file to its final name; durable when it resolves. */
  async promote(name: StagingName, target: string): Promise<void> {
    const staged = this.get(name)
    await this.#guard.run(async () => {
      await rename(staged.path, target)
      await syncDirectory(dirname(target))
      await syncDirectory(this.#directory)
    })
    await this.#forget(staged)
  }

  /** Removes the file. Should that not survive power loss, recovery finds nobody who wants it. */
  async discard(name: StagingName): Promise<void> {
    const staged = this.#open.get(name)
    if (staged === undefined) return
    await this.#forget(staged)
    await unlink(staged.path)
  }

  /** Disk the reservations have asked for but not yet taken, by what the files occupy. */
  async outstanding(): Promise<Bytes> {
    let sum = 0n
    for (const { handle, layout } of this.#open.values()) {
      const { blocks } = await handle.stat()
      sum += BigInt(Math.max(0, layout.end - blocks * 512))
    }
    return bytes(sum)
  }

  async close(): Promise<void> {
    for (const staged of [...this.#open.values()]) await this.#forget(staged)
  }

  async #forget(staged: Staged): Promise<void> {
    this.#open.delete(staged.name)
    await staged.handle.close()
  }

  #staged(parts: Omit<Staged, 'gate'>): Staged {
    const sync = (): Promise<void> => this.#guard.run(() => parts.handle.datasync())
    return { ...parts, gate: new SyncGate(sync) }
  }

  async #reopen(path: string): Promise<Staged | undefined> {
    const handle = await open(path, 'r+')
    const superblock = await readSuperblock(handle, path)
    const header = superblock && (await readHeader(handle, FIRST_RECORD, superblock))
    const layout = header && layoutOf(FIRST_RECORD, header)
    const whole = layout !== undefined && (await handle.stat()).size >= layout.end
    if (superblock === undefined || header === undefined || layout === undefined || !whole) {
      await handle.close()
      return undefined
    }
    return this.#staged({
      name: basename(path, SUFFIX),
      path,
      superblock,
      header,
      layout,
      handle,
    })
  }
}

/** Writes every byte of several buffers, however the system splits them. */
const writeAll = async (
  handle: FileHandle,
  buffers: readonly Uint8Array[],
  position: number,
): Promise<void> => {
  let left = buffers.filter((buffer) => buffer.length > 0)
  let at = position
  while (left.length > 0) {
    const { bytesWritten } = await handle.writev([...left], at)
    at += bytesWritten
    left = afterWritten(left, bytesWritten)
  }
}

const afterWritten = (buffers: readonly Uint8Array[], written: number): Uint8Array[] => {
  let skip = written
  const left: Uint8Array[] = []
  for (const buffer of buffers) {
    if (skip >= buffer.length) skip -= buffer.length
    else {
      left.push(buffer.subarray(skip))
      skip = 0
    }
  }
  return left
}

/** What a commitment's header says before and after it is sealed. */
export const headerFor = (
  commitment: Commitment,
  sequence: bigint,
  layersBytes: Bytes,
): RecordHeader => ({ type: 'payload', sequence, commitment, layersBytes })
