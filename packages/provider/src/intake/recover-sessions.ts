/**
 * Makes store and journal agree after a restart: a place that belongs to no open upload is given back;
 * an upload whose place is gone gets another one or, when bytes of it were durable, ends; a payload with
 * a receipt whose record lost its trailer, which looks like an upload, is sealed again from its bytes.
 */
import { type Commitment, HoldfastError, type Logger, type Root } from '@holdfast/protocol'
import type { PromiseBook } from '../journal/promise-book.ts'
import type { SessionPromise } from '../journal/promises.ts'
import type { SectorStore } from '../store/sector-store.ts'

export interface RecoverDependencies {
  readonly store: SectorStore
  readonly book: PromiseBook
  readonly logger: Logger
}

/** @param sessions those that may still receive bytes. */
export const recoverSessions = async (
  dependencies: RecoverDependencies,
  sessions: readonly SessionPromise[],
): Promise<void> => {
  const { store, logger } = dependencies
  const open = new Map(sessions.map((session) => [session.session, session]))
  for (const name of store.staged().keys()) {
    if (open.has(name) || (await sealAgain(dependencies, name))) continue
    await store.discard(name)
  }
  for (const [id, session] of open) {
    const { voucher } = session.request
    if (store.staged().has(id) || mayBeStored(store, voucher.root)) continue
    if (session.durable.length === 0 && (await reservedAgain(dependencies, id, voucher))) continue
    logger.warn('upload session lost: its place is missing', { session: id })
    await noteLost(dependencies, id)
  }
}

/** Without room for it in the journal the next start says it again: nobody can send to it anyway. */
const noteLost = async ({ book, logger }: RecoverDependencies, session: string): Promise<void> => {
  try {
    await book.record({ kind: 'session-ended', session, end: 'lost' })
  } catch (error) {
    if (!HoldfastError.is(error, 'DISK_FULL')) throw error
    logger.warn('no room to end an upload session', { session })
  }
}

/** A place of which nothing was durable may be gone after power loss: the upload gets another one. */
const reservedAgain = async (
  { store, logger }: RecoverDependencies,
  id: string,
  commitment: Commitment,
): Promise<boolean> => {
  try {
    await store.reserve(id, commitment)
    return true
  } catch (error) {
    logger.warn('no new place for an upload session', { session: id, reason: String(error) })
    return false
  }
}

/** Whether the store has a payload, or cannot say because a volume is away. */
const mayBeStored = (store: SectorStore, root: Root): boolean => {
  try {
    return store.find(root) !== undefined
  } catch (error) {
    if (HoldfastError.is(error, 'VOLUME_UNAVAILABLE')) return true
    throw error
  }
}

const sealAgain = async (
  { store, book, logger }: RecoverDependencies,
  name: string,
): Promise<boolean> => {
  const given = book.promises.sessions.get(name)?.receipt?.receipt
  if (given === undefined || mayBeStored(store, given.root)) return false
  try {
    await store.seal(name, given.storedAt)
    logger.warn('payload had lost its trailer: sealed again', { root: given.root })
    return true
  } catch (error) {
    logger.error('payload has lost its trailer', { root: given.root, reason: String(error) })
    return false
  }
}
