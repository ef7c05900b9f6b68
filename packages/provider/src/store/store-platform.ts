/** What a store stands on: threads, the disk the main side looks at, and where its indexes lie. */
import { type KeyValuePlace, levelPlace } from '../key-values.ts'
import { type Disk, fileDisk } from './disk.ts'
import { type StartThread, startWorker } from './thread-port.ts'

export interface StorePlatform {
  /** For the identity of volumes; all else is done by the threads, on disks of their own. */
  readonly disk: Disk
  readonly startThread: StartThread
  readonly keyValues: KeyValuePlace
}

export const systemStore: StorePlatform = {
  disk: fileDisk,
  startThread: startWorker,
  keyValues: levelPlace,
}
