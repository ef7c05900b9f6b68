/**
 * A home's lock where the system's own cannot be had: a symbolic link to nowhere whose text is the
 * holder's process id and start time. It is held while that very process lives, so a crash leaves nothing
 * to clean up and a reused process id is not mistaken for a holder.
 *
 * Not here: two processes that find the same stale link in the same instant may both take it.
 */
import { readFile, readlink, rename, symlink, unlink } from 'node:fs/promises'
import { HoldfastError } from '@holdfast/protocol'
import type { HomeLock, HomePaths } from './home.ts'
import { errnoOf } from './store/disk-errors.ts'

/** @throws HoldfastError `HOME_IN_USE` while another process holds the lock. */
export const lockByName = async (paths: HomePaths): Promise<HomeLock> => {
  const own = await ownText()
  while (!(await createExclusively(paths.lock, own))) await removeStale(paths)
  return { release: () => unlink(paths.lock).catch(() => undefined) }
}

/** The process that a lock names, of either kind, while it lives; undefined when there is none. */
export const holderOf = async (lock: string): Promise<number | undefined> =>
  aliveIn(await textOf(lock))

const textOf = (lock: string): Promise<string> =>
  readlink(lock).catch(() => readFile(lock, 'utf8').catch(() => ''))

const aliveIn = async (text: string): Promise<number | undefined> => {
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

/**
 * Removes a lock that nobody holds. It is moved away first and looked at again, because somebody else
 * may have put a fresh one in its place meanwhile; that one goes back.
 * @throws HoldfastError `HOME_IN_USE` when it is held.
 */
export const removeStale = async ({ lock, home: path }: HomePaths): Promise<void> => {
  const holder = await holderOf(lock)
  if (holder !== undefined) throw new HoldfastError({ code: 'HOME_IN_USE', path, pid: holder })
  const aside = `${lock}.${process.pid}.stale`
  try {
    await rename(lock, aside)
    if ((await holderOf(aside)) === undefined) await unlink(aside)
    else await rename(aside, lock)
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

/** This process as a lock names it. */
export const ownText = async (): Promise<string> => `${process.pid} ${await startOf(process.pid)}`
