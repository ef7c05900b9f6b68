/**
 * A sector begins with two copies of its superblock so that one damaged block costs nothing; when a
 * volume opens, a copy that is damaged is written again from the other one.
 */
import { type Disk, withFile } from './disk.ts'
import {
  decodeSuperblock,
  encodeSuperblock,
  FIRST_RECORD,
  SUPERBLOCK_BYTES,
  type Superblock,
} from './sector-format.ts'

/** @returns whether there was something to mend. */
export const healSuperblock = (disk: Disk, path: string, whole: Superblock): boolean => {
  const blocks = new Uint8Array(FIRST_RECORD)
  withFile(disk, path, 'read', (file) => disk.read(file, blocks, 0))
  const damaged = [0, SUPERBLOCK_BYTES].filter(
    (at) => decodeSuperblock(blocks.subarray(at, at + SUPERBLOCK_BYTES), path) === undefined,
  )
  if (damaged.length === 0) return false
  withFile(disk, path, 'write', (file) => {
    for (const at of damaged) disk.write(file, encodeSuperblock(whole), at)
    disk.sync(file)
  })
  return true
}
