/**
 * The journal in one file, `journal.log`. Opening it replays it; a tail that a crash left unfinished
 * is set aside, anything else that cannot be read refuses to open, because a promise forgotten is
 * worse than a node that does not start. `journal.mark` says how far it was synced (`journal-mark.ts`).
 *
 * Invariants: one writer at a time; everything appended while a sync runs goes into the next batch;
 * after a failed sync nothing more is accepted. Reading and rewriting hold a few MiB of it at a time,
 * however long it is.
 */
import { dirname, join } from 'node:path'
import { type Bytes, bytes, HoldfastError, toNumber } from '@holdfast/protocol'
import { crashPoint } from '../store/crash-points.ts'
import { WriteGuard } from '../store/disk-errors.ts'
import { checkpointOf } from './checkpoint.ts'
import { decodeEntry, type Entry, encodeEntry } from './entries.ts'
import type { Journal } from './journal.ts'
import { type JournalFile, type JournalFiles, realFiles } from './journal-files.ts'
import { chainHash, encodeRecord } from './journal-format.ts'
import { contradiction, decodeMark, encodeMark, MARK_BYTES } from './journal-mark.ts'
import { type JournalContent, readJournal } from './journal-reader.ts'

const text = new TextEncoder()
const fromText = new TextDecoder('utf-8', { fatal: true })

interface Pending {
  readonly bodies: readonly Uint8Array[]
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** Bytes of a batch of a checkpoint, and of a piece that is copied. */
const BATCH_BYTES = bytes(2 ** 18)

/** What opening a journal gives, besides the entries. */
export interface OpenedJournal {
  readonly journal: FileJournal
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

  private constructor({ files, path, file, mark }: Opened, content: JournalContent) {
    this.#files = files
    this.#path = path
    this.#guard = new WriteGuard(path)
    this.#file = file
    this.#mark = mark
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
    files: JournalFiles = realFiles,
  ): Promise<OpenedJournal> {
    const path = join(directory, 'journal.log')
    const opened = {
      ...{ files, path, file: await files.open(path), mark: await files.open(markOf(path)) },
    }
    try {
      const content = await readChecked(opened, each)
      // A rewriting that was cut short: its room is given back.
      await files.remove(freshOf(path))
      await files.syncDirectory(directory)
      const tornBytes = bytes((await opened.file.size()) - content.end)
      if (tornBytes > 0n) await setAside(opened, content.end)
      return { journal: new FileJournal(opened, content), tornBytes }
    } catch (error) {
      await Promise.all([opened.file.close(), opened.mark.close()])
      throw error
    }
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
   * Replaces the file by one that begins with a checkpoint of these entries, chained to the old head.
   * Either file is whole at any moment; what is appended meanwhile comes after it.
   * @param batchBytes about so many bytes of entries are held at a time.
   * @throws HoldfastError `DISK_FULL` (then the old file goes on), `STORE_READ_ONLY`.
   */
  async rewrite(entries: Iterable<Entry>, batchBytes: Bytes = BATCH_BYTES): Promise<void> {
    while (this.#writing !== undefined) await this.#writing
    const rewriting = this.#guard.run(() => this.#replace(entries, batchBytes))
    this.#writing = rewriting.catch(() => undefined).then(() => this.#drain())
    await rewriting
  }

  async #replace(entries: Iterable<Entry>, batchBytes: Bytes): Promise<void> {
    const fresh = freshOf(this.#path)
    const file = await this.#files.open(fresh, { fresh: true })
    let last: JournalContent
    try {
      last = await this.#copyTo(file, entries, batchBytes)
      await file.sync()
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
    await this.#durable(last)
  }

  /** Writes a checkpoint, a batch after the other. */
  async #copyTo(
    file: JournalFile,
    entries: Iterable<Entry>,
    batchBytes: Bytes,
  ): Promise<JournalContent> {
    let last: JournalContent = { end: 0, head: this.#head, batch: this.#batch }
    for (const bodies of batchesOf(checkpointOf(last, entries), batchBytes)) {
      const { data, head } = encoded(bodies, last)
      await file.write(data, last.end)
      last = { end: last.end + data.length, head, batch: last.batch + 1n }
      crashPoint('journal-copied')
    }
    return last
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
    const { data, head } = encoded(bodies, { head: this.#head, batch: this.#batch })
    await this.#guard.run(async () => {
      try {
        await this.#file.write(data, this.#end)
      } catch (error) {
        await this.#file.truncate(this.#end)
        throw error
      }
      crashPoint('journal-written')
      await this.#guard.sync(() => this.#file.sync())
      crashPoint('journal-synced')
      await this.#durable({ end: this.#end + data.length, head, batch: this.#batch + 1n })
    })
  }

  /** Everything up to there is durable, and the mark may say so. */
  async #durable({ end, head, batch }: JournalContent): Promise<void> {
    this.#end = end
    this.#head = head
    this.#batch = batch
    await this.#mark.write(encodeMark({ batch, head }), 0)
  }
}

const freshOf = (path: string): string => `${path}.new`

/** Bodies as the batch that follows `last`. */
const encoded = (
  bodies: readonly Uint8Array[],
  last: Pick<JournalContent, 'head' | 'batch'>,
): { readonly data: Uint8Array; readonly head: Uint8Array } => {
  let { head } = last
  const batch = last.batch + 1n
  const records = bodies.map((body, i) => {
    const record = encodeRecord({ batch, left: bodies.length - 1 - i, previous: head, body })
    head = chainHash(head, body)
    return record
  })
  return { data: new Uint8Array(Buffer.concat(records)), head }
}

function* batchesOf(entries: Iterable<Entry>, batchBytes: Bytes): Iterable<readonly Uint8Array[]> {
  let bodies: Uint8Array[] = []
  let size = 0
  for (const entry of entries) {
    const body = text.encode(encodeEntry(entry))
    bodies.push(body)
    size += body.length
    if (BigInt(size) < batchBytes) continue
    yield bodies
    bodies = []
    size = 0
  }
  if (bodies.length > 0) yield bodies
}

/** Reads journal and mark. @throws HoldfastError `STORE_CORRUPT`. */
const readChecked = async (
  { path, file, mark }: Opened,
  each: (entry: Entry) => void,
): Promise<JournalContent> => {
  const content = await readJournal(file, { decode: (body) => entryOf(path, body), each })
  if ('reason' in content) throw corrupt(path, content.offset, content.reason)
  const marked = new Uint8Array(MARK_BYTES + 1)
  const length = await mark.read(marked, 0)
  const wrong = contradiction(content, decodeMark(marked.subarray(0, length)))
  if (wrong !== undefined) throw corrupt(path, content.end, `${wrong}; ${WAY_OUT}`)
  return content
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

/** Copies what follows `end` to a file of its own, a piece after the other, and cuts it off. */
const setAside = async ({ files, path, file }: Opened, end: number): Promise<void> => {
  const aside = await files.open(`${path}.torn-${end}`, { fresh: true })
  const piece = new Uint8Array(toNumber(BATCH_BYTES))
  for (let at = 0; ; ) {
    const length = await file.read(piece, end + at)
    if (length === 0) break
    await aside.write(piece.subarray(0, length), at)
    at += length
  }
  await aside.sync()
  await aside.close()
  await files.syncDirectory(dirname(path))
  await file.truncate(end)
}

const corrupt = (path: string, offset: number, reason: string): HoldfastError =>
  new HoldfastError({ code: 'STORE_CORRUPT', path, offset: BigInt(offset), reason })
