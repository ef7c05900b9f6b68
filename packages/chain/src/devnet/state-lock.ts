/**
 * One devnet per state directory. The lock is a file that names its owner's process; it is made by
 * linking a finished file into place, so that it is never seen half written, and a lock whose owner
 * is dead is taken over. Process numbers are reused: the owner's start time is noted with them.
 */
import { createHash } from 'node:crypto'
import { link, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { HoldfastError, type Random } from '@holdfast/protocol'
import { asRecord } from '../json.ts'
import { isRunning } from './processes.ts'

/** Enough for a lock that was stale, and for one that was stale again. */
const ROUNDS = 5
/** Names of guards begin so; see `Locker`. */
const GUARD = 'lock-after.'

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

const ownerIn = (text: string): Owner | undefined => {
  try {
    const record = asRecord(JSON.parse(text))
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

const readOrNothing = (path: string): Promise<string | undefined> =>
  readFile(path, 'utf8').catch(() => undefined)

/** True when the finished file `mine` is now also there under `path`, where nothing was. */
const claim = async (mine: string, path: string): Promise<boolean> => {
  try {
    await link(mine, path)
    return true
  } catch (cause) {
    if (isTaken(cause)) return false
    throw cause
  }
}

class Locker {
  readonly #directory: string
  readonly #path: string
  readonly #mine: string
  readonly #text: string

  constructor(directory: string, suffix: string, text: string) {
    this.#directory = directory
    this.#path = join(directory, 'lock')
    this.#mine = join(directory, `lock.${suffix}`)
    this.#text = text
  }

  async take(): Promise<StateLock> {
    await writeFile(this.#mine, this.#text)
    try {
      for (let round = 0; round < ROUNDS; round++) {
        if (await claim(this.#mine, this.#path)) return this.#lock
        if (await this.#takeOver()) return this.#lock
      }
    } finally {
      await rm(this.#mine, { force: true })
    }
    throw this.#taken('other processes are just starting one there')
  }

  get #lock(): StateLock {
    return { release: () => this.#release() }
  }

  /**
   * Replaces the lock of a dead owner. Of all who want to, one makes the guard that is named after
   * the dead lock; so no lock is ever replaced twice. Should that one die before it is done, its
   * guard is itself replaced in the same way.
   */
  async #takeOver(): Promise<boolean> {
    const stale = await readOrNothing(this.#path)
    if (stale === undefined) return false
    await this.#refuseAlive(stale)
    let last = stale
    for (
      let guard = await this.#guard(last);
      guard !== undefined;
      guard = await this.#guard(last)
    ) {
      await this.#refuseAlive(guard)
      last = guard
    }
    const mark = this.#guardOf(last)
    if (!(await claim(this.#mine, mark))) return false
    if ((await readOrNothing(this.#path)) !== stale) {
      await rm(mark, { force: true })
      return false
    }
    await rename(this.#mine, this.#path)
    return true
  }

  #guardOf(text: string): string {
    return join(this.#directory, `${GUARD}${createHash('sha256').update(text).digest('hex')}`)
  }

  #guard(text: string): Promise<string | undefined> {
    return readOrNothing(this.#guardOf(text))
  }

  async #refuseAlive(text: string): Promise<void> {
    const owner = ownerIn(text)
    if (owner === undefined || !(await isAlive(owner))) return
    throw this.#taken(`process ${owner.pid} runs a network there`)
  }

  #taken(reason: string): HoldfastError {
    return new HoldfastError({ code: 'NETWORK_EXISTS', path: this.#directory, reason })
  }

  async #release(): Promise<void> {
    if ((await readOrNothing(this.#path)) !== this.#text) return
    await rm(this.#path, { force: true })
    for (const name of await readdir(this.#directory)) {
      if (name.startsWith(GUARD)) await rm(join(this.#directory, name), { force: true })
    }
  }
}

/**
 * Takes the lock of `directory`, which must exist.
 * @throws HoldfastError `NETWORK_EXISTS` while another running process holds it.
 */
export const takeLock = async (directory: string, random: Random): Promise<StateLock> => {
  const suffix = Buffer.from(random.bytes(6)).toString('hex')
  const owner = { pid: process.pid, started: await startOf(process.pid), suffix }
  return new Locker(directory, suffix, JSON.stringify(owner)).take()
}
