/**
 * Looking at and ending processes by number, with care that the number still means the process it
 * was written down for: numbers are reused, so a process counts only when its command line holds a
 * mark that the caller chose.
 */
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { type Clock, HoldfastError, milliseconds } from '@holdfast/protocol'

const run = promisify(execFile)

const commandLine = async (pid: number): Promise<string> => {
  if (process.platform === 'linux') {
    const text = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
    return text.replaceAll('\0', ' ')
  }
  const listed = await run('ps', ['-p', String(pid), '-o', 'command=']).catch(() => undefined)
  return listed?.stdout ?? ''
}

/** True while process `pid` runs; also when it belongs to somebody else. */
export const isRunning = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** True while process `pid` runs with `mark` in its command line. */
export const isRunningAs = async (pid: number, mark: string): Promise<boolean> =>
  isRunning(pid) && (await commandLine(pid)).includes(mark)

const GRACE_MS = 3000
const STEP_MS = 20

const gone = async (pid: number, mark: string, clock: Clock): Promise<boolean> => {
  const until = clock.now() + GRACE_MS
  while (await isRunningAs(pid, mark)) {
    if (clock.now() > until) return false
    await clock.sleep(milliseconds(STEP_MS))
  }
  return true
}

/**
 * Ends process `pid` if it runs with `mark` in its command line: asked first, then killed.
 * @returns whether there was one.
 * @throws HoldfastError `PROCESS_FAILED` when it does not die.
 */
export const endProcess = async (pid: number, mark: string, clock: Clock): Promise<boolean> => {
  if (!(await isRunningAs(pid, mark))) return false
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    try {
      process.kill(pid, signal)
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ESRCH') return true
      throw cause
    }
    if (await gone(pid, mark, clock)) return true
  }
  throw new HoldfastError({
    code: 'PROCESS_FAILED',
    program: mark,
    reason: `process ${pid} is left from an earlier run and does not stop; end it by hand`,
  })
}
