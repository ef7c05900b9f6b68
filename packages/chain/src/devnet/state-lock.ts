/**
 * One devnet per state directory. The lock is a file that names its owner's process; it is made by
 * linking a finished file into place, so that it is never seen half written, and a lock whose owner
 * is dead is taken over. Process numbers are reused: the owner's start time is noted with them.
 */
import { link, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { HoldfastError, type Random } from '@holdfast/protocol'
import { asRecord } from '../json.ts'
import { isRunning } from './processes.ts'

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

/**
 * Takes the lock of `directory`, which must exist.
 * @throws HoldfastError `NETWORK_EXISTS` while another running process holds it.
 */
export const takeLock = async (directory: string, random: Random): Promise<StateLock> => {
  const path = join(directory, 'lock')
  const suffix = Buffer.from(random.bytes(6)).toString('hex')
  const mine = join(directory, `lock.${suffix}`)
  await writeFile(
    mine,
    JSON.stringify({ pid: process.pid, started: await startOf(process.pid), suffix }),
  )
  try {
    // Every loser of a race sees a living owner in the next round; three rounds are plenty.
    for (let round = 0; round < 3; round++) {
      try {
        await link(mine, path)
        return { release: () => rm(path, { force: true }) }
      } catch (cause) {
        if (!isTaken(cause)) throw cause
      }
      const owner = await ownerIn(path)
      if (owner !== undefined && (await isAlive(owner))) {
        const reason = `process ${owner.pid} runs a network there`
        throw new HoldfastError({ code: 'NETWORK_EXISTS', path: directory, reason })
      }
      await rm(path, { force: true })
    }
  } finally {
    await rm(mine, { force: true })
  }
  const reason = 'another process is just starting one there'
  throw new HoldfastError({ code: 'NETWORK_EXISTS', path: directory, reason })
}
