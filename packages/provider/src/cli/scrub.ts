/**
 * `scrub`: reads every stored payload and checks frames, kept layers and roots. The node must not be
 * running; damage is written down, so that the node declares it when it starts.
 */
import { resolve } from 'node:path'
import { createJsonLogger, systemClock, systemRandom } from '@holdfast/chain'
import { HoldfastError, type Root, timestamp } from '@holdfast/protocol'
import { openProver } from '@holdfast/prover'
import { readConfig } from '../config.ts'
import { homePaths, lockHome } from '../home.ts'
import { PromiseBook } from '../journal/promise-book.ts'
import { volumesOf } from '../provider-parts.ts'
import { formatBytes } from '../quantity.ts'
import type { Damage } from '../store/sector-store.ts'
import { VolumeSet } from '../store/volume-set.ts'
import type { CommandResult } from './output.ts'

export interface ScrubFlags {
  readonly home: string
}

interface Scrubbed {
  readonly payloads: number
  readonly bytes: bigint
  readonly damaged: readonly ({ readonly root: Root } & Damage)[]
}

export const scrub = async (flags: ScrubFlags): Promise<CommandResult> => {
  const paths = homePaths(resolve(flags.home))
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
      { provider, diskMargin, volumes, indexes: paths.indexes },
    )
    const scrubbed = await scrubStore(store, book)
    await store.close()
    await book.close()
    return resultOf(scrubbed)
  } finally {
    await prover.close()
    await lock.release()
  }
}

const scrubStore = async (store: VolumeSet, book: PromiseBook): Promise<Scrubbed> => {
  const damaged: ({ readonly root: Root } & Damage)[] = []
  let payloads = 0
  let bytes = 0n
  for (const { commitment } of [...store.stored()]) {
    const damage = await store.verify(commitment.root)
    payloads++
    bytes += commitment.length
    if (damage === undefined) continue
    damaged.push({ root: commitment.root, ...damage })
    if (book.promises.damages.has(commitment.root)) continue
    await book.record({ kind: 'damage-found', root: commitment.root, ...damage })
  }
  return { payloads, bytes, damaged }
}

/** Damage is a failed verification: the command says so by its exit code too. */
const resultOf = ({ payloads, bytes, damaged }: Scrubbed): CommandResult => {
  const [first] = damaged
  if (first !== undefined) {
    const { root, leaf } = first
    const what = `${first.what}; ${damaged.length} of ${payloads} payloads are damaged`
    throw new HoldfastError({ code: 'PAYLOAD_CORRUPT', root, leaf, what })
  }
  return {
    json: { payloads, bytes, damaged },
    lines: [`${payloads} payloads, ${formatBytes(bytes)}: all whole`],
  }
}
