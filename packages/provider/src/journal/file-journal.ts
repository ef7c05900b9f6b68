/**
 * The journal in one file, `journal.log`. Opening it replays it; a tail that a crash left unfinished
 * is set aside, anything else that cannot be read refuses to open, because a promise forgotten is
 * worse than a node that does not start.
 *
 * Invariants: one writer at a time; everything appended while a sync runs goes into the next batch;
 * after a failed sync nothing more is accepted.
 */
import { type FileHandle, open, readFile, rename, truncate } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type Bytes, bytes, HoldfastError } from '@holdfast/protocol'
import { WriteGuard } from '../store/disk-errors.ts'
import { syncDirectory, writeDurably } from '../store/volume-files.ts'
import { decodeEntry, type Entry, encodeEntry } from './entries.ts'
import type { Journal } from './journal.ts'
import { chainHash, encodeRecord, type JournalContent, readRecords } from './journal-format.ts'

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

export class FileJournal implements Journal {
  readonly #path: string
  readonly #guard: WriteGuard
  #handle: FileHandle
  #end: number
  #head: Uint8Array
  #batch: bigint
  #pending: Pending[] = []
  #writing: Promise<void> | undefined

  private constructor(path: string, handle: FileHandle, content: Omit<JournalContent, 'bodies'>) {
    this.#path = path
    this.#guard = new WriteGuard(path)
    this.#handle = handle
    this.#end = content.end
    this.#head = content.head
    this.#batch = content.batch
  }

  /** @throws HoldfastError `STORE_CORRUPT` when it is damaged. */
  static async open(directory: string): Promise<OpenedJournal> {
    const path = join(directory, 'journal.log')
    const handle = await open(path, 'a+', 0o600)
    await handle.close()
    await syncDirectory(directory)
    const data = new Uint8Array(await readFile(path))
    const content = readRecords(data)
    if ('reason' in content) throw corrupt(path, content.offset, content.reason)
    const entries = content.bodies.map((body) => entryOf(path, body))
    const tornBytes = bytes(data.length - content.end)
    if (tornBytes > 0n) await setAside(path, data, content.end)
    const journal = new FileJournal(path, await open(path, 'r+'), content)
    return { journal, entries, tornBytes }
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
   * Replaces the file by one that holds these entries only, chained to the old head. Either file is
   * whole at any moment.
   */
  async rewrite(entries: readonly Entry[]): Promise<void> {
    await this.#writing
    await this.#guard.run(async () => {
      const bodies = entries.map((entry) => text.encode(encodeEntry(entry)))
      const { data, head } = this.#encode(bodies, this.#batch + 1n)
      const fresh = `${this.#path}.new`
      const handle = await open(fresh, 'w', 0o600)
      await writeFully(handle, data, 0)
      await handle.sync()
      await rename(fresh, this.#path)
      await syncDirectory(dirname(this.#path))
      await this.#handle.close()
      this.#handle = handle
      this.#end = data.length
      this.#head = head
      this.#batch += 1n
    })
  }

  async close(): Promise<void> {
    await this.#writing
    await this.#handle.close()
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
        await writeFully(this.#handle, data, this.#end)
      } catch (error) {
        await this.#handle.truncate(this.#end)
        throw error
      }
      await this.#handle.datasync()
    })
    this.#end += data.length
    this.#head = head
    this.#batch += 1n
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

const writeFully = async (
  handle: FileHandle,
  data: Uint8Array,
  position: number,
): Promise<void> => {
  let done = 0
  while (done < data.length) {
    const { bytesWritten } = await handle.write(data, done, data.length - done, position + done)
    done += bytesWritten
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

const setAside = async (path: string, data: Uint8Array, end: number): Promise<void> => {
  await writeDurably(`${path}.torn-${end}`, Buffer.from(data.subarray(end)))
  await truncate(path, end)
}

const corrupt = (path: string, offset: number, reason: string): HoldfastError =>
  new HoldfastError({ code: 'STORE_CORRUPT', path, offset: BigInt(offset), reason })
