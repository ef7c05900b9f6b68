/**
 * The journal in one file, `journal.log`. Opening it replays it; a tail that a crash left unfinished
 * is set aside, anything else that cannot be read refuses to open, because a promise forgotten is
 * worse than a node that does not start. `journal.mark` says how far it was synced (`journal-mark.ts`);
 * `journal.reserve` takes what the disk has no room for (`journal-reserve.ts`).
 *
 * Invariants: one writer at a time; everything appended while a sync runs goes into the next batch;
 * after a failed sync nothing more is accepted. Reading and rewriting hold a few MiB of it at a time,
 * however long it is.
 */
import { dirname, join } from 'node:path'
import { type Bytes, bytes } from '@holdfast/protocol'
import { crashPoint } from '../store/crash-points.ts'
import { isNoRoom, WriteGuard } from '../store/disk-errors.ts'
import { checkpointOf } from './checkpoint.ts'
import type { Entry } from './entries.ts'
import type { Journal } from './journal.ts'
import { BATCH_BYTES, bodiesOf, bodyOf, encodeBatch } from './journal-batches.ts'
import { type JournalFile, type JournalFiles, realFiles } from './journal-files.ts'
import { encodeMark } from './journal-mark.ts'
import { type OpenFiles, readChecked, setAside } from './journal-opening.ts'
import type { JournalContent } from './journal-reader.ts'
import { JournalReserve, type JournalRoom, RESERVE_BYTES } from './journal-reserve.ts'

interface Pending {
  readonly bodies: readonly Uint8Array[]
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** What opening a journal gives, besides the entries. */
export interface OpenedJournal {
  readonly journal: FileJournal
  /** Bytes of an unfinished write that were set aside. */
  readonly tornBytes: Bytes
}

export interface FileJournalOptions {
  /** Default: the file system. */
  readonly files?: JournalFiles | undefined
  /** Default: 1 MiB. */
  readonly reserveBytes?: Bytes | undefined
}

const besides = (path: string, ending: string): string => path.replace(/log$/, ending)
const freshOf = (path: string): string => `${path}.new`

export class FileJournal implements Journal {
  readonly #files: JournalFiles
  readonly #path: string
  readonly #guard: WriteGuard
  readonly #mark: JournalFile
  readonly #reserve: JournalReserve
  #file: JournalFile
  #end: number
  #head: Uint8Array
  #batch: bigint
  #pending: Pending[] = []
  #writing: Promise<void> | undefined

  private constructor(opened: OpenFiles, content: JournalContent) {
    const { files, path, file, mark, reserve, guard } = opened
    this.#files = files
    this.#path = path
    this.#guard = guard
    this.#file = file
    this.#mark = mark
    this.#reserve = reserve
    this.#end = content.end
    this.#head = content.head
    this.#batch = content.batch
  }

  /**
   * @param each told of every entry, in order; when this rejects, what it was told counts for nothing.
   * @throws HoldfastError `STORE_CORRUPT` when it is damaged, or older than what was synced.
   */
  static async open(
    directory: string,
    each: (entry: Entry) => void,
    { files = realFiles, reserveBytes: size = RESERVE_BYTES }: FileJournalOptions = {},
  ): Promise<OpenedJournal> {
    const path = join(directory, 'journal.log')
    const reservePath = besides(path, 'reserve')
    const guard = new WriteGuard(path)
    const file = await files.open(path)
    const mark = await files.open(besides(path, 'mark'))
    const reserve = await JournalReserve.open({ files, path: reservePath, size, guard })
    const opened = { files, path, file, mark, reserve, guard }
    try {
      const content = await readChecked(opened, each)
      // What was cut short when it was written anew: its room is given back.
      for (const unfinished of [path, reservePath]) await files.remove(freshOf(unfinished))
      await files.syncDirectory(directory)
      const tornBytes = bytes((await file.size()) - content.end)
      if (tornBytes > 0n) await setAside(opened, content.end)
      // What is in the reserve counts only behind what is in the file.
      if (reserve.used > 0) await file.sync()
      const journal = new FileJournal(opened, content)
      await journal.makeRoom()
      return { journal, tornBytes }
    } catch (error) {
      await Promise.all([file.close(), mark.close(), reserve.close()])
      throw error
    }
  }

  /** Bytes of entries. */
  get size(): number {
    return this.#end + this.#reserve.used
  }

  get room(): JournalRoom {
    return this.#reserve.room
  }

  async append(entries: readonly Entry[]): Promise<void> {
    this.#reserve.admit(entries)
    const bodies = entries.map(bodyOf)
    const done = new Promise<void>((resolve, reject) => {
      this.#pending.push({ bodies, resolve, reject })
    })
    this.#writing ??= this.#drain()
    return done
  }

  /**
   * Replaces the file by one that begins with a checkpoint of these entries, chained to the old head.
   * Either file is whole at any moment; what is appended meanwhile comes after it.
   * @param batchBytes about so many bytes of entries are held at a time.
   * @throws HoldfastError `DISK_FULL` (then the old file goes on), `STORE_READ_ONLY`.
   */
  rewrite(entries: Iterable<Entry>, batchBytes: Bytes = BATCH_BYTES): Promise<void> {
    return this.#alone(() => this.#replace(entries, batchBytes))
  }

  /**
   * Brings what is in the reserve into the file, and makes the reserve when there is none.
   * @returns whether there is room: as much again as the reserve takes.
   * @throws HoldfastError `STORE_READ_ONLY`.
   */
  async makeRoom(): Promise<boolean> {
    if (this.room.state === 'ok') return true
    return this.#alone(async () => {
      try {
        await this.#reserve.renew(() => this.#emptyReserve())
        return true
      } catch (error) {
        if (!isNoRoom(error)) throw error
        return false
      }
    })
  }

  async close(): Promise<void> {
    await this.#writing
    await this.#file.close()
    await this.#mark.close()
    await this.#reserve.close()
  }

  /** Does something while nothing is appended; what is meanwhile asked for comes afterwards. */
  async #alone<T>(work: () => Promise<T>): Promise<T> {
    while (this.#writing !== undefined) await this.#writing
    const working = this.#guard.run(work)
    this.#writing = working.then(
      () => this.#drain(),
      () => this.#drain(),
    )
    return working
  }

  async #replace(entries: Iterable<Entry>, batchBytes: Bytes): Promise<void> {
    const fresh = freshOf(this.#path)
    const file = await this.#files.open(fresh, { fresh: true })
    let last: JournalContent
    try {
      last = await this.#copyTo(file, entries, batchBytes)
      await file.sync()
      // The name it gets must be of this file, and not of one that had no room before it.
      await this.#guard.sync(() => this.#files.syncDirectory(dirname(this.#path)))
      crashPoint('journal-rewritten')
      await this.#files.rename(fresh, this.#path)
    } catch (error) {
      await file.close()
      await this.#files.remove(fresh)
      throw error
    }
    crashPoint('journal-swapped')
    // Whatever fails from here on, nobody may go on writing into a file without a name.
    await this.#guard.sync(() => this.#files.syncDirectory(dirname(this.#path)))
    await this.#file.close()
    this.#file = file
    this.#reserve.forget()
    this.#end = last.end
    await this.#durable(last)
  }

  /** Writes a checkpoint, a batch after the other. */
  async #copyTo(
    file: JournalFile,
    entries: Iterable<Entry>,
    batchBytes: Bytes,
  ): Promise<JournalContent> {
    let last: JournalContent = { end: 0, head: this.#head, batch: this.#batch }
    for (const bodies of bodiesOf(checkpointOf(last, entries), batchBytes)) {
      const { data, head } = encodeBatch(bodies, last)
      await file.write(data, last.end)
      last = { end: last.end + data.length, head, batch: last.batch + 1n }
      crashPoint('journal-copied')
    }
    return last
  }

  async #emptyReserve(): Promise<void> {
    if (this.#reserve.used === 0) return
    await this.#put(await this.#reserve.entries())
    this.#reserve.forget()
  }

  async #drain(): Promise<void> {
    while (this.#pending.length > 0) {
      const batch = this.#pending
      this.#pending = []
      try {
        await this.#write(batch.flatMap(({ bodies }) => bodies))
        for (const { resolve } of batch) resolve()
      } catch (error) {
        for (const { reject } of batch) reject(error)
      }
    }
    this.#writing = undefined
  }

  async #write(bodies: readonly Uint8Array[]): Promise<void> {
    if (bodies.length === 0) return
    const { data, head } = encodeBatch(bodies, { head: this.#head, batch: this.#batch })
    await this.#guard.run(async () => {
      if (!(await this.#hasPut(data))) await this.#reserve.append(data)
      await this.#durable({ head, batch: this.#batch + 1n })
    })
  }

  /** False when the batch must go into the reserve: for want of room, or because others are there. */
  async #hasPut(data: Uint8Array): Promise<boolean> {
    if (this.#reserve.used > 0) return false
    try {
      await this.#put(data)
      return true
    } catch (error) {
      if (!isNoRoom(error)) throw error
      // What is in the reserve counts only behind what is in the file.
      await this.#guard.sync(() => this.#file.sync())
      return false
    }
  }

  /** Makes bytes durable at the end of the file; without room the file is as it was. */
  async #put(data: Uint8Array): Promise<void> {
    try {
      await this.#file.write(data, this.#end)
    } catch (error) {
      await this.#file.truncate(this.#end)
      throw error
    }
    crashPoint('journal-written')
    await this.#guard.sync(() => this.#file.sync())
    crashPoint('journal-synced')
    this.#end += data.length
  }

  /** Everything up to that batch is durable, and the mark may say so. */
  async #durable({ head, batch }: Pick<JournalContent, 'head' | 'batch'>): Promise<void> {
    this.#head = head
    this.#batch = batch
    try {
      await this.#mark.write(encodeMark({ batch, head }), 0)
    } catch (error) {
      // The mark of before stays true; what is durable may not be called lost.
      if (!isNoRoom(error)) throw error
    }
  }
}
