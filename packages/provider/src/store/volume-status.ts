/** How a volume is, for whoever looks: the operator, the alarms, the metrics. */
import { type Bytes, bytes } from '@holdfast/protocol'
import type { StoreUsage } from './sector-store.ts'
import type { Deaths } from './thread-keeper.ts'
import type { Volume } from './volume.ts'

export type VolumeCondition =
  | 'ok'
  | 'draining'
  | 'read-only'
  /** Its thread died, and the next one is not up yet: it is read and proven, nothing is written. */
  | 'restarting'
  | 'unavailable'
  | 'missing'

export interface VolumeStatus {
  readonly id: string | undefined
  readonly directory: string
  readonly condition: VolumeCondition
  readonly reason: string | undefined
  readonly payloads: number
  readonly capacity: Bytes
  readonly used: Bytes
  readonly reserved: Bytes
  readonly free: Bytes
  /** Averaged time to make something durable. */
  readonly latencyMs: number
  /** Of its thread, since the volume was opened. */
  readonly deaths: Deaths
}

const conditionOf = (volume: Volume, draining: boolean): VolumeCondition => {
  if (volume.unavailableReason !== undefined) return 'unavailable'
  if (volume.restarting !== undefined) return 'restarting'
  if (volume.readOnlyReason !== undefined) return 'read-only'
  return draining ? 'draining' : 'ok'
}

export const statusOf = (volume: Volume, draining: boolean): VolumeStatus => {
  const { id, directory, capacity, latencyMs, table, deaths } = volume
  const { used, reserved, free } = volume.usage
  return {
    ...{ id, directory, capacity, latencyMs, payloads: table.size, deaths },
    ...{ used: bytes(used), reserved: bytes(reserved), free: bytes(free) },
    condition: conditionOf(volume, draining),
    reason: volume.unavailableReason ?? volume.readOnlyReason,
  }
}

/** Of one that could not be opened. */
export const statusOfMissing = (
  { directory, capacity }: { readonly directory: string; readonly capacity: Bytes },
  reason: string,
): VolumeStatus => ({
  ...{ id: undefined, directory, condition: 'missing', reason, payloads: 0, capacity },
  ...{ latencyMs: 0, used: bytes(0), reserved: bytes(0), free: bytes(0) },
  deaths: { count: 0, lately: 0, reason: undefined },
})

/** What volumes hold together; what is free counts where something may be written. */
export const usageOfAll = (
  volumes: Iterable<Volume>,
  takesWrites: (volume: Volume) => boolean,
): StoreUsage => {
  const sum = { capacity: 0n, used: 0n, reserved: 0n, free: 0n }
  for (const volume of volumes) {
    const { used, reserved, free } = volume.usage
    sum.capacity += volume.capacity
    sum.used += used
    sum.reserved += reserved
    if (takesWrites(volume)) sum.free += free
  }
  const [capacity, used] = [bytes(sum.capacity), bytes(sum.used)]
  return { capacity, used, reserved: bytes(sum.reserved), free: bytes(sum.free) }
}
