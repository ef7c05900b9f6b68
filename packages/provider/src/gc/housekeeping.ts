/**
 * What keeps the store in order while the node runs: collection, scrubbing, and the volumes an
 * operator adds and takes away.
 */
import {
  type Bytes,
  bytes,
  type Clock,
  HoldfastError,
  type Logger,
  type Root,
  seconds,
} from '@holdfast/protocol'
import type { AdminInput, AdminRegistry } from '../admin/registry.ts'
import type { Performer } from '../duties/performer.ts'
import type { Follower } from '../follow/follower.ts'
import type { Holdings } from '../holdings.ts'
import type { HomePaths } from '../home.ts'
import type { PromiseBook } from '../journal/promise-book.ts'
import { Scrubber } from '../scrub/scrubber.ts'
import { VolumeOperations } from '../store/volume-operations.ts'
import type { VolumeSet } from '../store/volume-set.ts'
import type { TaskGroup } from '../task-group.ts'
import { Collector } from './collector.ts'

export interface HousekeepingDependencies {
  readonly store: VolumeSet
  readonly holdings: Holdings
  readonly book: PromiseBook
  readonly follower: Follower
  readonly performer: Pick<Performer, 'duties'>
  /** Told of every payload that was removed, after it is gone. */
  readonly onRemoved: (root: Root) => Promise<void>
  readonly paths: HomePaths
  readonly clock: Clock
  readonly logger: Logger
}

export interface HousekeepingOptions {
  /** Days that a payload nobody claims stays. Default 7. */
  readonly trashDays?: number | undefined
  /** Days in which everything stored is read once. Default 14. */
  readonly scrubDays?: number | undefined
}

const DAY = 86_400
/** What scrubbing waits for. */
const PROOFS: ReadonlySet<string> = new Set(['prove', 'answer-audit', 'answer-dispute'])
const TRASH_DAYS = 7
const SCRUB_DAYS = 14

export class Housekeeping {
  readonly collector: Collector
  readonly scrubber: Scrubber
  readonly volumes: VolumeOperations

  constructor(dependencies: HousekeepingDependencies, options: HousekeepingOptions) {
    const { store, performer } = dependencies
    const { trashDays = TRASH_DAYS, scrubDays = SCRUB_DAYS } = options
    this.collector = new Collector(dependencies, { trashTime: seconds(trashDays * DAY) })
    const isProving = (): boolean => performer.duties().some(({ kind }) => PROOFS.has(kind))
    this.scrubber = new Scrubber(
      { ...dependencies, isProving },
      { passTime: seconds(scrubDays * DAY) },
    )
    this.volumes = new VolumeOperations({ ...dependencies, set: store })
  }

  start(tasks: TaskGroup): void {
    tasks.run('collect', (signal) => this.collector.run(signal))
    tasks.run('scrub', (signal) => this.scrubber.run(signal))
  }

  /** Registers `volumes/list`, `volumes/add`, `volumes/drain`, `volumes/remove`, `scrub`. */
  register(registry: AdminRegistry): void {
    const { volumes } = this
    registry.handle('volumes/list', () => ({ volumes: volumes.list() }))
    registry.handle('volumes/add', (input) =>
      volumes.add(textOf(input, 'directory'), sizeOf(input)),
    )
    registry.handle('volumes/drain', (input, signal) =>
      volumes.drain(textOf(input, 'directory'), { signal }),
    )
    registry.handle('volumes/remove', async (input) => {
      await volumes.remove(textOf(input, 'directory'))
      return { removed: true }
    })
    registry.handle('scrub', () => this.scrubber.status())
  }
}

const textOf = (input: AdminInput, name: string): string => {
  const value = input[name]
  if (typeof value === 'string' && value !== '') return value
  throw new HoldfastError({ code: 'MESSAGE_INVALID', field: name, reason: 'is not text' })
}

const sizeOf = (input: AdminInput): Bytes => {
  const text = textOf(input, 'capacity')
  if (/^\d{1,18}$/.test(text)) return bytes(BigInt(text))
  throw new HoldfastError({ code: 'MESSAGE_INVALID', field: 'capacity', reason: 'is no size' })
}
