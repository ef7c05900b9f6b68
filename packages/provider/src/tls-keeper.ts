/**
 * Keeps the TLS identity while the node runs: servers ask it for the certificate and hear of a new one.
 * A certificate may be exchanged at any time, by hand or by itself before it expires; the key may not,
 * because it is registered on the ledger and clients trust nothing else.
 */
import { X509Certificate } from 'node:crypto'
import { type Clock, HoldfastError, type Logger, milliseconds } from '@holdfast/protocol'
import { readTlsIdentity, renewTlsCertificate, type TlsIdentity } from './tls.ts'

const DAY_MS = 86_400_000
/** Warned of for this long before it expires. */
const WARN_DAYS = 30
/** Made anew when nobody did so until then. */
const RENEW_DAYS = 7
const LOOK_EVERY_MS = 60_000

export interface TlsKeeperDependencies {
  readonly clock: Clock
  readonly logger: Logger
}

export interface TlsKeeperOptions {
  /** Where key and certificate are. */
  readonly directory: string
  /** The name that a certificate made here bears. */
  readonly host: string
}

export class TlsKeeper {
  readonly #dependencies: TlsKeeperDependencies
  readonly #options: TlsKeeperOptions
  readonly #listeners = new Set<(identity: TlsIdentity) => void>()
  #current: TlsIdentity
  #problem: string | undefined
  #warnedOn = -1

  private constructor(
    dependencies: TlsKeeperDependencies,
    options: TlsKeeperOptions,
    current: TlsIdentity,
  ) {
    this.#dependencies = dependencies
    this.#options = options
    this.#current = current
  }

  /** @throws HoldfastError `INPUT_UNREADABLE`, `CONFIG_INVALID`. */
  static async open(
    dependencies: TlsKeeperDependencies,
    options: TlsKeeperOptions,
  ): Promise<TlsKeeper> {
    return new TlsKeeper(dependencies, options, await readTlsIdentity(options.directory))
  }

  get current(): TlsIdentity {
    return this.#current
  }

  /** Why the files that are there now were not taken; undefined when all is well. */
  get problem(): string | undefined {
    return this.#problem
  }

  /** Whole days until the certificate in use expires; negative afterwards. */
  get daysLeft(): number {
    const end = new Date(new X509Certificate(this.#current.certPem).validTo).getTime()
    return Math.floor((end - this.#dependencies.clock.now()) / DAY_MS)
  }

  /** Calls with every new identity, until the returned function is called. */
  onChange(listener: (identity: TlsIdentity) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /**
   * Takes the certificate that is in the directory now; true when it is another one.
   * @throws HoldfastError `TLS_KEY_MISMATCH`, `INPUT_UNREADABLE`, `CONFIG_INVALID`; then the former one
   * stays in use.
   */
  async reload(): Promise<boolean> {
    const found = await readTlsIdentity(this.#options.directory)
    const { keyHash } = this.#current
    if (found.keyHash !== keyHash) {
      const detail = { expected: keyHash, actual: found.keyHash } as const
      throw new HoldfastError({ code: 'TLS_KEY_MISMATCH', ...detail })
    }
    this.#problem = undefined
    if (found.certPem === this.#current.certPem) return false
    this.#current = found
    for (const tell of this.#listeners) tell(found)
    this.#dependencies.logger.info('certificate exchanged', { days_left: this.daysLeft })
    return true
  }

  /** Makes a new certificate for the same key and takes it. */
  async renew(): Promise<void> {
    const { directory, host } = this.#options
    const now = new Date(this.#dependencies.clock.now())
    await renewTlsCertificate(directory, host, now)
    await this.reload()
  }

  /** Looks for exchanged files and for the end of validity, until the signal fires. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#dependencies
    while (!signal.aborted) {
      await this.look()
      await clock.sleep(milliseconds(LOOK_EVERY_MS), { signal }).catch(() => undefined)
    }
  }

  /** One look; never throws. */
  async look(): Promise<void> {
    try {
      await this.reload()
      if (this.daysLeft <= RENEW_DAYS) await this.renew()
      else this.#warn()
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      if (reason === this.#problem) return
      this.#problem = reason
      this.#dependencies.logger.error('certificate not taken, the former one stays', { reason })
    }
  }

  /** Once a day. */
  #warn(): void {
    const { daysLeft } = this
    if (daysLeft > WARN_DAYS || daysLeft === this.#warnedOn) return
    this.#warnedOn = daysLeft
    this.#dependencies.logger.warn('certificate expires soon', { days_left: daysLeft })
  }
}
