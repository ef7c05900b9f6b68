/**
 * Durable ingest of blocks beside LevelDB that holds them as values: as many of ours under way at
 * once as of theirs, every one durable when it is acknowledged, on both sides. Ours are checked
 * against their roots on the way, theirs are taken as they come. The tuned form has a write buffer of
 * 64 MiB and files of 256 MiB. LevelDB goes on compacting when the last block is acknowledged: it is
 * closed before ours begin, or they would be measured under its work, and it without some of it.
 */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Prover } from '@holdfast/prover'
import { mustEqual } from '../data.ts'
import type { BenchCase, Contestant } from '../harness.ts'
import { type Peer, PeerList } from '../peers.ts'
import { inLanes, MIB, type Payload, payloadsOf, Stores, storeSmall } from './stores.ts'

/** As the baseline was measured: LevelDB gets slower the more it holds. */
const TOTAL = 1024 * MIB
/** Blocks under way at once. */
const AT_ONCE = 64
const ROUNDS = 5

interface LevelLike {
  open(): Promise<void>
  close(): Promise<void>
  put(key: string, value: Uint8Array, options: { readonly sync: boolean }): Promise<void>
}
/** Levels that are to be closed in the end. */
const opened = new Set<LevelLike>()

const closeLevels = async (): Promise<void> => {
  for (const level of opened) await level.close()
  opened.clear()
}

type LevelClass = new (path: string, options: object) => LevelLike

const TUNED = { writeBufferSize: 64 * MIB, maxFileSize: 256 * MIB }

const levelContestant = (
  { name, module }: Peer,
  path: string,
  blocks: readonly Payload[],
  tuned: boolean,
): Contestant => {
  const Level = module['ClassicLevel'] as LevelClass
  let level: LevelLike | undefined
  return {
    name: `${name}, blocks as values, sync${tuned ? ', tuned' : ''}`,
    work: TOTAL,
    before: async () => {
      await closeLevels()
      rmSync(path, { recursive: true, force: true })
      level = new Level(path, { valueEncoding: 'view', ...(tuned ? TUNED : {}) })
      await level.open()
      opened.add(level)
    },
    run: async () => {
      await inLanes(AT_ONCE, blocks, async ({ data, commitment }) =>
        level?.put(commitment.root, data, { sync: true }),
      )
      return blocks.length
    },
  }
}

/** Ours and LevelDB's two forms for blocks of one size. */
export async function* durableCases(folder: string, prover: Prover): AsyncGenerator<BenchCase> {
  const peers = new PeerList()
  const classic = await peers.load('classic-level')
  const stores = new Stores(folder, prover)
  // What must hold was asked for blocks of 1 MiB; the smaller ones are shown.
  for (const [size, label, goals] of [
    [MIB, '1 MiB', true],
    [MIB / 4, '256 KiB', false],
  ] as const) {
    const blocks = await payloadsOf(prover, { total: TOTAL, size })
    for (const tuned of [false, true]) {
      const path = join(folder, `level-${size}-${tuned}`)
      yield {
        name: `durable ingest, blocks of ${label} : LevelDB${tuned ? ', tuned' : ''}`,
        unit: 'MB/s',
        better: 'more',
        clock: 'wall',
        scale: 1e-6,
        ours: {
          name: 'holdfast',
          work: TOTAL,
          before: async () => {
            await closeLevels()
            await stores.fresh()
          },
          run: async () => {
            await inLanes(AT_ONCE, blocks, (block, number) =>
              storeSmall(stores.current, `b${number}`, block),
            )
            return [...stores.current.stored()].length
          },
        },
        peers: classic === undefined ? [] : [levelContestant(classic, path, blocks, tuned)],
        absent: peers.absent,
        check: (result, { name }) => mustEqual(result, blocks.length, name),
        rounds: ROUNDS,
        ...(goals ? { goal: { of: 'ratio', bound: tuned ? 4 : 8 } } : {}),
      }
    }
  }
  await closeLevels()
  await stores.close()
}
