/** What both kinds of lock share: what is locked, and the process that its text names. */
import { readFile, readlink } from 'node:fs/promises'

export interface PathLock {
  release(): Promise<void>
}

export interface LockedPath {
  readonly path: string
  /** What is locked, for the error. */
  readonly of: string
  /** Whether the file is left there by who releases it; taking it again needs no room then. */
  readonly stays: boolean
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

/** The system's name of a failure. */
export const errnoOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : 'UNKNOWN'
