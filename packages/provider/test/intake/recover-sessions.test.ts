/**
 * After power loss an upload's place may be missing. When nothing of it was called durable it gets
 * another one and goes on; when something was, it ends, and the client is told.
 */
import {
  bytes,
  type Commitment,
  HoldfastError,
  type Logger,
  silentLogger,
} from '@holdfast/protocol'
import { expect, test } from '@jest/globals'
import { recoverSessions } from '../../src/intake/recover-sessions.ts'
import type { SessionPromise } from '../../src/journal/promises.ts'
import { commitmentOf, payloadOf } from '../support/payloads.ts'

const COMMITMENT = commitmentOf(payloadOf(5_000, 1))

const sessionWith = (durable: SessionPromise['durable']): SessionPromise =>
  ({ session: 's', request: { voucher: COMMITMENT }, durable }) as unknown as SessionPromise

/** What recovery did to a store without places and to the journal. */
const recovered = async (
  durable: SessionPromise['durable'],
  full = false,
): Promise<readonly unknown[]> => {
  const done: unknown[] = []
  const store = {
    staged: () => new Map<string, Commitment>(),
    find: () => undefined,
    reserve: async (name: string, { root }: Commitment) => {
      if (full) throw new HoldfastError({ code: 'DISK_FULL', needed: 1n, available: 0n })
      done.push(['reserve', name, root])
    },
  }
  const book = { record: async (entry: unknown) => done.push(entry) }
  const logger: Logger = silentLogger
  await recoverSessions({ store, book, logger } as never, [sessionWith(durable)])
  return done
}

const LOST = { kind: 'session-ended', session: 's', end: 'lost' }

test('an upload whose place is gone, and of which nothing was durable, gets another place', async () => {
  expect(await recovered([])).toEqual([['reserve', 's', COMMITMENT.root]])
})

test('an upload whose durable bytes are gone ends, and so does one for which there is no room', async () => {
  expect(await recovered([{ start: bytes(0), end: bytes(10) }])).toEqual([LOST])
  expect(await recovered([], true)).toEqual([LOST])
})
