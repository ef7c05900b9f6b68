/**
 * The journal in one file, `journal.log`. Opening it replays it; a tail that a crash left unfinished
 * is set aside, anything else that cannot be read refuses to open, because a promise forgotten is
 * worse than a node that does not start. `journal.mark` says how far it was synced (`journal-mark.ts`).
 *
 * Invariants: one writer at a time; everything appended while a sync runs goes into the next batch;
 * after a failed sync nothing more is accepted.
 */
import { dirname, join } from 'node:path'
import { type Bytes, bytes, HoldfastError } from '@holdfast/protocol'
import { crashPoint } from '../store/crash-points.ts'
import { WriteGuard } from '../store/disk-errors.ts'
import { decodeEntry, type Entry, encodeEntry } from './entries.ts'
import type { Journal } from './journal.ts'
import { type JournalFile, type JournalFiles, realFiles } from './journal-files.ts'
import { chainHash, encodeRecord, type JournalContent, readRecords } from './journal-format.ts'
import { contradiction, decodeMark, encodeMark } from './journal-mark.ts'

const text = new TextEncoder()
const fromText = new TextDecoder('utf-8', { fatal: true })

interface Pending {
  readonly bodies: readonly Uint8Array[]
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** What opening a journal gives: the journal, and what it remembers. */
export interface OpenedJournal {
  readonly journal: FileJournal
  readonly entries: readonly Entry[]
  /** Bytes of an unfinished write that were set aside. */
  readonly tornBytes: Bytes
}

/** The files of an open journal. */
interface Opened {
  readonly files: JournalFiles
  readonly path: string
  readonly file: JournalFile
  readonly mark: JournalFile
}

const markOf = (path: string): string => path.replace(/log$/, 'mark')

export class FileJournal implements Journal {
  readonly #files: JournalFiles
  readonly #path: string
  readonly #guard: WriteGuard
  readonly #mark: JournalFile
  #file: JournalFile
  #end: number
  #head: Uint8Array
  #batch: bigint
  #pending: Pending[] = []
  #writing: Promise<void> | undefined

  private constructor(
    { files, path, file, mark }: Opened,
    content: Omit<JournalContent, 'bodies'>,
  ) {
    this.#files = files
    this.#path = path
    this.#guard = new WriteGuard(path)
    this.#file = file
    this.#mark = mark
    this.#end = content.end
    this.#head = content.head
    this.#batch = content.batch
  }

  /** @throws HoldfastError `STORE_CORRUPT` when it is damaged, or older than what was synced. */
  static async open(directory: string, files: JournalFiles = realFiles): Promise<OpenedJournal> {
    const path = join(directory, 'journal.log')
    const data = (await files.read(path)) ?? new Uint8Array(0)
    const content = readRecords(data)
    if ('reason' in content) throw corrupt(path, content.offset, content.reason)
    const mark = decodeMark((await files.read(markOf(path))) ?? new Uint8Array(0))
    const wrong = contradiction(content, mark)
    if (wrong !== undefined) throw corrupt(path, content.end, `${wrong}; ${WAY_OUT}`)
    const entries = content.bodies.map((body) => entryOf(path, body))
    const tornBytes = bytes(data.length - content.end)
    const opened = {
      ...{ files, path, file: await files.open(path), mark: await files.open(markOf(path)) },
    }
    await files.syncDirectory(directory)
    if (tornBytes > 0n) await setAside(opened, data.subarray(content.end), content.end)
    return { journal: new FileJournal(opened, content), entries, tornBytes }
  }

  /** Bytes of the file. */
  get size(): number {
    return this.#end
  }

  append(entries: readonly Entry[]): Promise<void> {
    const bodies = entries.map((entry) => text.encode(encodeEntry(entry)))
    const done = new Promise<void>((resolve, reject) => {
      this.#pending.push({ bodies, resolve, reject })
    })
    this.#writing ??= this.#drain()
    return done
  }

  /**
   * Replaces the file by one that holds these entries only, at least one, chained to the old head. Either file is
   * whole at any moment.
   */
  async rewrite(entries: readonly Entry[]): Promise<void> {
    if (entries.length === 0) {
      // The number of the batch would be forgotten.
      throw new HoldfastError({ code: 'INVARIANT', sentence: 'a journal holds an entry' })
    }
    await this.#writing
    await this.#guard.run(async () => {
      const bodies = entries.map((entry) => text.encode(encodeEntry(entry)))
      const { data, head } = this.#encode(bodies, this.#batch + 1n)
      const fresh = `${this.#path}.new`
      const file = await this.#files.open(fresh, { fresh: true })
      try {
        await file.write(data, 0)
        await file.sync()
        crashPoint('journal-rewritten')
        await this.#files.rename(fresh, this.#path)
      } catch (error) {
        await file.close()
        throw error
      }
      crashPoint('journal-swapped')
      await this.#files.syncDirectory(dirname(this.#path))
      await this.#file.close()
      this.#file = file
      await this.#durable(data.length, head)
    })
  }

  async close(): Promise<void> {
    await this.#writing
    await this.#file.close()
    await this.#mark.close()
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
    const { data, head } = this.#encode(bodies, this.#batch + 1n)
    await this.#guard.run(async () => {
      try {
        await this.#file.write(data, this.#end)
      } catch (error) {
        await this.#file.truncate(this.#end)
        throw error
      }
      crashPoint('journal-written')
      await this.#file.sync()
      crashPoint('journal-synced')
      await this.#durable(this.#end + data.length, head)
    })
  }

  /** One more batch is durable: the next begins at `end`, and the mark may say so. */
  async #durable(end: number, head: Uint8Array): Promise<void> {
    this.#end = end
    this.#head = head
    this.#batch += 1n
    await this.#mark.write(encodeMark({ batch: this.#batch, head }), 0)
  }

  #encode(
    bodies: readonly Uint8Array[],
    batch: bigint,
  ): { readonly data: Uint8Array; readonly head: Uint8Array } {
    let head = this.#head
    const records = bodies.map((body, i) => {
      const record = encodeRecord({ batch, left: bodies.length - 1 - i, previous: head, body })
      head = chainHash(head, body)
      return record
    })
    return { data: new Uint8Array(Buffer.concat(records)), head }
  }
}

const entryOf = (path: string, body: Uint8Array): Entry => {
  try {
    return decodeEntry(fromText.decode(body))
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw corrupt(path, 0, `an entry cannot be understood: ${reason}`)
  }
}

/** What to do about a journal that contradicts its mark. */
const WAY_OUT = 'put the newest copy back, or remove journal.mark to go on without what is missing'

const setAside = async (
  { files, path, file }: Opened,
  tail: Uint8Array,
  end: number,
): Promise<void> => {
  const aside = await files.open(`${path}.torn-${end}`, { fresh: true })
  await aside.write(tail, 0)
  await aside.sync()
  await aside.close()
  await files.syncDirectory(dirname(path))
  await file.truncate(end)
}

const corrupt = (path: string, offset: number, reason: string): HoldfastError =>
  new HoldfastError({ code: 'STORE_CORRUPT', path, offset: BigInt(offset), reason })
