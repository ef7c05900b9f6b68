/**
 * What a running devnet writes down about its processes, so that `status` and `down` of other
 * processes find it. A file left by a devnet that was killed is recognised by its dead process.
 */
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isRunningAs } from '@holdfast/chain'
import { type Clock, HoldfastError, milliseconds } from '@holdfast/protocol'

export interface ProviderProcess {
  /** `provider-1` and so on. */
  readonly name: string
  readonly provider: string
  readonly pid: number
  readonly region: string
  readonly grpc: string
  readonly http: string
  readonly home: string
  /** Where its stderr goes. */
  readonly log: string
}

export interface DevnetStatus {
  readonly state: string
  /** The network file. */
  readonly network: string
  readonly pid: number
  readonly chain: { readonly pid: number; readonly rpc: string }
  /** Those that run. */
  readonly providers: readonly ProviderProcess[]
}

const MARK = 'devnet'
/** Draining providers take up to 30 s. */
const STOP_MS = 60_000
const STEP_MS = 100

const runFile = (state: string): string => join(state, 'devnet.json')

export const writeRunFile = async (status: DevnetStatus): Promise<void> => {
  const path = runFile(status.state)
  await writeFile(`${path}.new`, `${JSON.stringify(status, undefined, 2)}\n`, { mode: 0o600 })
  await rename(`${path}.new`, path)
}

export const removeRunFile = (state: string): Promise<void> => rm(runFile(state), { force: true })

/** The last run's file, whether its processes live or not. */
export const readRunFile = async (state: string): Promise<DevnetStatus | undefined> => {
  let text: string
  try {
    text = await readFile(runFile(state), 'utf8')
  } catch {
    return undefined
  }
  try {
    const value = JSON.parse(text) as DevnetStatus
    return Number.isInteger(value.pid) && Array.isArray(value.providers) ? value : undefined
  } catch {
    return undefined
  }
}

/** @throws HoldfastError `LEDGER_UNREACHABLE` when no devnet runs there. */
export const liveStatus = async (state: string): Promise<DevnetStatus> => {
  const status = await readRunFile(state)
  if (status === undefined || !(await isRunningAs(status.pid, MARK))) {
    throw new HoldfastError({
      code: 'LEDGER_UNREACHABLE',
      endpoint: state,
      reason: 'no devnet runs there; start it with holdfast devnet up',
    })
  }
  const alive = await Promise.all(status.providers.map(({ pid, home }) => isRunningAs(pid, home)))
  return { ...status, providers: status.providers.filter((_, i) => alive[i]) }
}

/** Asks a running devnet to stop and waits until it has. @throws HoldfastError `NOTHING_TO_DO`. */
export const stopDevnet = async (state: string, clock: Clock): Promise<void> => {
  const status = await readRunFile(state)
  if (status === undefined || !(await isRunningAs(status.pid, MARK))) {
    throw new HoldfastError({ code: 'NOTHING_TO_DO', reason: `no devnet runs in ${state}` })
  }
  process.kill(status.pid, 'SIGTERM')
  const end = clock.now() + STOP_MS
  while (await isRunningAs(status.pid, MARK)) {
    if (clock.now() > end) {
      const what = `the devnet in ${state} (process ${status.pid}) to stop`
      throw new HoldfastError({ code: 'TIMED_OUT', what, afterMs: STOP_MS })
    }
    await clock.sleep(milliseconds(STEP_MS))
  }
}
