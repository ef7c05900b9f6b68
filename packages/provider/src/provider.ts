/**
 * A provider as a whole: opened from its home, run until told to stop, closed in reverse. The only
 * place that knows all parts.
 *
 * Stopping order: no new requests, running uploads end, duties in hand end, follower, stores.
 */
import { readFile } from 'node:fs/promises'
import type { NetworkParams, ProviderLedger } from '@holdfast/chain'
import { signingDomain } from '@holdfast/chain'
import {
  type Address,
  type Bytes,
  bytes,
  type Clock,
  HoldfastError,
  type Logger,
  milliseconds,
  type Random,
  type Signer,
  seconds,
  timestamp,
} from '@holdfast/protocol'
import type { Prover } from '@holdfast/prover'
import type { ProviderConfig } from './config.ts'
import { Proposals } from './deals/proposals.ts'
import type { QuotePolicy } from './deals/quotes.ts'
import { Performer } from './duties/performer.ts'
import { Follower } from './follow/follower.ts'
import { Holdings } from './holdings.ts'
import { type HomeLock, type HomePaths, lockHome } from './home.ts'
import { PROGRESS_RULE } from './http/progress-watch.ts'
import { HttpServer } from './http/server.ts'
import { Intake } from './intake/intake.ts'
import { PromiseBook } from './journal/promise-book.ts'
import { nodeHealth, nodeMetrics } from './node-report.ts'
import { ProviderService } from './provider-service.ts'
import { CallCounter } from './rpc/call-counter.ts'
import { RpcServer } from './rpc/server.ts'
import { FileSectorStore } from './store/file-sector-store.ts'
import { TaskGroup } from './task-group.ts'
import { readTlsIdentity, type TlsIdentity } from './tls.ts'

export interface ProviderDependencies {
  readonly ledger: ProviderLedger
  readonly network: NetworkParams
  readonly operator: Signer
  readonly prover: Prover
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

export interface ProviderOptions {
  readonly paths: HomePaths
  readonly config: ProviderConfig
  readonly software: string
  /** Payloads up to this share sector files. Default: see the sector store. */
  readonly sharedPayloadMax?: Bytes
}

/** Where a running provider answers. */
export interface ProviderEndpoints {
  readonly grpc: string
  readonly http: string
}

const INTAKE_LIMITS = {
  partBytesMax: bytes(16 * 2 ** 20),
  sessionTtl: seconds(86_400),
  sessionsPerPayerMax: 64,
  partsMax: 64,
}
const EXPIRE_EVERY_MS = 60_000
const DAY = 86_400n

export interface ProviderParts {
  readonly lock: HomeLock
  readonly tls: TlsIdentity
  readonly store: FileSectorStore
  readonly book: PromiseBook
  readonly follower: Follower
  readonly holdings: Holdings
  readonly intake: Intake
  readonly performer: Performer
  readonly service: ProviderService
  readonly calls: CallCounter
}

export class Provider {
  readonly #dependencies: ProviderDependencies
  readonly #options: ProviderOptions
  readonly #parts: ProviderParts
  readonly #tasks = new TaskGroup()
  readonly #served = { bytes: 0 }
  #rpc: RpcServer | undefined
  #http: HttpServer | undefined

  private constructor(
    dependencies: ProviderDependencies,
    options: ProviderOptions,
    parts: ProviderParts,
  ) {
    this.#dependencies = dependencies
    this.#options = options
    this.#parts = parts
  }

  /**
   * Takes the home's lock and recovers everything; serves nothing yet.
   * @throws HoldfastError `HOME_IN_USE`, `STORE_CORRUPT`, `CONFIG_INVALID`, `INPUT_UNREADABLE`.
   */
  static async open(
    dependencies: ProviderDependencies,
    options: ProviderOptions,
  ): Promise<Provider> {
    const lock = await lockHome(options.paths)
    try {
      const parts = await openParts(dependencies, options, lock)
      await parts.intake.recover()
      return new Provider(dependencies, options, parts)
    } catch (error) {
      await lock.release()
      throw error
    }
  }

  get parts(): ProviderParts {
    return this.#parts
  }

  /** Starts following, performing and serving. */
  async start(): Promise<ProviderEndpoints> {
    const { follower, performer } = this.#parts
    this.#tasks.run('follow', (signal) => follower.run(signal))
    this.#tasks.run('perform', (signal) => performer.run(signal))
    this.#tasks.run('expire', (signal) => this.#expire(signal))
    const { host, grpcPort, httpPort } = this.#options.config
    this.#rpc = this.#rpcServer()
    this.#http = this.#httpServer()
    const grpc = await this.#rpc.listen(host, grpcPort)
    const http = await this.#http.listen(host, httpPort)
    const name = hostName(host)
    return { grpc: `${name}:${grpc}`, http: `https://${name}:${http}` }
  }

  /** Resolves when the provider was stopped; rejects with the reason when it cannot go on. */
  running(): Promise<void> {
    return this.#tasks.done()
  }

  /** Drains: running requests may end until the signal fires. May be called once. */
  async stop(cut: AbortSignal): Promise<void> {
    await Promise.all([this.#rpc?.close(cut), this.#http?.close(cut)])
    await this.#tasks.stop().finally(() => this.#closeParts())
  }

  async #closeParts(): Promise<void> {
    const { follower, store, book, lock } = this.#parts
    await follower.close()
    await store.close()
    await book.close()
    await lock.release()
  }

  #rpcServer(): RpcServer {
    const { service, tls, calls } = this.#parts
    return new RpcServer({ service, tls, calls, logger: this.#dependencies.logger })
  }

  #httpServer(): HttpServer {
    const { intake, holdings, tls } = this.#parts
    const { clock, logger } = this.#dependencies
    const report = { ...this.#parts, config: this.#options.config, ...this.#dependencies }
    return new HttpServer({
      intake,
      holdings,
      tls,
      clock,
      logger,
      progress: PROGRESS_RULE,
      onServed: (count) => {
        this.#served.bytes += count
      },
      health: () => nodeHealth(report),
      metrics: () => nodeMetrics(report, bytes(this.#served.bytes)),
    })
  }

  async #expire(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#dependencies
    while (!signal.aborted) {
      await clock.sleep(milliseconds(EXPIRE_EVERY_MS), { signal })
      await this.#parts.intake.expire().catch((error: unknown) => {
        logger.error('upload sessions could not be expired', { reason: String(error) })
      })
    }
  }
}

/** The stores, the follower and who reads them; then the actors on top. */
const openParts = async (
  dependencies: ProviderDependencies,
  options: ProviderOptions,
  lock: HomeLock,
): Promise<ProviderParts> => {
  const { ledger, network, prover, clock, random, logger } = dependencies
  const { paths, config } = options
  const { provider, capacity, diskMargin } = config
  const tls = await readTlsIdentity(paths.tls)
  const now = timestamp(Math.floor(clock.now() / 1000))
  const book = await PromiseBook.open(paths.journal, now, logger)
  const { sharedPayloadMax } = options
  const place = {
    ...{ directory: paths.volume, provider, capacity, diskMargin },
    ...(sharedPayloadMax === undefined ? {} : { sharedPayloadMax }),
  }
  const store = await FileSectorStore.open({ prover, random, logger }, place)
  const followed = { provider, schedule: network, directory: paths.state }
  const follower = await Follower.open({ ledger, clock, logger }, followed)
  const holdings = new Holdings({
    store,
    book,
    logger,
    dealsOf: (root) => follower.state.dealsOf(root).map(({ deal }) => deal),
    onDamage: () => performer.wake(),
  })
  const performing = { ledger, follower, prover, holdings, book, clock, logger }
  const performer = new Performer(performing, {
    provider,
    schedule: network,
    settleEvery: config.settleEvery ?? defaultSettleEvery(network),
    settleBatchMax: 50,
  })
  const calls = new CallCounter()
  const kept = { lock, tls, store, book, follower, holdings, performer, calls }
  const tokenKey = new Uint8Array(await readFile(paths.tokenKey))
  return { ...kept, ...actorsOn(dependencies, options, kept, tokenKey) }
}

/** Who answers requests: intake, deals, and the service over both. */
const actorsOn = (
  dependencies: ProviderDependencies,
  { config, software }: ProviderOptions,
  kept: Omit<ProviderParts, 'intake' | 'service'>,
  tokenKey: Uint8Array,
): Pick<ProviderParts, 'intake' | 'service'> => {
  const { ledger, network, operator, prover, clock, random, logger } = dependencies
  const { store, book, follower, holdings, performer, tls } = kept
  const policy = quotePolicy(config, operator, network)
  const balanceOf = (payer: Address): Promise<bigint> => ledger.balance(payer, config.token)
  const intake = new Intake(
    { store, holdings, book, operator, clock, logger, balanceOf },
    { ...policy, ...INTAKE_LIMITS, tlsKeyHash: tls.keyHash, tokenKey },
  )
  const state = (): Follower['state'] => follower.state
  const onAccepted = (): void => performer.wake()
  const nextChange = (signal: AbortSignal): Promise<void> =>
    Promise.race([book.nextRecord(signal), follower.nextUpdate(signal)])
  const proposals = new Proposals(
    { ledger, state, holdings, book, operator, clock, onAccepted, nextChange },
    policy,
  )
  const httpEndpoint = `https://${hostName(config.host)}:${config.httpPort}`
  const service = new ProviderService(
    { intake, proposals, holdings, book, store, state, network, prover, operator, clock, random },
    { ...policy, software, httpEndpoint, partBytesMax: INTAKE_LIMITS.partBytesMax },
  )
  return { intake, service }
}

/** An IPv6 address in brackets, as URLs want it. */
const hostName = (host: string): string => (host.includes(':') ? `[${host}]` : host)

const quotePolicy = (
  config: ProviderConfig,
  operator: Signer,
  network: NetworkParams,
): QuotePolicy => {
  const { provider, token, pricePerTibMonth, provingFeeMonth, egressPerTib, region } = config
  if (!network.tokens.some(({ address }) => address === token)) {
    const reason = `the network takes no token ${token}`
    throw new HoldfastError({ code: 'CONFIG_INVALID', path: 'token', reason })
  }
  return {
    provider,
    operator: operator.address,
    domain: signingDomain(network),
    period: network.period,
    payloadBytesMax: config.payloadBytesMax,
    token,
    pricePerTibMonth,
    provingFeeMonth,
    egressPerTib,
    region,
  }
}

/** On a network with short periods people want to see money; elsewhere once a week is enough. */
const defaultSettleEvery = ({ period }: NetworkParams): number =>
  period < 60n ? 1 : Math.max(1, Number((7n * DAY) / period))
