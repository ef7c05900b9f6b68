/**
 * The configuration in use, and how it changes while the node runs: prices and limits take effect at
 * once, everything else at the next start. A file that does not hold together changes nothing.
 */
import { isDeepStrictEqual } from 'node:util'
import { HoldfastError, type Logger } from '@holdfast/protocol'
import { type ProviderConfig, readConfig } from './config.ts'
import { sealFile } from './config-seal.ts'
import { LIMITS_DEFAULT, type Limits } from './limits/limits.ts'

/** What may change while the node runs. */
const LIVE: readonly (keyof ProviderConfig)[] = [
  'pricePerTibMonth',
  'provingFeeMonth',
  'egressPerTib',
  'payloadBytesMax',
  'limits',
  'settleEvery',
  'settling',
  'alarms',
]

export interface Reloaded {
  /** Settings that are in force now and were not before. */
  readonly changed: readonly string[]
  /** Settings that differ and wait for the next start. */
  readonly needRestart: readonly string[]
}

export class LiveConfig {
  readonly #path: string
  readonly #logger: Logger
  readonly #listeners = new Set<(found: ProviderConfig) => Promise<void> | void>()
  #current: ProviderConfig
  #problem: string | undefined

  /** `path` is where `reload` reads. */
  constructor(initial: ProviderConfig, path: string, logger: Logger) {
    this.#current = initial
    this.#path = path
    this.#logger = logger
  }

  get current(): ProviderConfig {
    return this.#current
  }

  /** Told of a good file before it is taken; one that throws refuses it. */
  onReload(listener: (found: ProviderConfig) => Promise<void> | void): void {
    this.#listeners.add(listener)
  }

  get limits(): Limits {
    return this.#current.limits ?? LIMITS_DEFAULT
  }

  /** Why the file that is there now was not taken; undefined when all is well. */
  get problem(): string | undefined {
    return this.#problem
  }

  /** @throws HoldfastError `CONFIG_INVALID`, `INPUT_UNREADABLE`; then everything stays as it was. */
  async reload(): Promise<Reloaded> {
    try {
      const found = await readConfig(this.#path)
      await sealFile(this.#path)
      for (const listener of this.#listeners) await listener(found)
      this.#problem = undefined
      return this.#take(found)
    } catch (error) {
      this.#problem = error instanceof HoldfastError ? error.message : String(error)
      this.#logger.error('configuration not taken, the former one stays', { reason: this.#problem })
      throw error
    }
  }

  #take(found: ProviderConfig): Reloaded {
    const names = Object.keys({ ...this.#current, ...found }) as (keyof ProviderConfig)[]
    const differ = names.filter((name) => !isDeepStrictEqual(this.#current[name], found[name]))
    const changed = differ.filter((name) => LIVE.includes(name))
    const needRestart = differ.filter((name) => !LIVE.includes(name))
    const taken = Object.fromEntries(changed.map((name) => [name, found[name]]))
    this.#current = { ...this.#current, ...taken }
    this.#logger.info('configuration read again', { changed, need_restart: needRestart })
    return { changed, needRestart }
  }
}
