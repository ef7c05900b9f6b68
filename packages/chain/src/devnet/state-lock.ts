/**
 * One devnet per state directory. The lock is a file that names its owner's process; it is made by
 * linking a finished file into place, so that it is never seen half written, and a lock whose owner
 * is dead is taken over. Process numbers are reused: the owner's start time is noted with them.
 */
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { HoldfastError, type Random } from '@holdfast/protocol'
import { asRecord } from '../json.ts'
import { isRunning } from './processes.ts'

/** Enough for a lock that was stale, and for one that was stale again. */
const ROUNDS = 3

export interface StateLock {
  release(): Promise<void>
}

interface Owner {
  readonly pid: number
  readonly started: string
}

/** When the process started, in clock ticks since boot; empty where the system does not say. */
const startOf = async (pid: number): Promise<string> => {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  // Fields after the name in brackets; the 22nd of all is the start time.
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
}

const ownerIn = async (path: string): Promise<Owner | undefined> => {
  try {
    const record = asRecord(JSON.parse(await readFile(path, 'utf8')))
    const pid = record?.['pid']
    const started = record?.['started']
    return typeof pid === 'number' && typeof started === 'string' ? { pid, started } : undefined
  } catch {
    return undefined
  }
}

const isAlive = async (owner: Owner): Promise<boolean> => {
  if (!isRunning(owner.pid)) return false
  const started = await startOf(owner.pid)
  return started === '' || owner.started === '' || started === owner.started
}

const isTaken = (cause: unknown): boolean => (cause as NodeJS.ErrnoException).code === 'EEXIST'

const taken = (directory: string, reason: string): HoldfastError =>
  new HoldfastError({ code: 'NETWORK_EXISTS', path: directory, reason })

/** True when the finished file `mine` is now the lock. */
const claim = async (mine: string, path: string): Promise<boolean> => {
  try {
    await link(mine, path)
    return true
  } catch (cause) {
    if (isTaken(cause)) return false
    throw cause
  }
}

/**
 * Puts a dead owner's lock aside. It is moved before it is judged, so that a lock that somebody else
 * took over in between is seen for what it is, and put back.
 */
const clearStale = async (path: string, aside: string): Promise<Owner | undefined> => {
  try {
    await rename(path, aside)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw cause
  }
  const owner = await ownerIn(aside)
  const alive = owner !== undefined && (await isAlive(owner)) ? owner : undefined
  if (alive !== undefined) await claim(aside, path)
  await rm(aside, { force: true })
  return alive
}

const releaseOwn = async (path: string, text: string): Promise<void> => {
  const now = await readFile(path, 'utf8').catch(() => '')
  if (now === text) await rm(path, { force: true })
}

/**
 * Takes the lock of `directory`, which must exist.
 * @throws HoldfastError `NETWORK_EXISTS` while another running process holds it.
 */
export const takeLock = async (directory: string, random: Random): Promise<StateLock> => {
  const path = join(directory, 'lock')
  const suffix = Buffer.from(random.bytes(6)).toString('hex')
  const mine = join(directory, `lock.${suffix}`)
  const text = JSON.stringify({ pid: process.pid, started: await startOf(process.pid), suffix })
  await writeFile(mine, text)
  try {
    for (let round = 0; round < ROUNDS; round++) {
      if (await claim(mine, path)) return { release: () => releaseOwn(path, text) }
      const seen = await ownerIn(path)
      const living = seen !== undefined && (await isAlive(seen)) ? seen : undefined
      const owner = living ?? (await clearStale(path, `${mine}.old`))
      if (owner !== undefined) throw taken(directory, `process ${owner.pid} runs a network there`)
    }
  } finally {
    await rm(mine, { force: true })
  }
  throw taken(directory, 'other processes are just starting one there')
}
