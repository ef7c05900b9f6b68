/**
 * Reading a journal when it opens: the file, what its reserve holds, and whether the mark agrees; and
 * setting aside what an unfinished write left at the end.
 */
import { dirname } from 'node:path'
import { HoldfastError, toNumber } from '@holdfast/protocol'
import { isNoRoom, type WriteGuard } from '../store/disk-errors.ts'
import { decodeEntry, type Entry } from './entries.ts'
import { BATCH_BYTES } from './journal-batches.ts'
import type { JournalFile, JournalFiles } from './journal-files.ts'
import { contradiction, decodeMark, MARK_BYTES } from './journal-mark.ts'
import { type JournalContent, type JournalSink, readJournal, readRest } from './journal-reader.ts'
import type { JournalReserve } from './journal-reserve.ts'

/** The files of an open journal. */
export interface OpenFiles {
  readonly files: JournalFiles
  readonly path: string
  readonly file: JournalFile
  readonly mark: JournalFile
  readonly reserve: JournalReserve
  readonly guard: WriteGuard
}

/** What to do about a journal that contradicts its mark. */
const WAY_OUT = 'put the newest copy back, or remove journal.mark to go on without what is missing'

const fromText = new TextDecoder('utf-8', { fatal: true })

/**
 * Reads journal, reserve and mark.
 * @returns where the file ends, and the last batch of all.
 * @throws HoldfastError `STORE_CORRUPT`.
 */
export const readChecked = async (
  { path, file, mark, reserve }: OpenFiles,
  each: (entry: Entry) => void,
): Promise<JournalContent> => {
  const sink = { decode: (body: Uint8Array) => entryOf(path, body), each }
  const content = await readJournal(file, sink)
  if ('reason' in content) throw corrupt(path, content.offset, content.reason)
  const last = await readReserve(reserve, path, content, sink)
  // Bringing the reserve into the file was cut short when the reserve has all that is readable there.
  if (content.later !== undefined && content.later > last.batch) {
    const follows = `unreadable, yet batch ${content.later} follows batch ${content.batch + 1n}`
    throw corrupt(path, content.end, follows)
  }
  const marked = new Uint8Array(MARK_BYTES + 1)
  const length = await mark.read(marked, 0)
  const wrong = contradiction(last, decodeMark(marked.subarray(0, length)))
  if (wrong !== undefined) throw corrupt(path, content.end, `${wrong}; ${WAY_OUT}`)
  return { ...last, end: content.end }
}

const readReserve = async (
  reserve: JournalReserve,
  path: string,
  before: JournalContent,
  sink: JournalSink,
): Promise<JournalContent> => {
  if (reserve.file === undefined) return before
  const content = await readRest(reserve.file, sink, before)
  if ('reason' in content) throw corrupt(path, content.offset, `in its reserve: ${content.reason}`)
  if (content.later !== undefined) {
    const follows = `unreadable, yet batch ${content.later} follows batch ${content.batch + 1n}`
    throw corrupt(path, content.end, `in its reserve: ${follows}`)
  }
  reserve.found(content.begin, content.end)
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

/**
 * Copies what follows `end` to a file of its own, a piece after the other, and cuts it off. Without room
 * for the copy it is only cut off: nobody was told of it, so the copy is for the curious.
 */
export const setAside = async (opened: OpenFiles, end: number): Promise<void> => {
  const { files, path, file } = opened
  const aside = `${path}.torn-${end}`
  try {
    await copyTail(opened, end, aside)
  } catch (error) {
    if (!isNoRoom(error)) throw error
    await files.remove(aside)
  }
  await files.syncDirectory(dirname(path))
  await file.truncate(end)
}

const copyTail = async ({ files, file }: OpenFiles, end: number, path: string): Promise<void> => {
  const aside = await files.open(path, { fresh: true })
  try {
    const piece = new Uint8Array(toNumber(BATCH_BYTES))
    for (let at = 0; ; ) {
      const length = await file.read(piece, end + at)
      if (length === 0) break
      await aside.write(piece.subarray(0, length), at)
      at += length
    }
    await aside.sync()
  } finally {
    await aside.close()
  }
}

const corrupt = (path: string, offset: number, reason: string): HoldfastError =>
  new HoldfastError({ code: 'STORE_CORRUPT', path, offset: BigInt(offset), reason })
