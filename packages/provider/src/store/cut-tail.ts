/**
 * What lies behind the last record of a shared sector when a volume opens is kept aside and cut.
 */
import { type Disk, readFully, replaceFile, withFile } from './disk.ts'
import { isNoRoom } from './disk-errors.ts'
import type { Sector } from './sectors.ts'
import type { VolumeState } from './volume-state.ts'

/** Something an operator should know of a recovery. */
export interface RecoveryNote {
  readonly level: 'info' | 'warn' | 'error'
  readonly event: string
  readonly fields: Readonly<Record<string, unknown>>
}

/** Cuts what lies behind the last header: a write that never finished, or a footer that is damaged. */
export const cutTail = (
  { disk, paths }: VolumeState,
  sector: Sector,
  open: number,
  note: (note: RecoveryNote) => void,
): void => {
  const size = disk.size(open)
  sector.size = Math.max(size, sector.end)
  if (size <= sector.end) return
  const isKept = keepTail(disk, open, paths.quarantine, {
    path: sector.path,
    from: sector.end,
    to: size,
  })
  withFile(disk, sector.path, 'write', (file) => {
    disk.truncate(file, sector.end)
    disk.sync(file)
  })
  sector.size = sector.end
  const fields = { path: sector.path, offset_bytes: sector.end, end_bytes: size }
  const where = isKept ? 'moved to quarantine' : 'cut off: no room to keep it'
  note({ level: 'warn', event: `unfinished write ${where}`, fields })
}

const TAIL_BYTES_MAX = 16 * 2 ** 20

/** False when there is no room for it: nobody was promised anything of it. */
const keepTail = (
  disk: Disk,
  open: number,
  directory: string,
  tail: { readonly path: string; readonly from: number; readonly to: number },
): boolean => {
  const data = new Uint8Array(Math.min(tail.to - tail.from, TAIL_BYTES_MAX))
  readFully(disk, open, data, tail.from)
  const name = `${tail.path.slice(tail.path.lastIndexOf('/') + 1)}-${tail.from}.tail`
  try {
    replaceFile(disk, { directory, name }, data)
    return true
  } catch (error) {
    if (!isNoRoom(error)) throw error
    if (disk.list(directory).includes(`${name}.new`)) disk.unlink(`${directory}/${name}.new`)
    return false
  }
}
