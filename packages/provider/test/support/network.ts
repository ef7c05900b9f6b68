/**
 * A network for tests: a simulated chain with one registered provider and one funded publisher, and
 * a real provider (real files, TLS, gRPC and HTTPS on loopback, real prover) on top of it.
 */
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  createMemoryChain,
  type Ledger,
  type MemoryChain,
  signerFromPrivateKey,
  systemClock,
  systemRandom,
} from '@holdfast/chain'
import {
  amount,
  bytes,
  type LogFields,
  type Logger,
  type Period,
  period,
  periodAt,
  type Signer,
  seconds,
  timestamp,
} from '@holdfast/protocol'
import { openProver, type Prover } from '@holdfast/prover'
import type { ProviderConfig } from '../../src/config.ts'
import { type HomePaths, homePaths } from '../../src/home.ts'
import type { Platform } from '../../src/platform.ts'
import { Provider, type ProviderEndpoints } from '../../src/provider.ts'
import type { ProviderOptions } from '../../src/provider-parts.ts'
import { createVolume, writeDurably } from '../../src/store/volume-files.ts'
import { createTlsIdentity } from '../../src/tls.ts'
import { type ClientNetwork, TestClient } from './client.ts'

/** Small, so that tests need not move many bytes to see a sector with one payload. */
export const SHARED_PAYLOAD_MAX = bytes(2 ** 20)
export const PERIOD_SECONDS = 1000n
const MONEY = amount(1_000_000_000_000n)

export interface LogLine {
  readonly level: string
  readonly event: string
  readonly fields: LogFields
}

/** Keeps what was logged. */
export const recordingLogger = (lines: LogLine[]): Logger => {
  const at =
    (level: string) =>
    (event: string, fields: LogFields = {}): void => {
      lines.push({ level, event, fields })
    }
  const logger: Logger = {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: () => logger,
  }
  return logger
}

const signerOf = (byte: number): Signer => signerFromPrivateKey(new Uint8Array(32).fill(byte))

/** The accounts of every test network. */
export const ACCOUNTS = {
  owner: signerOf(11),
  operator: signerOf(12),
  publisher: signerOf(13),
  stranger: signerOf(14),
} as const

/** Where a network is put when it must be found again by another process. */
export interface TestPlace {
  readonly home?: string
  readonly genesis?: bigint
}

/** What a provider is started with that is not in its configuration. */
export interface Tuning extends Pick<ProviderOptions, 'storing'> {
  readonly platform?: Platform
}

/** The chain and its accounts, and a home that is ready to run. */
export class TestNetwork {
  readonly chain: MemoryChain
  readonly owner: Signer = ACCOUNTS.owner
  readonly operator: Signer = ACCOUNTS.operator
  readonly publisher: Signer = ACCOUNTS.publisher
  readonly stranger: Signer = ACCOUNTS.stranger
  readonly paths: HomePaths
  readonly prover: Prover
  readonly log: LogLine[] = []
  readonly #ledgers: Ledger[] = []
  readonly #running = new Set<RunningProvider>()
  config: ProviderConfig

  private constructor(parts: {
    readonly chain: MemoryChain
    readonly paths: HomePaths
    readonly prover: Prover
    readonly config: ProviderConfig
  }) {
    this.chain = parts.chain
    this.paths = parts.paths
    this.prover = parts.prover
    this.config = parts.config
  }

  static async create(
    settings: Partial<ProviderConfig> = {},
    place: TestPlace = {},
  ): Promise<TestNetwork> {
    const genesis = timestamp(place.genesis ?? Math.floor(systemClock.now() / 1000))
    const chain = createMemoryChain({
      genesis,
      period: seconds(PERIOD_SECONDS),
      window: seconds(750),
      randomSeed: new Uint8Array(32).fill(7),
    })
    const home = place.home ?? (await mkdtemp(join(tmpdir(), 'holdfast-provider-')))
    const paths = homePaths(home)
    const [token] = chain.network.tokens
    if (token === undefined) throw new Error('the simulated network has a token')
    const config: ProviderConfig = {
      network: 'memory',
      provider: ACCOUNTS.owner.address,
      operatorKeystore: 'unused',
      operatorPassphraseFile: 'unused',
      host: '127.0.0.1',
      grpcPort: 0,
      httpPort: 0,
      region: 'nowhere',
      token: token.address,
      pricePerTibMonth: amount(2_000_000_000_000n),
      provingFeeMonth: amount(100_000_000n),
      egressPerTib: amount(0),
      capacity: bytes(2n ** 30n),
      payloadBytesMax: bytes(2n ** 28n),
      diskMargin: bytes(0),
      settleEvery: 1,
      settling: { weiPerToken: 10n ** 30n, gasPercentMax: 100 },
      ...settings,
    }
    const prover = await openProver({ threads: 1 })
    const network = new TestNetwork({ chain, paths, prover, config })
    await network.#makeHome()
    await network.#register()
    return network
  }

  /** The ledger as one account sees it. */
  ledger(signer: Signer): Ledger {
    const ledger = this.chain.ledger(signer.address)
    this.#ledgers.push(ledger)
    return ledger
  }

  get now(): Period {
    return periodAt(this.chain.network, this.chain.time)
  }

  /** Starts the provider of this home. */
  async start({ platform, storing }: Tuning = {}): Promise<RunningProvider> {
    const ledger = this.ledger(this.operator)
    const provider = await Provider.open(
      {
        ledger,
        network: this.chain.network,
        operator: this.operator,
        prover: this.prover,
        clock: systemClock,
        random: systemRandom,
        logger: recordingLogger(this.log),
        ...(platform === undefined ? {} : { platform }),
      },
      {
        paths: this.paths,
        config: this.config,
        software: 'test',
        sharedPayloadMax: SHARED_PAYLOAD_MAX,
        ...(storing === undefined ? {} : { storing }),
      },
    )
    const endpoints = await provider.start()
    const tls = provider.parts.tls.current
    const client = new TestClient({ network: this.#clientNetwork(), endpoints, tls })
    const running = new RunningProvider({ provider, client, endpoints }, (self) => {
      this.#running.delete(self)
    })
    this.#running.add(running)
    return running
  }

  #clientNetwork(): ClientNetwork {
    const { chain, config, publisher } = this
    return { params: chain.network, config, publisher, time: () => chain.time }
  }

  /** Moves to the start of the next period and posts its seed. */
  nextPeriod(): Period {
    const { genesis, period: length } = this.chain.network
    const next = period(this.now + 1n)
    this.chain.advance(seconds(genesis + next * length - this.chain.time + 1n))
    this.chain.postSeed(next)
    return next
  }

  async close(): Promise<void> {
    for (const running of [...this.#running]) await running.stop()
    for (const ledger of this.#ledgers) await ledger.close()
    await this.prover.close()
    await rm(this.paths.home, { recursive: true, force: true })
  }

  async #makeHome(): Promise<void> {
    const { tls, journal, state, volume, tokenKey } = this.paths
    for (const part of [tls, journal, state]) await mkdir(part, { recursive: true })
    await createVolume(volume, this.owner.address)
    if (existsSync(tokenKey)) return
    await createTlsIdentity(tls, '127.0.0.1', new Date(systemClock.now()))
    await writeDurably(tokenKey, systemRandom.bytes(32))
  }

  async #register(): Promise<void> {
    const { token, region, pricePerTibMonth, provingFeeMonth, egressPerTib } = this.config
    const prices = { token, region, pricePerTibMonth, provingFeeMonth, egressPerTib }
    for (const signer of [this.owner, this.publisher]) {
      this.chain.mint(token, signer.address, MONEY)
      await this.ledger(signer).deposit(token, MONEY)
    }
    await this.ledger(this.owner).registerProvider(
      {
        operator: this.operator.address,
        tlsKeyHash: `0x${'11'.repeat(32)}` as never,
        endpoint: '127.0.0.1:1',
        accepting: true,
        ...prices,
      },
      amount(1_000_000n),
    )
  }
}

/** A provider that runs, and a client that talks to it. */
export class RunningProvider {
  readonly provider: Provider
  readonly client: TestClient
  readonly endpoints: ProviderEndpoints
  readonly #onStop: (self: RunningProvider) => void
  #stopped = false

  constructor(
    parts: Pick<RunningProvider, 'provider' | 'client' | 'endpoints'>,
    onStop: (self: RunningProvider) => void,
  ) {
    this.provider = parts.provider
    this.client = parts.client
    this.endpoints = parts.endpoints
    this.#onStop = onStop
  }

  async stop(): Promise<void> {
    if (this.#stopped) return
    this.#stopped = true
    this.client.close()
    const cut = new AbortController()
    cut.abort()
    await this.provider.stop(cut.signal)
    this.#onStop(this)
  }
}

/** Looking costs a call to another process: not more often than this. */
const REMOTE_PAUSE_MS = 200

/** The same for conditions that another process has to be asked about. */
export const untilRemote = (
  what: string,
  condition: () => Promise<boolean>,
  limitMs = 110_000,
): Promise<void> => until(what, condition, limitMs, REMOTE_PAUSE_MS)

/** Resolves when a condition holds; looks again after short pauses. Fails after `limitMs`. */
export const until = async (
  what: string,
  condition: () => boolean | Promise<boolean>,
  limitMs = 60_000,
  pauseMs = 10,
): Promise<void> => {
  const end = systemClock.now() + limitMs
  while (!(await condition())) {
    if (systemClock.now() > end) throw new Error(`never happened: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, pauseMs))
  }
}
