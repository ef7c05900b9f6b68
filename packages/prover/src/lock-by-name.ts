/**
 * A lock where the system's own cannot be had: a symbolic link to nowhere whose text is the holder's
 * process id and start time. It is held while that very process lives, so a crash leaves nothing to clean
 * up and a reused process id is not mistaken for a holder.
 *
 * Not here: of two processes that find the same stale link in the same instant both may take it.
 */
import { rename, symlink, unlink } from 'node:fs/promises'
import { HoldfastError } from '@holdfast/protocol'
import { errnoOf, holderOf, type LockedPath, ownText, type PathLock } from './locked-path.ts'

/** @throws HoldfastError `HOME_IN_USE` while another process holds the lock. */
export const lockByName = async (locked: LockedPath): Promise<PathLock> => {
  const own = await ownText()
  while (!(await createExclusively(locked.path, own))) await removeStale(locked)
  return { release: () => unlink(locked.path).catch(() => undefined) }
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
export const removeStale = async ({ path: lock, of: path }: LockedPath): Promise<void> => {
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
