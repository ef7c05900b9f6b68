/**
 * One volume as a synchronous state machine over a disk: operations change files and remember what
 * becomes true with the next sync; `commit` syncs and makes it so. Runs on the volume's own thread,
 * or in a test over a simulated disk.
 *
 * Invariants: see `sector-store.ts`. Files are synced before names change, names before anything is
 * said; after a failed sync nothing that waited for it becomes true and the volume takes no writes.
 */

import { HoldfastError, type Random } from '@holdfast/protocol'
import type { Checksum } from '@holdfast/prover'
import { collectable, drop, move, retire } from './collect.ts'
import type { RecoveryNote } from './cut-tail.ts'
import type { Disk } from './disk.ts'
import { WriteGuard } from './disk-errors.ts'
import { OpenFiles } from './open-files.ts'
import { OpenReservations, type Reservation } from './open-reservations.ts'
import type { Entry } from './record-entry.ts'
import { RecordTable, type TableMemory } from './record-table.ts'
import { discard, reservationOf, reserve, usageOf, writeBytes } from './reservations.ts'
import { prepare, remove, seal } from './seal-record.ts'
import { Sectors } from './sectors.ts'
import { writeFooters } from './shared-sectors.ts'
import { checkIdentity } from './volume-identity.ts'
import type {
  OpKind,
  OpValues,
  ReservedPlace,
  VolumeOp,
  VolumeReport,
  VolumeUsage,
} from './volume-ops.ts'
import type { VolumePaths } from './volume-paths.ts'
import { recoverVolume } from './volume-recovery.ts'
import { type EngineOptions, Pending, type VolumeState } from './volume-state.ts'

/** What is left of a thread that died under the process, which lives on. */
export interface FormerLife {
  /** Why the volume took no writes any more. */
  readonly readOnly: string | undefined
}

export interface EngineInput {
  readonly disk: Disk
  readonly paths: VolumePaths
  /** The volume's id, as its identity file has it. */
  readonly identity: string
  readonly options: EngineOptions
  readonly random: Random
  readonly checksum: Checksum
  readonly known: ReadonlyMap<string, Entry>
  /** Trust neither index nor footers. */
  readonly deep: boolean
  readonly onTableMoved: (memory: TableMemory) => void
  readonly former?: FormerLife | undefined
}

type Handlers = { readonly [K in OpKind]: (op: Extract<VolumeOp, { kind: K }>) => OpValues[K] }

/** Operations that a volume without writes still does: to read and to give room back. */
const NEEDS_WRITES: ReadonlySet<OpKind> = new Set<OpKind>([
  'reserve',
  'write',
  'prepare',
  'seal',
  'move',
])

export class VolumeEngine {
  readonly #state: VolumeState
  readonly #guard: WriteGuard
  readonly #handlers: Handlers
  readonly notes: readonly RecoveryNote[]

  private constructor(state: VolumeState, guard: WriteGuard, notes: readonly RecoveryNote[]) {
    this.#state = state
    this.#guard = guard
    this.notes = notes
    this.#handlers = handlersOver(state)
  }

  /** Opens a volume and recovers from whatever the last run left. */
  static open(input: EngineInput): VolumeEngine {
    const { disk, paths, identity, options, random, checksum } = input
    const { known, deep, onTableMoved, former } = input
    if (former !== undefined) checkIdentity({ disk, paths, identity })
    const notes: RecoveryNote[] = []
    const state: VolumeState = {
      ...{ disk, paths, identity, options, random, checksum },
      files: new OpenFiles(disk),
      table: RecordTable.empty(onTableMoved),
      sectors: new Sectors(),
      reservations: new OpenReservations(),
      pending: new Pending(),
      changes: new Map(),
      nextSequence: 1n,
      nextNumber: 1,
    }
    recoverVolume(state, { known, deep, note: (note) => notes.push(note) })
    const engine = new VolumeEngine(state, new WriteGuard(paths.root), notes)
    if (former !== undefined) engine.#follow(former)
    engine.#settle()
    return engine
  }

  get table(): RecordTable {
    return this.#state.table
  }

  get reservations(): ReadonlyMap<string, Reservation> {
    return this.#state.reservations
  }

  get readOnlyReason(): string | undefined {
    return this.#guard.reason
  }

  /** Why the volume shall take no writes: its disk was taken away, for example. */
  close(reason: string): void {
    this.#guard.close(reason)
  }

  /**
   * Does one operation. What it changes is durable, and known, after the next `commit`.
   * @throws HoldfastError as the operation does; `DISK_FULL`, `STORE_READ_ONLY`, `VOLUME_UNAVAILABLE`.
   */
  apply<K extends OpKind>(op: Extract<VolumeOp, { kind: K }>): OpValues[K] {
    if (NEEDS_WRITES.has(op.kind)) this.#guard.check()
    const handler = this.#handlers[op.kind] as (op: VolumeOp) => OpValues[K]
    return this.#guard.runNow(() => handler(op))
  }

  /** Syncs what was written and makes what waited for it true. @throws HoldfastError `STORE_READ_ONLY`. */
  commit(): void {
    const { files, pending } = this.#state
    try {
      this.#guard.syncNow(() => {
        files.syncFiles()
        pending.runAfterFiles()
        files.syncFiles()
        files.syncDirectories()
      })
    } catch (error) {
      pending.drop()
      throw error
    }
    this.#guard.runNow(() => pending.runEffects())
    this.#settle()
  }

  /** What has changed for others since the last report. */
  report(): VolumeReport {
    const { changes } = this.#state
    const report = { usage: this.usage(), readOnly: this.#guard.reason, changes: [...changes] }
    changes.clear()
    return report
  }

  usage(): VolumeUsage {
    return usageOf(this.#state)
  }

  /** Closes the files. Reservations stay for the next run. */
  end(): void {
    this.#state.files.closeAll()
  }

  /**
   * Goes on after a thread that died. What it wrote and did not sync is in the files as this one sees
   * them, and nothing may rest on it before it is durable. A failed sync of that life stands.
   */
  #follow({ readOnly }: FormerLife): void {
    const { files, paths, reservations, sectors } = this.#state
    const open = new Set([...reservations.values()].map(({ path }) => path))
    for (const { footed, path } of sectors.values()) if (!footed) open.add(path)
    for (const path of open) {
      this.#guard.runNow(() => files.touched(path))
      this.#guard.syncNow(() => files.syncFiles())
    }
    for (const directory of [paths.incoming, paths.sectors]) files.renamedIn(directory)
    this.#guard.syncNow(() => files.syncDirectories())
    if (readOnly !== undefined) this.close(readOnly)
  }

  /** Footers that are due. They are a convenience: a failure shows at the next sync. */
  #settle(): void {
    if (this.#guard.reason !== undefined) return
    try {
      this.#guard.runNow(() => writeFooters(this.#state))
    } catch (error) {
      if (!HoldfastError.is(error, 'DISK_FULL')) throw error
    }
    const { files, pending } = this.#state
    if (!pending.waits) return
    this.#guard.syncNow(() => {
      files.syncFiles()
      files.syncDirectories()
    })
    pending.runEffects()
  }
}

export const placeOf = ({ path, layout }: Reservation): ReservedPlace => ({
  path,
  payload: layout.payload,
  layers: layout.layers,
})

const handlersOver = (state: VolumeState): Handlers => ({
  reserve: ({ name, commitment, layersBytes }) => {
    checkIdentity(state)
    return placeOf(reserve(state, name, commitment, layersBytes))
  },
  write: ({ name, offset, data }) => {
    writeBytes(state, name, offset, data)
    return undefined
  },
  sync: ({ name }) => {
    reservationOf(state, name)
    return undefined
  },
  prepare: ({ name }) => prepare(state, name),
  seal: ({ name, storedAt, framesCrc, layers }) => {
    state.files.touched(reservationOf(state, name).path)
    return seal(state, name, { storedAt, framesCrc }, layers).entry
  },
  discard: ({ name }) => {
    discard(state, name)
    return undefined
  },
  remove: ({ root }) => {
    remove(state, root)
    return undefined
  },
  mark: ({ root, at }) => {
    state.table.mark(root, at)
    return undefined
  },
  collectable: ({ except, before }) => collectable(state, { except: new Set(except), before }),
  move: ({ root, from }) => move(state, root, from),
  retire: ({ sector }) => retire(state, sector),
  drop: ({ sector }) => {
    drop(state, { number: sector })
    return undefined
  },
  check: () => {
    checkIdentity(state)
    return undefined
  },
})
