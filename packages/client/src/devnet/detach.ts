/** Starts the devnet as a process of its own and returns when it is ready. */
import { spawn } from 'node:child_process'
import { mkdir, open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Clock, HoldfastError, milliseconds, type Seconds } from '@holdfast/protocol'
import { stopIfAborted } from '../abort.ts'
import { type DevnetStatus, liveStatus } from './run-file.ts'

export interface DetachRequest {
  readonly state: string
  readonly period: Seconds
  readonly providers: number
  readonly clock: Clock
  readonly signal: AbortSignal
}

const READY_MS = 120_000
const STEP_MS = 100
const LOG_TAIL = 2000

/** @throws HoldfastError `NETWORK_EXISTS`, `PROCESS_FAILED` with the end of its log, `TIMED_OUT`. */
export const detachDevnet = async (request: DetachRequest): Promise<DevnetStatus> => {
  const { state, period, providers, clock, signal } = request
  const running = await liveStatus(state).catch(() => undefined)
  if (running !== undefined) {
    const reason = `a devnet runs there already (process ${running.pid})`
    throw new HoldfastError({ code: 'NETWORK_EXISTS', path: state, reason })
  }
  await mkdir(state, { recursive: true, mode: 0o700 })
  const logPath = join(state, 'devnet.log')
  const log = await open(logPath, 'w', 0o600)
  const flags = ['--state', state, '--period', `${period}s`, '--providers', String(providers)]
  const child = spawn(process.execPath, [process.argv[1] ?? '', 'devnet', 'up', ...flags], {
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
  })
  await log.close()
  const end = clock.now() + READY_MS
  try {
    for (;;) {
      stopIfAborted(signal)
      const status = await liveStatus(state).catch(() => undefined)
      if (status?.pid === child.pid && status !== undefined) return status
      if (child.exitCode !== null || child.signalCode !== null) throw await failed(logPath)
      if (clock.now() > end) {
        throw new HoldfastError({
          code: 'TIMED_OUT',
          what: 'the devnet to be ready',
          afterMs: READY_MS,
        })
      }
      await clock.sleep(milliseconds(STEP_MS), { signal })
    }
  } catch (error) {
    child.kill('SIGTERM')
    throw error
  } finally {
    child.unref()
  }
}

const failed = async (logPath: string): Promise<HoldfastError> => {
  const said = (await readFile(logPath, 'utf8').catch(() => '')).trim().slice(-LOG_TAIL)
  return new HoldfastError({ code: 'PROCESS_FAILED', program: 'holdfast devnet up', reason: said })
}
