/** When the payloads of a volume were last verified: in its table for this run, in its index for the next. */
import type { Root } from '@holdfast/protocol'
import type { Entry } from './record-entry.ts'
import type { VolumeIndex } from './volume-index.ts'
import type { VolumeOp } from './volume-ops.ts'

/** What is needed of a volume. */
interface MarkedVolume {
  readonly index: VolumeIndex
  find(root: Root): Entry | undefined
  ask(op: Extract<VolumeOp, { kind: 'mark' }>): Promise<unknown>
}

/** Remembers when a payload was verified, in seconds since 1970. */
export const noteVerified = async (volume: MarkedVolume, root: Root, at: number): Promise<void> => {
  await volume.ask({ kind: 'mark', root, at })
  await volume.index.stamp('verified', root, at)
}

/** Brings the times of verification of former runs into the table. */
export const loadVerified = async (volume: MarkedVolume): Promise<void> => {
  for await (const [root, at] of volume.index.stamps('verified')) {
    if (volume.find(root) === undefined) await volume.index.unstamp('verified', root)
    else await volume.ask({ kind: 'mark', root, at })
  }
}
