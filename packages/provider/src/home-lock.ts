/**
 * The lock of a home, which keeps a second process out.
 *
 * `lock` is a file that stays, locked by the system (`flock`) for whoever runs: a crash gives it back,
 * two processes cannot both find it stale, and one in another container is kept out, too. It is as long
 * as a block and written over in place, so that nothing about it needs room on a full disk. Its text is
 * the holder's process id and start time, for commands that want to know, and for their error.
 *
 * Without native code, or on a file system without locks, it is a symbolic link to nowhere with the same
 * text, held while that very process lives (`symlink-lock.ts`). Either kind respects the other.
 */
import { closeSync, constants, fstatSync, openSync, writeSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { HoldfastError } from '@holdfast/protocol'
import { lockFile, overwriteInPlace } from '@holdfast/prover'
import type { HomeLock, HomePaths } from './home.ts'
import { errnoOf, isNoRoom } from './store/disk-errors.ts'
import { holderOf, lockByName, ownText, removeStale } from './symlink-lock.ts'

/** More than what btrfs keeps beside its file's metadata, where it could not be written in place. */
const LOCK_BYTES = 4096

/** @throws HoldfastError `HOME_IN_USE` while another process holds the lock, `DISK_FULL`. */
export const lockHome = async (paths: HomePaths): Promise<HomeLock> => {
  for (;;) {
    const file = openLock(paths.lock)
    if (file === undefined) {
      // Of a process without native code, or of an earlier version.
      await removeStale(paths)
      continue
    }
    const outcome = await take(file, paths.lock)
    if (outcome === 'ours') {
      write(file, await ownText())
      return { release: async () => giveBack(file) }
    }
    closeSync(file)
    if (outcome === 'cannot') return lockByName(paths)
    if (outcome === 'held') {
      const pid = (await holderOf(paths.lock)) ?? 0
      throw new HoldfastError({ code: 'HOME_IN_USE', path: paths.home, pid })
    }
  }
}

/** `nameless`: somebody without native code found it stale and removed it. */
type Outcome = 'ours' | 'held' | 'cannot' | 'nameless'

const take = async (file: number, path: string): Promise<Outcome> => {
  const isOurs = lockFile(file)
  if (isOurs === undefined) return 'cannot'
  if (!isOurs) return 'held'
  return (await isNamed(path, file)) ? 'ours' : 'nameless'
}

/** Undefined for a symbolic link. */
const openLock = (path: string): number | undefined => {
  const flags = constants.O_RDWR | constants.O_NOFOLLOW
  try {
    return openSync(path, flags)
  } catch (error) {
    if (errnoOf(error) === 'ELOOP') return undefined
    if (errnoOf(error) !== 'ENOENT') throw error
  }
  try {
    const file = openSync(path, flags | constants.O_CREAT, 0o600)
    if (fstatSync(file).size === 0) overwriteInPlace(file)
    return file
  } catch (error) {
    if (errnoOf(error) === 'ELOOP') return undefined
    if (!isNoRoom(error)) throw error
    const detail = { needed: BigInt(LOCK_BYTES), available: 0n }
    throw new HoldfastError({ code: 'DISK_FULL', ...detail }, { cause: error })
  }
}

const isNamed = async (path: string, file: number): Promise<boolean> => {
  const named = await stat(path).catch(() => undefined)
  const { dev, ino } = fstatSync(file)
  return named?.ino === ino && named.dev === dev
}

/** What it says is for people: the lock holds without it. */
const write = (file: number, text: string): void => {
  try {
    writeSync(file, text.padEnd(LOCK_BYTES - 1).concat('\n'), 0)
  } catch (error) {
    if (!isNoRoom(error)) throw error
  }
}

const giveBack = (file: number): void => {
  write(file, '')
  closeSync(file)
}
