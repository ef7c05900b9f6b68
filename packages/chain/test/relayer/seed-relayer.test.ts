/** When the relayer posts, and that it goes on after failures. */

import {
  type Hash32,
  type LogFields,
  type Logger,
  type Period,
  period,
  seconds,
  silentLogger,
  timestamp,
  ZERO_HASH,
} from '@holdfast/protocol'
import { describe, expect, test } from '@jest/globals'
import { createMemoryChain } from '../../src/memory/create.ts'
import { randomDrand } from '../../src/relayer/drand.ts'
import { type SeedLedger, SeedRelayer, seedDutyAt } from '../../src/relayer/seed-relayer.ts'
import { localSource } from '../../src/relayer/seed-source.ts'
import { systemClock, systemRandom } from '../../src/system-adapters.ts'

const { network } = createMemoryChain({
  genesis: timestamp(1000n),
  period: seconds(100n),
  seedDelay: seconds(5n),
  randomSeed: new Uint8Array(32),
})

describe('the duty of a moment', () => {
  const at = (now: bigint, posted?: bigint) =>
    seedDutyAt(network, timestamp(now), posted === undefined ? undefined : period(posted))

  test('is to wait for the round of the period, then to post it', () => {
    expect(at(900n)).toEqual({ kind: 'wait', until: 1000n })
    expect(at(1304n)).toEqual({ kind: 'wait', until: 1305n })
    expect(at(1305n)).toEqual({ kind: 'post', period: 3n, round: 306n })
    expect(at(1374n)).toEqual({ kind: 'post', period: 3n, round: 306n })
  })

  test('is to wait for the next period once this one has its seed or is over', () => {
    expect(at(1310n, 3n)).toEqual({ kind: 'wait', until: 1405n })
    expect(at(1375n)).toEqual({ kind: 'wait', until: 1405n })
    expect(at(1405n, 3n)).toEqual({ kind: 'post', period: 4n, round: 406n })
  })
})

/** A ledger of nothing but seeds; posting fails as often as it is told. */
class SeedBook implements SeedLedger {
  readonly network = network
  readonly posted = new Map<Period, Uint8Array>()
  now = timestamp(1005n)
  failures = 0

  async time() {
    return this.now
  }

  async seed(of: Period): Promise<Hash32 | undefined> {
    return this.posted.has(of) ? ZERO_HASH : undefined
  }

  async postSeed(of: Period, point: Uint8Array): Promise<void> {
    if (this.failures > 0) {
      this.failures -= 1
      throw new Error('no luck')
    }
    this.posted.set(of, point)
  }
}

/** Runs a relayer on the book until the condition holds. */
const relayUntil = async (
  book: SeedBook,
  met: () => boolean,
  logger: Logger = silentLogger,
): Promise<void> => {
  const stop = new AbortController()
  const source = localSource(randomDrand(systemRandom))
  const relayer = new SeedRelayer({ ledger: book, source, clock: systemClock, logger, pollMs: 1 })
  const running = relayer.run(stop.signal)
  while (!met()) await new Promise((resolve) => setImmediate(resolve))
  stop.abort()
  await running
}

describe('the relayer', () => {
  test('posts the period that is now, in the form the contract takes', async () => {
    const book = new SeedBook()
    await relayUntil(book, () => book.posted.size === 1)
    expect(book.posted.get(period(0n))).toHaveLength(128)
  })

  test('tries again after failures', async () => {
    const book = new SeedBook()
    book.failures = 3
    await relayUntil(book, () => book.posted.size === 1)
    expect(book.failures).toBe(0)
  })

  test('leaves a seed that is there alone', async () => {
    const book = new SeedBook()
    const theirs = new Uint8Array(1)
    book.posted.set(period(0n), theirs)
    let looks = 0
    await relayUntil(book, () => looks++ > 20)
    expect(book.posted.get(period(0n))).toBe(theirs)
  })

  test('says which periods are void', async () => {
    const book = new SeedBook()
    const errors: LogFields[] = []
    const logger = {
      ...silentLogger,
      error: (_event: string, fields: LogFields = {}) => errors.push(fields),
    }
    await relayUntil(
      book,
      () => {
        if (book.posted.has(period(0n)) && book.now === 1005n) book.now = timestamp(1305n)
        return book.posted.has(period(3n))
      },
      logger as Logger,
    )
    expect(errors).toEqual([{ from: 1n, to: 3n }])
  })
})
