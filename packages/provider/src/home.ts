/** The provider's directory: where each thing is, and the lock that keeps a second process out. */
import { join } from 'node:path'
import { lockPath, type PathLock } from '@holdfast/prover'

export interface HomePaths {
  readonly home: string
  readonly config: string
  readonly tokenKey: string
  readonly tls: string
  readonly journal: string
  readonly state: string
  /** The node's books: gas, egress, how periods ended. */
  readonly accounts: string
  /** The volume that `init` makes. */
  readonly volume: string
  /** What logs in to the dashboard. */
  readonly dashboardToken: string
  /** The indexes of all volumes. */
  readonly indexes: string
  /** Bundles of the last periods. */
  readonly bundles: string
  readonly lock: string
  /** Indexes of payloads that are CARs; can be made again. */
  readonly carIndex: string
  /** What is not served. */
  readonly denylist: string
  /** The operator's socket while the node runs. */
  readonly admin: string
}

export const homePaths = (home: string): HomePaths => ({
  home,
  config: join(home, 'config.json'),
  tokenKey: join(home, 'token.key'),
  tls: join(home, 'tls'),
  journal: join(home, 'journal'),
  state: join(home, 'state'),
  accounts: join(home, 'accounts'),
  volume: join(home, 'volume-0'),
  dashboardToken: join(home, 'dashboard.token'),
  indexes: join(home, 'indexes'),
  bundles: join(home, 'bundles'),
  lock: join(home, 'lock'),
  carIndex: join(home, 'car-index'),
  denylist: join(home, 'denylist.txt'),
  admin: join(home, 'admin.sock'),
})

/** @throws HoldfastError `HOME_IN_USE` while another process holds the home, `DISK_FULL`. */
export const lockHome = ({ lock, home }: HomePaths): Promise<PathLock> =>
  lockPath({ path: lock, of: home, stays: true })
