/**
 * A whole network for one walk: `holdfast devnet up` as a person would start it, its chain process
 * and providers as real processes, and beside it our own view of the chain, so that what commands
 * say is compared with what contracts hold. Everything lives in one temporary folder and is gone
 * after `close`.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import {
  type Ledger,
  openEvmLedger,
  openKeystore,
  readNetwork,
  readPassphrase,
  systemClock,
} from '@holdfast/chain'
import { type ProviderId, type Signer, silentLogger } from '@holdfast/protocol'
import { type Environment, type Outcome, Running, runNode } from './process.ts'
import { until } from './wait.ts'

/** A program of one of our packages, by the package's name. */
const program = (name: string, path: string): string =>
  join(dirname(createRequire(import.meta.url).resolve(name)), '..', '..', path)

const HOLDFAST = program('@holdfast/client', 'bin/holdfast.mjs')
export const HOLDFAST_PROVIDER: string = program('@holdfast/provider', 'bin/holdfast-provider.mjs')

/** A provider's process as `holdfast devnet status` lists it. */
export interface ProviderProcess {
  readonly provider: ProviderId
  readonly pid: number
  /** Its home directory: configuration, journal, volumes. */
  readonly home: string
  /** The file that its standard error goes to. */
  readonly log: string
}

export interface NetworkOptions {
  /** As `--period` takes it. */
  readonly period?: string
  readonly providers?: number
}

export class Network {
  /** A folder for the walk's own files. */
  readonly folder: string
  readonly ledger: Ledger
  readonly #devnet: Running
  readonly #env: Environment
  readonly #writers: Ledger[] = []

  private constructor(parts: {
    readonly folder: string
    readonly ledger: Ledger
    readonly devnet: Running
    readonly env: Environment
  }) {
    this.folder = parts.folder
    this.ledger = parts.ledger
    this.#devnet = parts.devnet
    this.#env = parts.env
  }

  /** Starts a network and waits until all its providers are ready. */
  static async start(options: NetworkOptions = {}): Promise<Network> {
    const folder = await mkdtemp(join(tmpdir(), 'holdfast-walk-'))
    const state = join(folder, 'devnet')
    const env = environment(folder, state)
    const { period = '5s', providers = 2 } = options
    const flags = ['--state', state, '--period', period, '--providers', String(providers)]
    const devnet = new Running([HOLDFAST, 'devnet', 'up', ...flags], env)
    try {
      await until('the devnet is up', () => {
        if (devnet.ended) throw new Error(`holdfast devnet up has ended: ${devnet.stderr}`)
        return devnet.stderr.includes('devnet is up') ? true : undefined
      })
      const ledger = await openAt(state)
      return new Network({ folder, ledger, devnet, env })
    } catch (error) {
      await devnet.stop()
      await rm(folder, { recursive: true, force: true })
      throw error
    }
  }

  /** A path in the walk's folder. */
  path(...parts: readonly string[]): string {
    return join(this.folder, ...parts)
  }

  /** Runs a `holdfast` command to its end, whatever its exit code. */
  holdfast(...args: readonly string[]): Promise<Outcome> {
    return runNode([HOLDFAST, ...args], this.#env)
  }

  /** Starts a `holdfast` command that goes on; stop it. */
  running(...args: readonly string[]): Running {
    return new Running([HOLDFAST, ...args], this.#env)
  }

  /** Runs a command that must succeed, and returns the value it prints with `--json`. */
  async value<T>(...args: readonly string[]): Promise<T> {
    const outcome = await this.holdfast(...args, '--json')
    if (outcome.exit !== 0) {
      const said = `${outcome.stdout.toString('utf8')}${outcome.stderr}`
      throw new Error(`holdfast ${args.join(' ')} ended with ${outcome.exit}: ${said}`)
    }
    return JSON.parse(outcome.stdout.toString('utf8')) as T
  }

  /** The processes of all providers that run. */
  async processes(): Promise<readonly ProviderProcess[]> {
    const status = await this.value<{ readonly providers: readonly ProviderProcess[] }>(
      'devnet',
      'status',
      '--state',
      this.path('devnet'),
    )
    return status.providers
  }

  /** The process of one provider. */
  async process(provider: ProviderId): Promise<ProviderProcess> {
    const found = (await this.processes()).find((one) => one.provider === provider)
    if (found === undefined) throw new Error(`no process of provider ${provider}`)
    return found
  }

  /** Ends a provider at once, as a power cut would. */
  async kill(provider: ProviderId): Promise<void> {
    const { pid } = await this.process(provider)
    process.kill(pid, 'SIGKILL')
    await until(`process ${pid} is gone`, () => (isAlive(pid) ? undefined : true))
  }

  /** What a provider has logged so far. */
  async log(provider: ProviderId): Promise<string> {
    const { log } = await this.process(provider)
    return readFile(log, 'utf8')
  }

  /** The key of a named account of the devnet. */
  async signer(name: string): Promise<Signer> {
    const keys = this.path('devnet', 'keys')
    const passphrase = await readPassphrase(join(keys, `${name}.pass`))
    return openKeystore(join(keys, `${name}.json`), passphrase)
  }

  /** The chain as a named account of the devnet, for writing. */
  async writer(name: string): Promise<Ledger> {
    const ledger = await openAt(this.path('devnet'), await this.signer(name))
    this.#writers.push(ledger)
    return ledger
  }

  async close(): Promise<void> {
    for (const ledger of this.#writers) await ledger.close()
    await this.ledger.close()
    await this.#devnet.stop()
    await rm(this.folder, { recursive: true, force: true })
  }
}

/** A view of the chain whose state directory is given, with a key if it is to write. */
const openAt = async (state: string, signer?: Signer): Promise<Ledger> => {
  const network = await readNetwork(join(state, 'network.json'))
  const ambient = { clock: systemClock, logger: silentLogger }
  const key = signer === undefined ? {} : { signer }
  return openEvmLedger({ network, rpc: network.rpc, ...ambient, ...key })
}

const environment = (folder: string, state: string): Environment => ({
  ...process.env,
  HOLDFAST_HOME: join(folder, 'home'),
  HOLDFAST_NETWORK: join(state, 'network.json'),
  HOLDFAST_KEYSTORE: join(state, 'keys', 'publisher.json'),
  HOLDFAST_PROVIDER_BIN: HOLDFAST_PROVIDER,
  HOLDFAST_PASSPHRASE_FILE: join(state, 'keys', 'publisher.pass'),
})

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
