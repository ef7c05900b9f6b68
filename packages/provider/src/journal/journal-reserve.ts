/**
 * Room for the journal when its disk is full: `journal.reserve`, a file beside it whose bytes were
 * written and synced in good time. Batches for which `journal.log` has no room are written over them,
 * which needs no room. Nobody else can take it meanwhile, as anybody could take room that is given back.
 *
 * Invariants: what is in the reserve follows the last batch of `journal.log`, in order and chained to
 * it; while anything is there, nothing is appended to `journal.log`. What lies behind it is text, or
 * batches that are in `journal.log` already, or one that was never acknowledged: all have numbers that
 * tell them apart (`readJournal`).
 * btrfs is asked to write it in place. Not here: ZFS, which cannot; there overwriting needs room too.
 */
import { dirname } from 'node:path'
import { type Bytes, bytes, HoldfastError, toNumber } from '@holdfast/protocol'
import type { WriteGuard } from '../store/disk-errors.ts'
import type { Entry } from './entries.ts'
import type { JournalFile, JournalFiles } from './journal-files.ts'

/** Proofs of some 40 periods in direct mode, of several hundred in commit mode. */
export const RESERVE_BYTES: Bytes = bytes(2 ** 20)

/** No byte of it begins a record, and no file system stores it as a hole. */
const TEXT = 'room for the journal of a provider whose disk is full. do not remove.\n'

/** Whether the journal has room. */
export interface JournalRoom {
  /** `reserve`: the disk is full and entries go into the reserve; `none`: there is no reserve. */
  readonly state: 'ok' | 'reserve' | 'none'
  /** Bytes of the reserve that are not used. */
  readonly left: Bytes
  /** How large the reserve is when it is whole. */
  readonly reserve: Bytes
}

/** What proofs need; everything else may use half of the reserve at most. */
const isOfProofs = ({ kind }: Entry): boolean =>
  kind.startsWith('tx-') || kind.startsWith('proof-') || kind === 'started'

export interface ReserveOptions {
  readonly files: JournalFiles
  readonly path: string
  /** The journal's: what cannot be synced here closes it. */
  readonly guard: WriteGuard
  /** How large it should be. */
  readonly size: Bytes
}

export class JournalReserve {
  readonly #options: ReserveOptions
  #file: JournalFile | undefined
  #capacity: number
  /** Where entries begin that are not in the journal. */
  #begin = 0
  #end = 0

  private constructor(options: ReserveOptions, file: JournalFile | undefined, capacity: number) {
    this.#options = options
    this.#file = file
    this.#capacity = capacity
  }

  /** Opens the one that is there; makes none. */
  static async open(options: ReserveOptions): Promise<JournalReserve> {
    const { files, path } = options
    const file = await files.openPresent(path)
    return new JournalReserve(options, file, file === undefined ? 0 : await file.size())
  }

  /** Bytes that hold entries. */
  get used(): number {
    return this.#end - this.#begin
  }

  /** Where entries are read from; undefined when there is no reserve. */
  get file(): JournalFile | undefined {
    return this.#file
  }

  get room(): JournalRoom {
    const { size: reserve } = this.#options
    const left = bytes(this.#capacity - this.#end)
    if (this.used > 0) return { state: 'reserve', left, reserve }
    return { state: this.#isWhole ? 'ok' : 'none', left, reserve }
  }

  get #isWhole(): boolean {
    return this.#file !== undefined && BigInt(this.#capacity) >= this.#options.size
  }

  /** These bytes hold entries. */
  found(begin: number, end: number): void {
    this.#begin = begin
    this.#end = end
  }

  /** What is in it is in the journal as well. */
  forget(): void {
    this.found(0, 0)
  }

  /** @throws HoldfastError `DISK_FULL` for entries that have to leave the rest to proofs. */
  admit(entries: readonly Entry[]): void {
    if (this.#end <= this.#capacity / 2 || entries.every(isOfProofs)) return
    throw new HoldfastError({ code: 'DISK_FULL', needed: this.#options.size, available: 0n })
  }

  /**
   * Makes a batch durable behind those that are here, over what lies there.
   * @throws HoldfastError `DISK_FULL` when it does not fit, or there is no reserve; `STORE_READ_ONLY`.
   */
  async append(data: Uint8Array): Promise<void> {
    const file = this.#file
    if (file === undefined || this.#end + data.length > this.#capacity) {
      const detail = { needed: BigInt(data.length), available: this.room.left }
      throw new HoldfastError({ code: 'DISK_FULL', ...detail })
    }
    await file.write(data, this.#end)
    await this.#options.guard.sync(() => file.sync())
    this.#end += data.length
  }

  /** The bytes that hold entries. */
  async entries(): Promise<Uint8Array> {
    const into = new Uint8Array(this.used)
    const length = (await this.#file?.read(into, this.#begin)) ?? 0
    if (length === into.length) return into
    const sentence = `${this.#options.path} has become shorter while it was open`
    throw new HoldfastError({ code: 'INVARIANT', sentence })
  }

  /**
   * Takes a new one into use, in the place of the one that was there.
   * @param before is to bring what is in the old one into the journal, when there is room for the new one.
   * @throws the system's error; without room the old one stays as it is. HoldfastError `STORE_READ_ONLY`.
   */
  async renew(before: () => Promise<void>): Promise<void> {
    const { files, path, size, guard } = this.#options
    const fresh = `${path}.new`
    const file = await files.open(fresh, { fresh: true, inPlace: true })
    try {
      await fill(file, toNumber(size))
      await file.sync()
      await before()
      await files.rename(fresh, path)
      await guard.sync(() => files.syncDirectory(dirname(path)))
    } catch (error) {
      await file.close()
      await files.remove(fresh)
      throw error
    }
    await this.#file?.close()
    this.#file = file
    this.#capacity = toNumber(size)
  }

  async close(): Promise<void> {
    await this.#file?.close()
  }
}

const fill = async (file: JournalFile, size: number): Promise<void> => {
  const piece = Buffer.alloc(Math.min(size, 2 ** 16), TEXT)
  for (let at = 0; at < size; at += piece.length) {
    await file.write(piece.subarray(0, Math.min(piece.length, size - at)), at)
  }
}
