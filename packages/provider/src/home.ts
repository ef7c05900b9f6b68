/**
 * The provider's directory: where each thing is, and the lock that keeps a second process out.
 *
 * The lock is a symbolic link to nowhere whose text is the holder's process id and start time: it needs
 * no room on a full disk. It is held while that very process lives, so a crash leaves nothing to clean up
 * and a reused process id is not mistaken for a holder.
 */
import { readFile, readlink, rename, symlink, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { HoldfastError } from '@holdfast/protocol'
import { errnoOf } from './store/disk-errors.ts'

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

export interface HomeLock {
  release(): Promise<void>
}

/** @throws HoldfastError `HOME_IN_USE` while another process holds the lock. */
export const lockHome = async (paths: HomePaths): Promise<HomeLock> => {
  const own = `${process.pid} ${await startOf(process.pid)}`
  for (;;) {
    if (await createExclusively(paths.lock, own)) break
    const holder = await holderOf(paths.lock)
    if (holder !== undefined) {
      throw new HoldfastError({ code: 'HOME_IN_USE', path: paths.home, pid: holder })
    }
    await removeStale(paths.lock)
  }
  return { release: () => unlink(paths.lock).catch(() => undefined) }
}

/** The process that holds a home; undefined when none does. */
export const holderOf = async (lock: string): Promise<number | undefined> => {
  // Homes of before have a file there.
  const text = await readlink(lock).catch(() => readFile(lock, 'utf8').catch(() => ''))
  const [pid = '', start = ''] = text.trim().split(' ')
  const number = Number(pid)
  if (!Number.isSafeInteger(number) || number <= 0 || !isAlive(number)) return undefined
  return (await startOf(number)) === start ? number : undefined
}

const createExclusively = async (path: string, text: string): Promise<boolean> => {
  try {
    await symlink(text, path)
    return true
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false
    throw error
  }
}

/** Moves a stale lock away first, so that two processes cannot both remove a fresh one. */
const removeStale = async (lock: string): Promise<void> => {
  const aside = `${lock}.${process.pid}.stale`
  try {
    await rename(lock, aside)
    await unlink(aside)
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error
  }
}

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return errnoOf(error) === 'EPERM'
  }
}

/** When a process started, in ticks, where the system says so; the same text everywhere else. */
const startOf = async (pid: number): Promise<string> => {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? 'unknown'
}
