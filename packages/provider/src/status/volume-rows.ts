/**
 * The volumes as an operator names them: by their directory's last part where that is enough.
 */
import { basename } from 'node:path'
import type { VolumeStatus as StoreVolume } from '../store/volume-status.ts'
import type { VolumeStatus } from './node-status.ts'

export const volumeRows = (volumes: readonly StoreVolume[]): readonly VolumeStatus[] => {
  const names = volumes.map(({ directory }) => basename(directory))
  return volumes.map(({ id: _id, directory, condition, ...volume }, i) => {
    const short = names[i] ?? directory
    const name = names.filter((other) => other === short).length === 1 ? short : directory
    return { name, path: directory, state: condition, ...volume }
  })
}
