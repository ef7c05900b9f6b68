/**
 * Writes a CAR index from blocks in any order, in bounded memory: entries are sorted in runs of 6 MiB,
 * the runs merged into pages. Synchronous file access: it runs on a thread of its own.
 *
 * Invariants: the file has its name only when it is whole and was read back page by page; of equal keys
 * the first block stays.
 */
import { closeSync, fsyncSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs'
import type { Checksum } from '@holdfast/prover'
import { KEY_BYTES } from './cids.ts'
import {
  ENTRIES_PER_PAGE,
  ENTRY_BYTES,
  encodeIndexHeader,
  type IndexHeader,
  isPageWhole,
  PAGE_BYTES,
  sealPage,
} from './index-format.ts'

const RUN_ENTRIES: number = 2 ** 18
const READ_ENTRIES = 2048

export class IndexWriter {
  readonly #path: string
  readonly #checksum: Checksum
  readonly #run: Buffer = Buffer.allocUnsafeSlow(RUN_ENTRIES * ENTRY_BYTES)
  readonly #runs: { readonly offset: number; readonly entries: number }[] = []
  readonly #scratch: number
  #filled = 0
  #scratchEnd = 0

  /** `path` is the final name; two more names beside it are used meanwhile. */
  constructor(path: string, checksum: Checksum) {
    this.#path = path
    this.#checksum = checksum
    this.#scratch = openSync(`${path}.runs`, 'w+', 0o600)
  }

  /** Entries so far, equal keys included. */
  get entries(): number {
    return this.#runs.reduce((sum, { entries }) => sum + entries, 0) + this.#filled
  }

  add(key: Uint8Array, offset: number): void {
    const at = this.#filled * ENTRY_BYTES
    this.#run.set(key, at)
    this.#run.writeBigUInt64LE(BigInt(offset), at + KEY_BYTES)
    this.#filled++
    if (this.#filled === RUN_ENTRIES) this.#flush()
  }

  /** Writes the table, checks it, and gives it its name. Returns the number of entries. */
  finish(header: Omit<IndexHeader, 'entries'>): number {
    this.#flush()
    const draft = `${this.#path}.new`
    const fd = openSync(draft, 'w+', 0o600)
    try {
      const entries = this.#merge(fd)
      writeSync(fd, encodeIndexHeader({ ...header, entries }, this.#checksum), 0, PAGE_BYTES, 0)
      fsyncSync(fd)
      this.#verify(fd, entries)
      renameSync(draft, this.#path)
      return entries
    } finally {
      closeSync(fd)
      this.abandon()
    }
  }

  /** Leaves nothing behind but what was finished. */
  abandon(): void {
    rmSync(`${this.#path}.new`, { force: true })
    rmSync(`${this.#path}.runs`, { force: true })
    try {
      closeSync(this.#scratch)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EBADF') throw error
    }
  }

  #flush(): void {
    if (this.#filled === 0) return
    const entries = this.#filled
    const order = Uint32Array.from({ length: entries }, (_, i) => i * ENTRY_BYTES)
    const run = this.#run
    order.sort((a, b) => run.compare(run, b, b + ENTRY_BYTES, a, a + ENTRY_BYTES))
    const sorted = Buffer.allocUnsafeSlow(entries * ENTRY_BYTES)
    order.forEach((from, i) => {
      run.copy(sorted, i * ENTRY_BYTES, from, from + ENTRY_BYTES)
    })
    writeSync(this.#scratch, sorted, 0, sorted.length, this.#scratchEnd)
    this.#runs.push({ offset: this.#scratchEnd, entries })
    this.#scratchEnd += sorted.length
    this.#filled = 0
  }

  #merge(fd: number): number {
    const page = Buffer.alloc(PAGE_BYTES)
    let [inPage, entries, pages] = [0, 0, 1]
    const writePage = (): void => {
      if (inPage === 0) return
      page.fill(0, inPage * ENTRY_BYTES)
      sealPage(page, this.#checksum)
      writeSync(fd, page, 0, PAGE_BYTES, pages * PAGE_BYTES)
      pages++
      inPage = 0
    }
    let before: Buffer | undefined
    for (const entry of mergeRuns(this.#runs.map((run) => readRun(this.#scratch, run)))) {
      if (before?.equals(entry.subarray(0, KEY_BYTES))) continue
      before = Buffer.from(entry.subarray(0, KEY_BYTES))
      entry.copy(page, inPage * ENTRY_BYTES)
      inPage++
      entries++
      if (inPage === ENTRIES_PER_PAGE) writePage()
    }
    writePage()
    return entries
  }

  #verify(fd: number, entries: number): void {
    const page = Buffer.alloc(PAGE_BYTES)
    for (let i = 0; i <= Math.ceil(entries / ENTRIES_PER_PAGE); i++) {
      readSync(fd, page, 0, PAGE_BYTES, i * PAGE_BYTES)
      if (!isPageWhole(page, this.#checksum)) throw new Error(`page ${i} of the index is damaged`)
    }
  }
}

/** The entries of one run, a part at a time. */
function* readRun(
  fd: number,
  { offset, entries }: { readonly offset: number; readonly entries: number },
): Generator<Buffer> {
  const part = Buffer.allocUnsafeSlow(READ_ENTRIES * ENTRY_BYTES)
  for (let done = 0; done < entries; done += READ_ENTRIES) {
    const count = Math.min(READ_ENTRIES, entries - done)
    readSync(fd, part, 0, count * ENTRY_BYTES, offset + done * ENTRY_BYTES)
    for (let i = 0; i < count; i++) yield part.subarray(i * ENTRY_BYTES, (i + 1) * ENTRY_BYTES)
  }
}

/** All entries of sorted runs, sorted; at most 32 runs, so the smallest is found by looking at each. */
function* mergeRuns(runs: readonly Generator<Buffer>[]): Generator<Buffer> {
  const heads = runs.map((run) => ({ run, next: run.next() })).filter(({ next }) => !next.done)
  while (heads.length > 0) {
    let least = heads[0]
    for (const head of heads) {
      if (least && Buffer.compare(head.next.value, least.next.value) < 0) least = head
    }
    if (least === undefined) return
    yield least.next.value
    least.next = least.run.next()
    if (least.next.done) heads.splice(heads.indexOf(least), 1)
  }
}
