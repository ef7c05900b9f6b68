/**
 * What can be asked of a volume's thread, and what it answers: the closed set of operations, as data
 * that crosses the thread border.
 */
import type { Bytes, Commitment, HoldfastErrorDetail, Root, Timestamp } from '@holdfast/protocol'
import type { Collectable } from './collect.ts'
import type { RecoveryNote } from './cut-tail.ts'
import type { PreparedFrames } from './frame-sums.ts'
import type { Entry } from './record-entry.ts'
import type { TableMemory } from './record-table.ts'
import type { StagingName } from './sector-store.ts'

/** Where a reservation's parts lie, for whoever hashes them. */
export interface ReservedPlace {
  readonly path: string
  readonly payload: number
  readonly layers: number
}

export type VolumeOp =
  | {
      readonly kind: 'reserve'
      readonly name: StagingName
      readonly commitment: Commitment
      readonly layersBytes: Bytes
    }
  | {
      readonly kind: 'write'
      readonly name: StagingName
      readonly offset: number
      readonly data: Uint8Array
    }
  | { readonly kind: 'sync'; readonly name: StagingName }
  | { readonly kind: 'prepare'; readonly name: StagingName }
  | {
      readonly kind: 'seal'
      readonly name: StagingName
      readonly storedAt: Timestamp
      readonly framesCrc: number
      /** The kept layers; without, they are in the file already. */
      readonly layers?: Uint8Array | undefined
    }
  | { readonly kind: 'discard'; readonly name: StagingName }
  | { readonly kind: 'remove'; readonly root: Root }
  | { readonly kind: 'mark'; readonly root: Root; readonly at: number }
  | {
      readonly kind: 'collectable'
      readonly except: readonly number[]
      readonly before?: number | undefined
    }
  | { readonly kind: 'move'; readonly root: Root; readonly from: number }
  | { readonly kind: 'retire'; readonly sector: number }
  | { readonly kind: 'drop'; readonly sector: number }
  /** Whether the volume is still the one that was opened, through the same path. */
  | { readonly kind: 'check' }

/** What each operation answers. */
export interface OpValues {
  readonly reserve: ReservedPlace
  readonly write: undefined
  readonly sync: undefined
  /** Undefined: ask again. */
  readonly prepare: PreparedFrames | undefined
  readonly seal: Entry
  readonly discard: undefined
  readonly remove: undefined
  readonly mark: undefined
  readonly collectable: Collectable | undefined
  readonly move: boolean
  readonly retire: boolean
  readonly drop: undefined
  readonly check: undefined
}

export type OpKind = VolumeOp['kind']

/** Operations that are answered only when what they did is durable. */
export const DURABLE: ReadonlySet<OpKind> = new Set<OpKind>([
  ...(['sync', 'seal', 'remove', 'move', 'retire', 'drop'] as const),
])

export type OpOutcome =
  | { readonly ok: true; readonly value: OpValues[OpKind] }
  | { readonly ok: false; readonly detail: HoldfastErrorDetail }

export interface VolumeUsage {
  readonly used: bigint
  readonly reserved: bigint
  readonly free: bigint
}

/** What a volume says of itself with every batch of answers. */
export interface VolumeReport {
  readonly usage: VolumeUsage
  readonly readOnly: string | undefined
  readonly changes: readonly (readonly [string, Entry | undefined])[]
}

/** What a volume says when it has opened. */
export interface OpenedVolume {
  readonly table: TableMemory
  readonly reservations: readonly (readonly [StagingName, Commitment, ReservedPlace])[]
  readonly notes: readonly RecoveryNote[]
}
