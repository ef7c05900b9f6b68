/**
 * The parts of a provider and how they hang together: stores first, then the follower, then who acts
 * and answers on top of them. Starts nothing.
 */
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Ledger, NetworkParams, ProviderLedger } from '@holdfast/chain'
import { signingDomain } from '@holdfast/chain'
import {
  type Address,
  type Bytes,
  bytes,
  type Clock,
  HoldfastError,
  type Logger,
  type Random,
  type Root,
  type Signer,
  seconds,
  timestamp,
} from '@holdfast/protocol'
import { type Checksum, openChecksum, type Prover } from '@holdfast/prover'
import { AdminRegistry } from './admin/registry.ts'
import type { AlarmBoard } from './alarms/alarm-board.ts'
import { BundleDesk } from './bundles/bundle-desk.ts'
import { BundleShelf } from './bundles/bundle-shelf.ts'
import { CarCatalogue } from './car/car-catalogue.ts'
import type { ProviderConfig } from './config.ts'
import { Door } from './deals/door.ts'
import { Proposals } from './deals/proposals.ts'
import type { QuotePolicy } from './deals/quotes.ts'
import { gasWorthOn, LastGasPrice } from './duties/gas-worth.ts'
import type { GasWorth } from './duties/money-duties.ts'
import { Performer } from './duties/performer.ts'
import { Follower } from './follow/follower.ts'
import { Housekeeping } from './gc/housekeeping.ts'
import { Holdings } from './holdings.ts'
import type { HomeLock, HomePaths } from './home.ts'
import { Intake } from './intake/intake.ts'
import { PromiseBook } from './journal/promise-book.ts'
import { Admission } from './limits/admission.ts'
import { LiveConfig } from './live-config.ts'
import { ProviderService } from './provider-service.ts'
import { GAS_BUDGETS } from './proving-config.ts'
import { CallCounter } from './rpc/call-counter.ts'
import type { StoredPayload } from './store/sector-store.ts'
import type { VolumePlan } from './store/volume-list.ts'
import { VolumeSet } from './store/volume-set.ts'
import { TlsKeeper } from './tls-keeper.ts'
import { GasReserve } from './transactions/gas-reserve.ts'
import type { JournalOutbox } from './transactions/journal-outbox.ts'

export interface ProviderDependencies {
  readonly ledger: ProviderLedger
  readonly network: NetworkParams
  readonly operator: Signer
  readonly prover: Prover
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Where the ledger raises its alarms; the node's own are raised there too. */
  readonly alarms?: AlarmBoard
  /** Of the ledger, to be kept in the journal. */
  readonly outbox?: JournalOutbox
  /** The ledger with the owner's key, when the configuration has the node keep up the stake. */
  readonly owner?: Ledger
}

export interface ProviderOptions {
  readonly paths: HomePaths
  readonly config: ProviderConfig
  readonly software: string
  /** Payloads up to this share sector files. Default: see the sector store. */
  readonly sharedPayloadMax?: Bytes
}

export interface ProviderParts {
  readonly lock: HomeLock
  readonly tls: TlsKeeper
  readonly store: VolumeSet
  readonly book: PromiseBook
  readonly follower: Follower
  readonly holdings: Holdings
  readonly intake: Intake
  readonly shelf: BundleShelf
  readonly bundles: BundleDesk
  readonly performer: Performer
  readonly service: ProviderService
  readonly calls: CallCounter
  /** What the operator may ask; owners of things register here before the node starts. */
  readonly admin: AdminRegistry
  readonly live: LiveConfig
  readonly admission: Admission
  readonly checksum: Checksum
  readonly catalogue: CarCatalogue
  readonly housekeeping: Housekeeping
}

const INTAKE_LIMITS = {
  partBytesMax: bytes(16 * 2 ** 20),
  sessionTtl: seconds(86_400),
}
const DAY = 86_400n

/** Payloads that somebody has a receipt for, or that a deal in the tree rests on. */
export function* promisedRoots({ book, follower }: ProviderParts): Iterable<Root> {
  for (const { receipt } of book.promises.sessions.values()) {
    if (receipt !== undefined) yield receipt.receipt.root
  }
  for (const { inTree, terms } of follower.state.deals()) if (inTree) yield terms.root
}

/** Payloads that nothing here explains: their sessions were forgotten. */
export const unexplained = (parts: ProviderParts): number => {
  const known = new Set(promisedRoots(parts))
  for (const { request } of parts.book.promises.sessions.values()) known.add(request.voucher.root)
  for (const { terms } of parts.follower.state.deals()) known.add(terms.root)
  let count = 0
  for (const { commitment } of parts.store.stored()) if (!known.has(commitment.root)) count++
  return count
}

/** The stores, the follower and who reads them; then the actors on top. */
export const openParts = async (
  dependencies: ProviderDependencies,
  options: ProviderOptions,
  lock: HomeLock,
): Promise<ProviderParts> => {
  const { ledger, network, prover, clock, random, logger } = dependencies
  const { paths, config } = options
  const { provider, diskMargin } = config
  const tls = await TlsKeeper.open({ clock, logger }, { directory: paths.tls, host: config.host })
  const live = new LiveConfig(config, paths.config, logger)
  const now = timestamp(Math.floor(clock.now() / 1000))
  const book = await PromiseBook.open(paths.journal, now, logger)
  dependencies.outbox?.attach(book)
  const { sharedPayloadMax } = options
  const place = {
    ...{ provider, diskMargin, indexes: paths.indexes, volumes: volumesOf(config, paths) },
    ...(sharedPayloadMax === undefined ? {} : { sharedPayloadMax }),
  }
  const store = await VolumeSet.open({ prover, random, logger, clock }, place)
  const followed = { provider, schedule: network, directory: paths.state }
  const follower = await Follower.open({ ledger, clock, logger }, followed)
  const holdings = new Holdings({
    store,
    book,
    logger,
    dealsOf: (root) => follower.state.dealsOf(root).map(({ deal }) => deal),
    onDamage: (root) => {
      performer.wake()
      housekeeping.scrubber.suspectNeighbours(root)
    },
  })
  const payloadOf: Holdings['find'] = (root) => holdings.find(root)
  const shelf = await BundleShelf.open({ prover, payloadOf, logger }, paths.bundles)
  const bundles = new BundleDesk({ shelf, network, provider, state: () => follower.state })
  const gasPrice = new LastGasPrice()
  const performing = {
    ...{ ledger, follower, prover, holdings, book, clock, logger },
    ...{ bundles, shelf },
  }
  const performer = new Performer(performing, {
    provider,
    schedule: network,
    mode: config.proving?.mode ?? 'commit',
    gasBudgets: config.proving?.gasBudgets ?? GAS_BUDGETS,
    get settleEvery() {
      return live.current.settleEvery ?? defaultSettleEvery(network)
    },
    settleBatchMax: 50,
    get gasWorth(): GasWorth | undefined {
      return gasWorthOn(network, live.current, gasPrice)
    },
  })
  performer.onPerformed((_duty, receipt) => gasPrice.note(receipt))
  const calls = new CallCounter()
  const admin = new AdminRegistry()
  const admission = new Admission({
    limits: () => live.limits,
    clock,
    residentMemory: () => process.memoryUsage.rss(),
  })
  const checksum = openChecksum()
  const stored = (): Iterable<StoredPayload> => store.stored()
  const indexed = { holdings, stored, checksum, logger }
  const catalogue = await CarCatalogue.open(indexed, paths.carIndex)
  const read = { shelf, bundles, checksum, catalogue }
  const stores = { lock, tls, store, book, follower, holdings, ...read }
  const housekeeping = new Housekeeping({ ...stores, performer, paths, clock, logger }, config)
  housekeeping.register(admin)
  const kept = { ...stores, performer, calls, admin, live, admission, housekeeping }
  const tokenKey = new Uint8Array(await readFile(paths.tokenKey))
  return { ...kept, ...actorsOn(dependencies, options, kept, tokenKey) }
}

/** The volumes of a configuration: those it names, else the one that `init` made. */
export const volumesOf = (
  { volumes, capacity }: ProviderConfig,
  { home, volume }: Pick<HomePaths, 'home' | 'volume'>,
): readonly VolumePlan[] =>
  volumes === undefined
    ? [{ directory: volume, capacity }]
    : volumes.map((plan) => ({ ...plan, directory: resolve(home, plan.directory) }))

/** Who answers requests: intake, deals, and the service over both. */
const actorsOn = (
  dependencies: ProviderDependencies,
  { config, software }: ProviderOptions,
  kept: Omit<ProviderParts, 'intake' | 'service'>,
  tokenKey: Uint8Array,
): Pick<ProviderParts, 'intake' | 'service'> => {
  const { ledger, network, operator, prover, clock, random, logger } = dependencies
  const { store, book, follower, holdings, performer, tls, live, admission, catalogue } = kept
  checkToken(config, network)
  const policy = (): QuotePolicy => quotePolicy(live.current, operator, network)
  const admit = (account: Address): void => admission.account(account)
  const balanceOf = (payer: Address): Promise<bigint> => ledger.balance(payer, config.token)
  const intake = new Intake(
    {
      ...{ store, holdings, book, operator, clock, logger, balanceOf, admit },
      onStored: (root) => catalogue.add(root),
    },
    {
      ...INTAKE_LIMITS,
      domain: signingDomain(network),
      rules: () => ({ ...policy(), tlsKeyHash: tls.current.keyHash }),
      limits: () => live.limits,
      tokenKey,
    },
  )
  const state = (): Follower['state'] => follower.state
  const onAccepted = (): void => performer.wake()
  const isOpening: Performer['isOpening'] = (deal) => performer.isOpening(deal)
  const nextChange = (signal: AbortSignal): Promise<void> =>
    Promise.race([book.nextRecord(signal), follower.nextUpdate(signal)])
  const balance = (): Promise<bigint> => ledger.gasBalance(operator.address)
  const reserve = new GasReserve({ provider: config.provider, balance })
  performer.onPerformed((_duty, receipt) => reserve.note(receipt))
  const checkGas = (): Promise<void> => reserve.check()
  const deciding = { onAccepted, isOpening, nextChange, checkGas }
  const { provider } = config
  const door = new Door({ ledger, provider, clock, standing: () => follower.state.standing })
  const checkOpen = (): Promise<void> => door.check()
  const proposals = new Proposals(
    { ledger, state, holdings, book, operator, clock, admit, checkOpen, ...deciding },
    policy,
  )
  const httpEndpoint = `https://${hostName(config.host)}:${config.httpPort}`
  const bundles = kept.bundles
  const answering = { intake, proposals, holdings, bundles, book, store, state, checkOpen }
  const service = new ProviderService(
    { ...answering, network, prover, operator, clock, random },
    { policy, software, httpEndpoint, partBytesMax: INTAKE_LIMITS.partBytesMax },
  )
  return { intake, service }
}

/** An IPv6 address in brackets, as URLs want it. */
export const hostName = (host: string): string => (host.includes(':') ? `[${host}]` : host)

const checkToken = ({ token }: ProviderConfig, network: NetworkParams): void => {
  if (!network.tokens.some(({ address }) => address === token)) {
    const reason = `the network takes no token ${token}`
    throw new HoldfastError({ code: 'CONFIG_INVALID', path: 'token', reason })
  }
}

const quotePolicy = (
  config: ProviderConfig,
  operator: Signer,
  network: NetworkParams,
): QuotePolicy => {
  const { provider, token, pricePerTibMonth, provingFeeMonth, egressPerTib, region } = config
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
