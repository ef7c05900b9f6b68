/** Writes the journal anew from time to time, without what nobody can ask for any more. */
import { type Clock, type Logger, milliseconds, timestamp } from '@holdfast/protocol'
import type { PromiseBook } from './promise-book.ts'

const EVERY_MS = 10 * 60_000

export const keepJournalShort = async (
  book: PromiseBook,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
  signal: AbortSignal,
): Promise<void> => {
  while (!signal.aborted) {
    await clock.sleep(milliseconds(EVERY_MS), { signal })
    const before = book.size
    try {
      const now = timestamp(Math.floor(clock.now() / 1000))
      if (!(await book.compact(now))) continue
      logger.info('journal written anew', { from_bytes: before, size_bytes: book.size })
    } catch (error) {
      logger.error('journal could not be written anew', { reason: String(error) })
    }
  }
}
