/**
 * The part of a provider that keeps, promises and performs: stores, follower, intake, deals, duties,
 * collection, scrubbing. No listener, no TLS, no dashboard, nothing of the operator's; it stands on
 * its ports alone, so that a simulation can run the whole of it in one thread.
 *
 * Order of life: `openCore`, `recoverCore`, `runCore`, the tasks end, `closeCore`.
 */
import type { NetworkParams, ProviderLedger } from '@holdfast/chain'
import { signingDomain } from '@holdfast/chain'
import {
  type Address,
  type Bytes,
  bytes,
  type Clock,
  type Hash32,
  type Logger,
  milliseconds,
  type Random,
  type Root,
  type Seconds,
  type Signer,
  seconds,
  timestamp,
} from '@holdfast/protocol'
import type { Bundler, Prover } from '@holdfast/prover'
import { BundleDesk } from './bundles/bundle-desk.ts'
import { BundleShelf } from './bundles/bundle-shelf.ts'
import { keepBundles } from './bundles/keep-bundles.ts'
import type { ProviderConfig } from './config.ts'
import { Door } from './deals/door.ts'
import { Proposals } from './deals/proposals.ts'
import type { QuotePolicy } from './deals/quotes.ts'
import { openPerformer } from './duties/open-performer.ts'
import type { Performer } from './duties/performer.ts'
import { Follower } from './follow/follower.ts'
import { Housekeeping } from './gc/housekeeping.ts'
import { Holdings } from './holdings.ts'
import type { HomePaths } from './home.ts'
import { hostAndPort } from './host-and-port.ts'
import { Intake } from './intake/intake.ts'
import { keepJournalRoom } from './journal/keep-room.ts'
import { keepJournalShort } from './journal/keep-short.ts'
import { PromiseBook } from './journal/promise-book.ts'
import { Admission } from './limits/admission.ts'
import { LiveConfig } from './live-config.ts'
import { type Platform, systemPlatform } from './platform.ts'
import { checkToken, quotePolicy, volumesOf } from './provider-policy.ts'
import { ProviderService } from './provider-service.ts'
import { VolumeSet, type VolumeSetOptions } from './store/volume-set.ts'
import type { TaskGroup } from './task-group.ts'
import { GasReserve } from './transactions/gas-reserve.ts'
import type { JournalOutbox } from './transactions/journal-outbox.ts'
import { firstOf } from './wake.ts'

/** What is asked of a prover here. */
export type CoreProver = Bundler & Pick<Prover, 'commitFile' | 'commitRanges' | 'answer'>

export interface CoreDependencies {
  readonly ledger: ProviderLedger
  readonly network: NetworkParams
  readonly operator: Signer
  readonly prover: CoreProver
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Of the ledger, to be kept in the journal. */
  readonly outbox?: JournalOutbox
  /** Default: threads, files and LevelDB. */
  readonly platform?: Platform
}

/** What uploads are held to. */
export interface IntakeLimits {
  readonly partBytesMax: Bytes
  readonly sessionTtl: Seconds
}

export interface CoreOptions {
  readonly paths: HomePaths
  readonly config: ProviderConfig
  readonly software: string
  /** Tuning of the store. Default: see the volume set. */
  readonly storing?: Pick<
    VolumeSetOptions,
    'sharedPayloadMax' | 'sharedSectorBytes' | 'watchEveryMs' | 'restartPausesMs'
  >
  /** Above this the journal is written anew. Default: 4 MiB. */
  readonly journalBytes?: Bytes
  /** What is kept free for the journal on a full disk. Default: 1 MiB. */
  readonly journalReserveBytes?: Bytes
  /** Default: parts of 16 MiB, sessions of a day. */
  readonly intake?: IntakeLimits
}

/** What the rest of the node gives the core. */
export interface CoreSurroundings {
  /** SHA-256 of the listeners' key: what vouchers must name. */
  readonly tlsKeyHash: () => Hash32
  readonly tokenKey: Uint8Array
  /** Told every payload that is now here. */
  readonly onStored: (root: Root) => void
  /** Told every payload that was removed, after it is gone. */
  readonly onRemoved: (root: Root) => Promise<void>
}

export interface ProviderCore {
  readonly live: LiveConfig
  readonly store: VolumeSet
  readonly book: PromiseBook
  readonly follower: Follower
  readonly holdings: Holdings
  readonly shelf: BundleShelf
  readonly bundles: BundleDesk
  readonly performer: Performer
  readonly admission: Admission
  readonly housekeeping: Housekeeping
  readonly intake: Intake
  readonly service: ProviderService
}

const INTAKE_LIMITS: IntakeLimits = {
  partBytesMax: bytes(16 * 2 ** 20),
  sessionTtl: seconds(86_400),
}
const EXPIRE_EVERY_MS = 60_000
const UNEXPLAINED = 'payloads are stored that nobody here remembers: is the journal an older copy?'

/** The stores, the follower and who reads them; then the actors on top. Starts nothing. */
export const openCore = async (
  dependencies: CoreDependencies,
  options: CoreOptions,
  around: CoreSurroundings,
): Promise<ProviderCore> => {
  const { ledger, network, prover, clock, random, logger } = dependencies
  const { platform = systemPlatform } = dependencies
  const { paths, config, journalBytes, journalReserveBytes: reserveBytes } = options
  const { provider, diskMargin } = config
  const live = new LiveConfig(config, paths.config, logger)
  const now = timestamp(Math.floor(clock.now() / 1000))
  const book = await PromiseBook.open(paths.journal, now, logger, {
    ...{ files: platform.journalFiles, reserveBytes },
    ...(journalBytes === undefined ? {} : { rewriteBytes: journalBytes }),
  })
  dependencies.outbox?.attach(book)
  const place = { provider, diskMargin, indexes: paths.indexes, volumes: volumesOf(config, paths) }
  const store = await VolumeSet.open(
    { prover, random, logger, clock, platform: platform.store },
    { ...place, ...options.storing },
  )
  const follower = await Follower.open(
    { ledger, clock, logger, keyValues: platform.store.keyValues },
    { provider, schedule: network, directory: paths.state },
  )
  const holdings: Holdings = new Holdings({
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
  const shelved = { prover, payloadOf, logger, files: platform.bundleFiles }
  const shelf = await BundleShelf.open(shelved, paths.bundles)
  const bundles = new BundleDesk({ shelf, network, provider, state: () => follower.state })
  const performing = { ledger, prover, clock, logger, follower, holdings, book, bundles, shelf }
  const performer = openPerformer(performing, { live, network })
  const admission = new Admission({
    limits: () => live.limits,
    clock,
    residentMemory: () => process.memoryUsage.rss(),
  })
  const stores = { live, store, book, follower, holdings, shelf, bundles }
  const { onRemoved } = around
  const housekeeping: Housekeeping = new Housekeeping(
    { ...stores, performer, paths, clock, logger, onRemoved },
    config,
  )
  const kept = { ...stores, performer, admission, housekeeping }
  return { ...kept, ...actorsOn(dependencies, options, kept, around) }
}

/** Makes store, journal and holdings agree after whatever ended the last run. */
export const recoverCore = async (core: ProviderCore, logger: Logger): Promise<void> => {
  await core.intake.recover()
  await core.holdings.noteLost(promisedRoots(core))
  const payloads = unexplained(core)
  if (payloads > 0) logger.warn(UNEXPLAINED, { payloads })
}

/** Starts following, performing and keeping house. */
export const runCore = (
  tasks: TaskGroup,
  core: ProviderCore,
  dependencies: Pick<CoreDependencies, 'network' | 'clock' | 'logger'>,
): void => {
  const { follower, performer, shelf, intake, housekeeping } = core
  const { network, clock, logger } = dependencies
  tasks.run('follow', (signal) => follower.run(signal))
  tasks.run('perform', (signal) => performer.run(signal))
  tasks.run('bundles', (signal) => keepBundles({ shelf, follower, network, logger }, signal))
  tasks.run('journal', (signal) => keepJournalShort(core.book, { clock, logger }, signal))
  tasks.run('journal room', (signal) => keepJournalRoom(core.book, { clock, logger }, signal))
  tasks.run('expire', async (signal) => {
    while (!signal.aborted) {
      await clock.sleep(milliseconds(EXPIRE_EVERY_MS), { signal })
      await intake.expire().catch((error: unknown) => {
        logger.error('upload sessions could not be expired', { reason: String(error) })
      })
    }
  })
  housekeeping.start(tasks)
}

/** Closes the stores; the tasks have ended. */
export const closeCore = async ({ follower, store, book }: ProviderCore): Promise<void> => {
  await follower.close()
  await store.close()
  await book.close()
}

/** Payloads that somebody has a receipt for, or that a deal in the tree rests on. */
function* promisedRoots({ book, follower }: ProviderCore): Iterable<Root> {
  for (const { root } of book.promises.receipts()) yield root
  for (const { inTree, terms } of follower.state.deals()) if (inTree) yield terms.root
}

/** Payloads that nothing here explains: their sessions were forgotten. */
const unexplained = (core: ProviderCore): number => {
  const known = new Set(promisedRoots(core))
  for (const { request } of core.book.promises.sessions.values()) known.add(request.voucher.root)
  for (const { proposal } of core.book.promises.deals.values()) known.add(proposal.terms.root)
  for (const { terms } of core.follower.state.deals()) known.add(terms.root)
  return core.store.countOthers(known)
}

type Actors = Pick<ProviderCore, 'intake' | 'service'>

/** Who answers requests: intake, deals, and the service over both. */
const actorsOn = (
  dependencies: CoreDependencies,
  { config, software, intake: limits = INTAKE_LIMITS }: CoreOptions,
  kept: Omit<ProviderCore, keyof Actors>,
  { tlsKeyHash, tokenKey, onStored }: CoreSurroundings,
): Actors => {
  const { ledger, network, operator, prover, clock, random, logger } = dependencies
  const { store, book, follower, holdings, performer, live, admission } = kept
  checkToken(config, network)
  const policy = (): QuotePolicy => quotePolicy(live.current, operator, network)
  const admit = (account: Address): void => admission.account(account)
  const balanceOf = (payer: Address): Promise<bigint> => ledger.balance(payer, config.token)
  const intake = new Intake(
    { store, holdings, book, operator, clock, logger, balanceOf, admit, onStored },
    {
      ...limits,
      domain: signingDomain(network),
      rules: () => ({ ...policy(), tlsKeyHash: tlsKeyHash() }),
      limits: () => live.limits,
      tokenKey,
    },
  )
  const state = (): Follower['state'] => follower.state
  const onAccepted = (): void => performer.wake()
  const isOpening: Performer['isOpening'] = (deal) => performer.isOpening(deal)
  const nextChange = (signal: AbortSignal): Promise<void> =>
    firstOf(signal, [(stop) => book.nextRecord(stop), (stop) => follower.nextUpdate(stop)])
  const balance = (): Promise<bigint> => ledger.gasBalance(operator.address)
  const reserve = new GasReserve({ provider: config.provider, balance })
  performer.onPerformed((_duty, receipt) => reserve.note(receipt))
  const checkGas = (): Promise<void> => reserve.check()
  const deciding = { onAccepted, isOpening, nextChange, checkGas }
  const { provider } = config
  const door = new Door({ ledger, provider, clock, standing: () => follower.state.standing })
  const checkOpen = async (): Promise<void> => {
    book.checkRoom()
    await door.check()
  }
  const proposals = new Proposals(
    { ledger, state, holdings, book, operator, clock, admit, checkOpen, ...deciding },
    policy,
  )
  const httpEndpoint = `https://${hostAndPort(config.host, config.httpPort)}`
  const { bundles } = kept
  const answering = { intake, proposals, holdings, bundles, book, store, state, checkOpen }
  const service = new ProviderService(
    { ...answering, network, prover, operator, clock, random },
    { policy, software, httpEndpoint, partBytesMax: limits.partBytesMax },
  )
  return { intake, service }
}
