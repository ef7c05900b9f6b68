/**
 * Reads a journal from its beginning through a window that slides over the file, however long that is.
 * Entries are handed on when their batch is whole: those of an unfinished one never.
 *
 * What it holds: the window, and the entries of one batch. A journal written anew begins with a
 * checkpoint of many batches (`checkpoint.ts`); one whose checkpoint is not whole is damaged, because
 * it took the place of another only after it was synced.
 */
import { CheckpointCheck } from './checkpoint.ts'
import type { Entry } from './entries.ts'
import type { JournalFile } from './journal-files.ts'
import {
  beginsRecord,
  CHAIN_START,
  chainHash,
  type JournalRecord,
  RECORD_BYTES_MAX,
  recordAt,
} from './journal-format.ts'

/** At least twice a record, so that it seldom moves. */
const WINDOW_BYTES = 4 * 2 ** 20

/** What a journal's bytes say. */
export interface JournalContent {
  /** Where the last whole batch ends. */
  readonly end: number
  readonly head: Uint8Array
  readonly batch: bigint
  /** The highest batch that is readable behind unreadable bytes. */
  readonly later?: bigint | undefined
}

/** The same of a file that continues another one. */
export interface JournalRest extends JournalContent {
  /** Where what the other one does not have begins. */
  readonly begin: number
}

/** Where a journal is damaged in a way that no crash explains. */
export interface JournalDamage {
  readonly offset: number
  readonly reason: string
}

/** What is done with what is read. */
export interface JournalSink {
  /** Understands a record's body, whose bytes are only there now. @throws when it cannot. */
  readonly decode: (body: Uint8Array) => Entry
  /** Entries of whole batches, in order. */
  readonly each: (entry: Entry) => void
}

/** A part of a file that is in memory, and moves. */
class Window {
  readonly size: number
  readonly #file: JournalFile
  readonly #buffer: Uint8Array
  #base = 0
  #view: Uint8Array = new Uint8Array(0)

  constructor(file: JournalFile, size: number) {
    this.#file = file
    this.size = size
    this.#buffer = new Uint8Array(Math.min(size, WINDOW_BYTES))
  }

  /** The byte at a place that `see` made visible. */
  byte(offset: number): number | undefined {
    return this.#view[offset - this.#base]
  }

  /** Makes a whole record at `offset` visible, if there is one. Undefined when it is already. */
  see(offset: number): Promise<void> | undefined {
    const end = Math.min(this.size, offset + RECORD_BYTES_MAX)
    const isSeen = offset >= this.#base && end <= this.#base + this.#view.length
    return isSeen ? undefined : this.#move(offset)
  }

  /** The record at a place that `see` made visible, and where the next begins. */
  record(offset: number): { readonly record: JournalRecord; readonly end: number } | undefined {
    const found = recordAt(this.#view, offset - this.#base)
    return found === undefined ? undefined : { ...found, end: found.end + this.#base }
  }

  async #move(offset: number): Promise<void> {
    const length = await this.#file.read(this.#buffer, offset)
    this.#base = offset
    this.#view = this.#buffer.subarray(0, length)
  }
}

/** The last whole batch, and what follows it. */
class Reading {
  whole: JournalContent
  offset = 0
  /** Where the first record lies that counts. */
  begin = 0
  readonly #sink: JournalSink
  readonly #isRest: boolean
  readonly #checkpoint = new CheckpointCheck()
  #head: Uint8Array | undefined
  #open: { readonly batch: bigint; readonly left: number } | undefined
  #entries: Entry[] = []

  /** @param after the last batch of another file, when this one only continues it. */
  constructor(sink: JournalSink, after: JournalContent | undefined) {
    this.#sink = sink
    this.#isRest = after !== undefined
    this.#head = after?.head
    this.whole = { head: CHAIN_START, batch: 0n, ...after, end: 0 }
  }

  /** The batch that is not whole, or would be next. */
  get torn(): bigint {
    return this.#open?.batch ?? this.whole.batch + 1n
  }

  /** Why a whole file cannot end here; undefined when it can. */
  get lacks(): string | undefined {
    return this.#checkpoint.lacks
  }

  /** Whether a record at the beginning is in the file before as well. */
  #isKnown({ batch }: JournalRecord): boolean {
    const isFirst = this.whole.end === 0 && this.#open === undefined
    return this.#isRest && isFirst && batch <= this.whole.batch
  }

  /** Whether a record that cannot follow is merely older than what was written over it. */
  isOld({ batch }: JournalRecord): boolean {
    return this.#isRest && batch <= this.torn
  }

  /** @returns why this record cannot follow. */
  take(record: JournalRecord, end: number): string | undefined {
    if (this.#isKnown(record)) {
      this.offset = end
      this.begin = end
      return undefined
    }
    if (this.#head !== undefined && !sameBytes(record.previous, this.#head)) {
      return 'the chain of hashes is broken'
    }
    if (!continues(record, this.#open, this.whole.batch)) return 'a batch is out of order'
    const entry = this.#sink.decode(record.body)
    const wrong = this.#checkpoint.take(entry, record, this.offset === 0 && !this.#isRest)
    if (wrong !== undefined) return wrong
    this.#entries.push(entry)
    this.#head = chainHash(record.previous, record.body)
    this.#open = record.left === 0 ? undefined : { batch: record.batch, left: record.left }
    this.offset = end
    if (this.#open === undefined) {
      this.whole = { end, head: this.#head, batch: record.batch }
      for (const known of this.#entries) this.#sink.each(known)
      this.#entries = []
    }
    return undefined
  }
}

/** Reads a journal. Records of a batch that is not whole do not count. */
export const readJournal = async (
  file: JournalFile,
  sink: JournalSink,
): Promise<JournalContent | JournalDamage> => read(file, new Reading(sink, undefined))

/**
 * Reads a file that continues another one and is written over again and again: what the other one has as
 * well may lie before what counts; what is older, or was never finished, behind it.
 * @param after where the other one ends.
 */
export const readRest = async (
  file: JournalFile,
  sink: JournalSink,
  after: JournalContent,
): Promise<JournalRest | JournalDamage> => {
  const reading = new Reading(sink, after)
  const content = await read(file, reading)
  if ('reason' in content) return content
  const isEmpty = content.batch === after.batch
  return { ...content, ...(isEmpty ? { begin: 0, end: 0 } : { begin: reading.begin }) }
}

const read = async (
  file: JournalFile,
  reading: Reading,
): Promise<JournalContent | JournalDamage> => {
  const window = new Window(file, await file.size())
  for (;;) {
    // Most records are seen already: waiting for nothing would cost more than reading them.
    const moving = window.see(reading.offset)
    if (moving !== undefined) await moving
    const next = window.record(reading.offset)
    if (next === undefined) break
    const wrong = reading.take(next.record, next.end)
    if (wrong === undefined) continue
    if (reading.isOld(next.record)) break
    return { offset: reading.offset, reason: wrong }
  }
  const { offset, torn, lacks } = reading
  if (lacks !== undefined) return { offset, reason: lacks }
  return { ...reading.whole, later: await laterBatch(window, offset, torn) }
}

const continues = (
  record: JournalRecord,
  open: { readonly batch: bigint; readonly left: number } | undefined,
  lastBatch: bigint,
): boolean =>
  open === undefined
    ? lastBatch === 0n || record.batch === lastBatch + 1n
    : record.batch === open.batch && record.left === open.left - 1

/** The highest batch after `torn` that is readable somewhere behind `from`. */
const laterBatch = async (
  window: Window,
  from: number,
  torn: bigint,
): Promise<bigint | undefined> => {
  let highest = torn
  for (let offset = from; offset < window.size; offset++) {
    const moving = window.see(offset)
    if (moving !== undefined) await moving
    if (!beginsRecord(window.byte(offset))) continue
    const found = window.record(offset)
    if (found !== undefined && found.record.batch > highest) highest = found.record.batch
  }
  return highest === torn ? undefined : highest
}

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, i) => byte === b[i])
