/**
 * A lock that keeps a second process out, at a path: a file, locked by the system (`flock`) for whoever
 * holds it. A crash gives it back, two processes cannot both find it stale, and one in another container
 * is kept out, too. It is as long as a block and written over in place, so that where it stays nothing
 * about it needs room on a full disk. Its text is the holder's process id and start time, for commands
 * that want to know, and for their error.
 *
 * Without native code, or on a file system without locks, it is a symbolic link to nowhere with the same
 * text, held while that very process lives (`lock-by-name.ts`). Either kind respects the other.
 */
import { closeSync, constants, fstatSync, openSync, writeSync } from 'node:fs'
import { stat, unlink } from 'node:fs/promises'
import { HoldfastError } from '@holdfast/protocol'
import { lockByName, removeStale } from './lock-by-name.ts'
import { errnoOf, holderOf, type LockedPath, ownText, type PathLock } from './locked-path.ts'
import { lockFile, overwriteInPlace } from './system-calls.ts'

/** More than what btrfs keeps beside its file's metadata, where it could not be written in place. */
const LOCK_BYTES = 4096

/** @throws HoldfastError `HOME_IN_USE` while another process holds the lock, `DISK_FULL`. */
export const lockPath = async (locked: LockedPath): Promise<PathLock> => {
  for (;;) {
    const file = openLock(locked.path)
    if (file === undefined) {
      // Of a process without native code, or of an earlier version.
      await removeStale(locked)
      continue
    }
    const outcome = await take(file, locked.path)
    if (outcome === 'ours') {
      write(file, await ownText())
      return { release: () => giveBack(file, locked) }
    }
    closeSync(file)
    if (outcome === 'cannot') return lockByName(locked)
    if (outcome === 'held') {
      const pid = (await holderOf(locked.path)) ?? 0
      throw new HoldfastError({ code: 'HOME_IN_USE', path: locked.of, pid })
    }
  }
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
    if (!NO_ROOM.has(errnoOf(error))) throw error
    const detail = { needed: BigInt(LOCK_BYTES), available: 0n }
    throw new HoldfastError({ code: 'DISK_FULL', ...detail }, { cause: error })
  }
}

/** `nameless`: it was removed since it was opened. */
type Outcome = 'ours' | 'held' | 'cannot' | 'nameless'

const take = async (file: number, path: string): Promise<Outcome> => {
  const isOurs = lockFile(file)
  if (isOurs === undefined) return 'cannot'
  if (!isOurs) return 'held'
  return (await isNamed(path, file)) ? 'ours' : 'nameless'
}

const isNamed = async (path: string, file: number): Promise<boolean> => {
  const named = await stat(path).catch(() => undefined)
  const { dev, ino } = fstatSync(file)
  return named?.ino === ino && named.dev === dev
}

const NO_ROOM: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT'])

/** What it says is for people: the lock holds without it. */
const write = (file: number, text: string): void => {
  try {
    writeSync(file, text.padEnd(LOCK_BYTES - 1).concat('\n'), 0)
  } catch (error) {
    if (!NO_ROOM.has(errnoOf(error))) throw error
  }
}

const giveBack = async (file: number, { path, stays }: LockedPath): Promise<void> => {
  // While it is still held: who opened it meanwhile finds that it has no name any more.
  try {
    if (stays) write(file, '')
    else await unlink(path).catch(() => undefined)
  } finally {
    closeSync(file)
  }
}
