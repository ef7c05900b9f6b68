/**
 * What a node does about a full disk under its journal: says so, looks every few seconds whether there
 * is room again, and then brings what is in the reserve into the journal.
 */
import { type Clock, type Logger, milliseconds } from '@holdfast/protocol'
import type { PromiseBook } from './promise-book.ts'

const EVERY_MS = 5000

export const keepJournalRoom = async (
  book: PromiseBook,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
  signal: AbortSignal,
): Promise<void> => {
  while (!signal.aborted) {
    const { state, left } = book.room
    if (state === 'ok') {
      await book.nextRecord(signal)
      continue
    }
    logger.error('no room for the journal: uploads are refused, proofs use its reserve', {
      left_bytes: left,
    })
    try {
      do await clock.sleep(milliseconds(EVERY_MS), { signal })
      while (!(await book.makeRoom()))
      logger.info('the journal has room again')
    } catch (error) {
      if (signal.aborted) return
      logger.error('the journal takes nothing more', { reason: String(error) })
      return
    }
  }
}
