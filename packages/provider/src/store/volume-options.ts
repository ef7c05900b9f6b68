/** What a volume is opened with, and what is known of its reservations outside its thread. */
import type { Clock, Commitment, Logger, ProviderId } from '@holdfast/protocol'
import type { DiskChoice } from './disk-choice.ts'
import type { StorePlatform } from './store-platform.ts'
import type { ReservedPlace } from './volume-ops.ts'
import type { EngineOptions } from './volume-state.ts'

/** An open reservation, as this side knows it. */
export interface Reserved {
  readonly commitment: Commitment
  readonly place: ReservedPlace
}

export interface VolumeDependencies {
  readonly logger: Logger
  readonly clock: Clock
  /** Default: threads, files and LevelDB. */
  readonly platform?: StorePlatform
}

export interface VolumeOptions {
  readonly directory: string
  readonly provider: ProviderId
  /** Where the indexes of all volumes lie. */
  readonly indexes: string
  readonly engine: EngineOptions
  /** Forget the index; read every sector instead of its footer too. */
  readonly rebuild?: 'index' | 'deep'
  readonly disk?: DiskChoice
  /** Before tries to replace a thread that died; as in `thread-keeper.ts` by default. */
  readonly restartPausesMs?: readonly number[]
}
