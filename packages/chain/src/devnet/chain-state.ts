/**
 * The embedded chain's state on disk. While the chain grows, its state is dumped about once a
 * second into a file that is replaced whole; so kill -9 of everything loses at most the newest
 * second, and never leaves half a file. Nothing is written while the chain stands still.
 */
import { mkdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { type Clock, HoldfastError, type Logger, milliseconds } from '@holdfast/protocol'
import { writeFileAtomically } from '../atomic-file.ts'
import { type ChainControl, callsTo, chainControl } from './chain-rpc.ts'

const INTERVAL_MS = 500
/** A long history takes long to dump: never more than a tenth of the time goes into it. */
const REST = 9
const inflate = promisify(gunzip)

export const stateFile = (stateDir: string): string => join(stateDir, 'chain', 'state.json')

/** The state to continue from, or undefined when there is none. */
export const findState = async (stateDir: string): Promise<string | undefined> => {
  await mkdir(join(stateDir, 'chain'), { recursive: true })
  const path = stateFile(stateDir)
  const found = await stat(path).catch(() => undefined)
  return found?.isFile() === true ? path : undefined
}

export class ChainState {
  readonly #path: string
  readonly #control: ChainControl
  readonly #head: () => Promise<string>
  #saved: string | undefined

  constructor(stateDir: string, url: string) {
    this.#path = stateFile(stateDir)
    this.#control = chainControl(url)
    const call = callsTo(url)
    this.#head = async () => {
      const block = (await call('eth_getBlockByNumber', ['latest', false])) as { hash?: unknown }
      return String(block.hash)
    }
  }

  /** Writes the state down unless it is that of the last time. */
  async save(): Promise<void> {
    // The head is read before the dump: a block in between is dumped and, next time, dumped again.
    const head = await this.#head()
    if (head === this.#saved) return
    const state = await inflate(await this.#control.dump())
    await writeFileAtomically(this.#path, state)
    this.#saved = head
  }

  /** Saves about every half second until the signal fires. A failure is logged and tried again. */
  async run(clock: Clock, logger: Logger, signal: AbortSignal): Promise<void> {
    let tookMs = 0
    while (!signal.aborted) {
      try {
        await clock.sleep(milliseconds(Math.max(INTERVAL_MS, REST * tookMs)), { signal })
        const started = clock.now()
        await this.save()
        tookMs = clock.now() - started
      } catch (cause) {
        if (HoldfastError.is(cause, 'ABORTED')) return
        if (!signal.aborted) logger.warn('chain state not saved', { cause })
      }
    }
  }
}
