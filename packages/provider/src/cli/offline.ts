/**
 * A home opened by a command while no node runs: its lock, its promises, its volumes. Everything is
 * closed again when the work is done.
 */
import { resolve } from 'node:path'
import { createJsonLogger, systemClock, systemRandom } from '@holdfast/chain'
import { type Logger, timestamp } from '@holdfast/protocol'
import { openProver } from '@holdfast/prover'
import { readConfig } from '../config.ts'
import { Holdings } from '../holdings.ts'
import { type HomePaths, homePaths, lockHome } from '../home.ts'
import { PromiseBook } from '../journal/promise-book.ts'
import { volumesOf } from '../provider-policy.ts'
import { VolumeSet } from '../store/volume-set.ts'

export interface OfflineHome {
  readonly paths: HomePaths
  readonly store: VolumeSet
  readonly book: PromiseBook
  readonly holdings: Holdings
  readonly logger: Logger
}

/** @throws HoldfastError `HOME_IN_USE` while a node runs, and what opening the parts throws. */
export const withOfflineHome = async <T>(
  home: string,
  use: (home: OfflineHome) => Promise<T>,
  { rebuild }: { readonly rebuild?: 'index' | 'deep' } = {},
): Promise<T> => {
  const paths = homePaths(resolve(home))
  const config = await readConfig(paths.config)
  const logger = createJsonLogger(process.stderr, { level: 'warn' })
  const lock = await lockHome(paths)
  const prover = await openProver({ logger })
  try {
    const now = timestamp(Math.floor(systemClock.now() / 1000))
    const book = await PromiseBook.open(paths.journal, now, logger)
    const { provider, diskMargin } = config
    const volumes = volumesOf(config, paths)
    const store = await VolumeSet.open(
      { prover, random: systemRandom, logger, clock: systemClock },
      {
        ...{ provider, diskMargin, volumes, indexes: paths.indexes },
        ...(rebuild === undefined ? {} : { rebuild }),
      },
    )
    const quiet = { dealsOf: () => [], onDamage: () => undefined }
    const holdings = new Holdings({ store, book, logger, ...quiet })
    try {
      return await use({ paths, store, book, holdings, logger })
    } finally {
      await store.close()
      await book.close()
    }
  } finally {
    await prover.close()
    await lock.release()
  }
}
