/**
 * One provider of the devnet as a child process: initialised once, then kept running. One that ends
 * by itself with an error is started again after a pause that grows; one that is ended by a signal
 * stays down, because on a devnet somebody did that on purpose.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream, type WriteStream } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { endProcess } from '@holdfast/chain'
import { type Clock, HoldfastError, milliseconds } from '@holdfast/protocol'
import type { Program } from './provider-program.ts'
import type { ProviderProcess } from './run-file.ts'

export interface ProviderPlan {
  readonly name: string
  readonly region: string
  /** Tokens per TiB-month and per deal-month, decimal. */
  readonly price: string
  readonly provingFee: string
  /** The state directory of the devnet. */
  readonly state: string
  readonly network: string
  readonly owner: { readonly keystore: string; readonly passphraseFile: string }
  readonly operator: { readonly keystore: string; readonly passphraseFile: string }
}

export interface ProviderChildOptions {
  readonly program: Program
  readonly clock: Clock
  readonly note: (text: string) => void
  /** Told when the process is ready, again after each restart, and undefined when it is gone. */
  readonly onChange: (process: ProviderProcess | undefined) => void
}

const CAPACITY = '20GiB'
const STAKE = '100'
const COLLATERAL_FUND = '1000'
/** A provider drains within 30 s. */
const DRAIN_MS = 35_000
const PAUSE_MIN_MS = 500
const PAUSE_MAX_MS = 15_000
const OUTPUT_MAX = 8192

export class ProviderChild {
  readonly #plan: ProviderPlan
  readonly #options: ProviderChildOptions
  readonly #home: string
  readonly #log: string
  #child: ChildProcess | undefined
  #stopping = false
  #running: Promise<void> = Promise.resolve()

  constructor(plan: ProviderPlan, options: ProviderChildOptions) {
    this.#plan = plan
    this.#options = options
    this.#home = join(plan.state, 'providers', plan.name)
    this.#log = join(plan.state, 'providers', `${plan.name}.log`)
  }

  /**
   * Initialises (idempotent), starts, and resolves when the provider is ready.
   * @throws HoldfastError `PROCESS_FAILED` with the end of its output.
   */
  async start(): Promise<void> {
    await mkdir(this.#home, { recursive: true, mode: 0o700 })
    await this.#init()
    const { ended } = await this.#launch()
    this.#running = this.#keep(ended)
    this.#running.catch(() => undefined)
  }

  /** Lets it drain; kills it when it does not. */
  async stop(): Promise<void> {
    this.#stopping = true
    const child = this.#child
    if (child?.pid !== undefined && child.exitCode === null && child.signalCode === null) {
      const closed = new AbortController()
      const patience = this.#options.clock
        .sleep(milliseconds(DRAIN_MS), { signal: closed.signal })
        .then(() => child.kill('SIGKILL'))
        .catch(() => undefined)
      child.kill('SIGTERM')
      await once(child, 'close')
      closed.abort()
      await patience
    }
    await this.#running
  }

  async #init(): Promise<void> {
    const { name, region, price, provingFee, network, owner, operator } = this.#plan
    const child = this.#spawn([
      'init',
      ...['--home', this.#home, '--network', network, '--region', region],
      ...['--price', price, '--proving-fee', provingFee, '--capacity', CAPACITY],
      ...['--host', '127.0.0.1', '--grpc-port', '0', '--http-port', '0'],
      ...['--owner-keystore', owner.keystore, '--owner-passphrase-file', owner.passphraseFile],
      ...['--operator-keystore', operator.keystore],
      ...['--operator-passphrase-file', operator.passphraseFile],
      ...['--stake', STAKE, '--collateral-fund', COLLATERAL_FUND, '--yes', '--json'],
    ])
    const said = tailOf(child)
    const code = await exitOf(child)
    if (code !== 0) throw failed(`${name} init`, `exit code ${code}: ${said()}`)
  }

  /** Starts the process; resolves at its ready line. */
  async #launch(): Promise<{ readonly ended: Promise<number | string> }> {
    const { network, name, region } = this.#plan
    const child = this.#spawn(['run', '--home', this.#home, '--network', network])
    this.#child = child
    const log: WriteStream = createWriteStream(this.#log, { flags: 'a', mode: 0o600 })
    child.stderr?.pipe(log)
    const said = tailOf(child)
    const ended = exitOf(child)
    const ready = readyLine(child)
    const first = await Promise.race([ready, ended.then((code) => ({ code }))])
    if ('code' in first) throw failed(`${name} run`, `${first.code}: ${said()}`)
    const { provider, grpc, http } = first
    const pid = child.pid ?? 0
    const process = { name, provider, pid, region, grpc, http, home: this.#home, log: this.#log }
    this.#options.onChange(process)
    return { ended }
  }

  async #keep(first: Promise<number | string>): Promise<void> {
    let launched = { ended: first }
    for (let pause = PAUSE_MIN_MS; ; pause = Math.min(PAUSE_MAX_MS, pause * 2)) {
      const how = await launched.ended
      this.#options.onChange(undefined)
      if (this.#stopping || how === 0) return
      if (typeof how === 'string') {
        this.#options.note(
          `${this.#plan.name} was ended by ${how}; it stays down until the next devnet up`,
        )
        return
      }
      this.#options.note(
        `${this.#plan.name} ended with exit code ${how}; see ${this.#log}; starting it again`,
      )
      await this.#options.clock.sleep(milliseconds(pause))
      if (this.#stopping) return
      // A start that fails counts as one more end: the next pause is longer.
      launched = await this.#launch().catch(() => ({ ended: Promise.resolve(1) }))
    }
  }

  #spawn(args: readonly string[]): ChildProcess {
    const { command, prefix } = this.#options.program
    return spawn(command, [...prefix, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  }
}

/** Ends a provider that an earlier, killed devnet left behind: it would hold its home directory. */
export const endLeftOver = async ({ pid, home }: ProviderProcess, clock: Clock): Promise<boolean> =>
  endProcess(pid, home, clock)

/** The exit code, or the signal's name, or why it could not be started. */
const exitOf = (child: ChildProcess): Promise<number | string> =>
  new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('close', (code, signal) => resolve(code ?? signal ?? 1))
  })

/** The last of what a process said on both streams. */
const tailOf = (child: ChildProcess): (() => string) => {
  let text = ''
  const keep = (chunk: Buffer): void => {
    text = (text + chunk.toString('utf8')).slice(-OUTPUT_MAX)
  }
  child.stdout?.on('data', keep)
  child.stderr?.on('data', keep)
  return () => text.trim()
}

interface Ready {
  readonly provider: string
  readonly grpc: string
  readonly http: string
}

const readyLine = (child: ChildProcess): Promise<Ready> =>
  new Promise((resolve) => {
    if (child.stdout === null) return
    const lines = createInterface({ input: child.stdout })
    lines.on('line', (line) => {
      const json = /^ready (\{.*\})$/.exec(line)?.[1]
      if (json !== undefined) resolve(JSON.parse(json) as Ready)
    })
  })

const failed = (program: string, reason: string): HoldfastError =>
  new HoldfastError({ code: 'PROCESS_FAILED', program, reason })
