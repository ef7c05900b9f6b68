/**
 * The parts of a volume's directory. An `index/` in it belongs to the first format, whose index lay on
 * the volume itself; it is not used any more.
 */
import { join } from 'node:path'

export interface VolumePaths {
  readonly root: string
  readonly identity: string
  readonly incoming: string
  readonly sectors: string
  readonly quarantine: string
}

export const volumePaths = (root: string): VolumePaths => ({
  root,
  identity: join(root, 'volume.json'),
  incoming: join(root, 'incoming'),
  sectors: join(root, 'sectors'),
  quarantine: join(root, 'quarantine'),
})
