/**
 * Repair, top to bottom: the faulty deals of an account on a dataset → the whole payload from a
 * replica that still has it, held against the signed root → sent again to the provider that lost it →
 * the ledger shows the deal active again. No new deal, no new money: the provider re-enters the old
 * one, and shows on chain that it has the bytes.
 *
 * Invariants: nothing is sent that does not have the root both parties signed; a replica that gave
 * other bytes is named and left; memory is bounded at any payload size. Replacing a provider that
 * stays away is `publish` with the same path.
 */
import type { Deal, LedgerReader, ProviderRecord } from '@holdfast/chain'
import { signingDomain } from '@holdfast/chain'
import {
  type CallOptions,
  type Clock,
  type Commitment,
  checkSigner,
  type DealId,
  HoldfastError,
  larger,
  milliseconds,
  type Random,
  type Root,
  receiptDigest,
  type Signer,
  type Timestamp,
  timestamp,
} from '@holdfast/protocol'
import type { Prover } from '@holdfast/prover'
import type { CID } from 'multiformats/cid'
import { PeerPool } from './publish/peers.ts'
import { datasetDigest, signVoucher } from './publish/terms.ts'
import { uploadPayload } from './publish/upload.ts'
import { closeFetched, type FetchedPayload, fetchPayload } from './repair/fetch-payload.ts'
import type { LeftReplica } from './retrieve/replica-set.ts'
import type { ConnectPeer } from './transfer/provider-peer.ts'
import { toHoldfastError } from './ui/json.ts'
import { type Progress, silentProgress } from './ui/progress.ts'

export interface RepairDependencies {
  readonly ledger: LedgerReader
  readonly signer: Signer
  readonly prover: Pick<Prover, 'commitFile'>
  readonly connect: ConnectPeer
  readonly clock: Clock
  readonly random: Random
  /** Where the payload lies while it is on its way. */
  readonly home: string
  readonly progress?: Progress
}

export interface RepairRequest {
  readonly root: CID
  /** Only this deal. Default: every faulty one of the account. */
  readonly deal?: DealId
  /** How long to wait for each deal to be active again; 0 does not wait. */
  readonly timeoutMs: number
}

export interface RepairedDeal {
  readonly deal: DealId
  readonly provider: Deal['terms']['provider']
  /** `active`: the ledger says so. `stored`: the provider holds the bytes and has not re-entered yet. */
  readonly state: 'active' | 'stored'
}

export interface RepairFailure {
  readonly deal: DealId
  readonly provider: Deal['terms']['provider']
  readonly error: HoldfastError
}

export interface Repaired {
  readonly repaired: readonly RepairedDeal[]
  readonly failures: readonly RepairFailure[]
  /** Replicas that were asked for the payload and did not give it. */
  readonly left: readonly LeftReplica[]
}

const LOOK_MS = 500

/**
 * @throws HoldfastError `DATASET_NOT_FOUND`; `NOTHING_TO_DO` when no deal of the account is faulty;
 * `REPLICAS_EXHAUSTED` when no replica gives the payload.
 */
export const repair = async (
  dependencies: RepairDependencies,
  request: RepairRequest,
  options: CallOptions = {},
): Promise<Repaired> => {
  const { ledger, signer, connect } = dependencies
  const all = await ledger.deals({ dataset: datasetDigest(request.root) }, options)
  const faulty = wanted(all, request, signer.address)
  const peers = new PeerPool(connect)
  const outcome = { repaired: [], failures: [], left: [] } as MutableOutcome
  try {
    for (const [root, deals] of byRoot(faulty)) {
      const sources = all.filter(({ terms }) => terms.root === root)
      await repairPayload(
        { ...dependencies, peers },
        { ...request, deals, sources },
        outcome,
        options,
      )
    }
    return outcome
  } finally {
    await peers.close()
  }
}

interface MutableOutcome {
  readonly repaired: RepairedDeal[]
  readonly failures: RepairFailure[]
  readonly left: LeftReplica[]
}

const wanted = (all: readonly Deal[], request: RepairRequest, client: string): readonly Deal[] => {
  const dataset = request.root.toString()
  const own = all.filter(({ terms }) => terms.client === client)
  if (own.length === 0) throw new HoldfastError({ code: 'DATASET_NOT_FOUND', dataset })
  const faulty = own.filter(
    ({ id, state }) => state === 'faulty' && (request.deal === undefined || id === request.deal),
  )
  if (faulty.length > 0) return faulty
  const which = request.deal === undefined ? `no deal on ${dataset}` : `deal ${request.deal}`
  const reason = request.deal === undefined ? `${which} is faulty` : `${which} is not faulty`
  throw new HoldfastError({ code: 'NOTHING_TO_DO', reason })
}

const byRoot = (deals: readonly Deal[]): ReadonlyMap<Root, readonly Deal[]> => {
  const groups = new Map<Root, Deal[]>()
  for (const deal of deals) {
    const { root } = deal.terms
    groups.set(root, [...(groups.get(root) ?? []), deal])
  }
  return groups
}

type Work = RepairDependencies & { readonly peers: PeerPool }

interface PayloadJob extends RepairRequest {
  readonly deals: readonly Deal[]
  readonly sources: readonly Deal[]
}

const commitmentOf = ({ terms }: Deal): Commitment => {
  const { scheme, root, length } = terms
  return { scheme, root, length }
}

/** One payload, fetched once, for every deal that lost it. */
const repairPayload = async (
  work: Work,
  job: PayloadJob,
  outcome: MutableOutcome,
  options: CallOptions,
): Promise<void> => {
  const [first] = job.deals
  if (first === undefined) return
  const lost = new Set(job.deals.map(({ terms }) => terms.provider))
  const sources = job.sources.filter(({ terms }) => !lost.has(terms.provider))
  const commitment = commitmentOf(first)
  const { left } = outcome
  const fetched = await fetchPayload(
    work,
    { commitment, sources, left, dataset: job.root },
    options,
  )
  try {
    for (const deal of job.deals) {
      try {
        outcome.repaired.push(await repairDeal(work, { deal, fetched, job }, options))
      } catch (error) {
        if (HoldfastError.is(error, 'ABORTED')) throw error
        const { id, terms } = deal
        outcome.failures.push({ deal: id, provider: terms.provider, error: toHoldfastError(error) })
      }
    }
  } finally {
    await closeFetched(fetched)
  }
}

const repairDeal = async (
  work: Work,
  one: { readonly deal: Deal; readonly fetched: FetchedPayload; readonly job: PayloadJob },
  options: CallOptions,
): Promise<RepairedDeal> => {
  const { ledger, peers, progress = silentProgress } = work
  const { deal, fetched, job } = one
  const { provider } = deal.terms
  const record = await ledger.provider(provider, options)
  if (record === undefined) throw new HoldfastError({ code: 'PROVIDER_NOT_FOUND', provider })
  const peer = await peers.peer(record, options)
  const phase = progress.phase(`sending to ${provider}`, deal.terms.length)
  const onBytes = phase.advance.bind(phase)
  try {
    const { network } = ledger
    const { signer, random, clock } = work
    const signing = { network, signer, random, now: await nowOf(work, options) }
    const request = await signVoucher({ record }, commitmentOf(deal), signing)
    const upload = { peer, request, payload: fetched.file, clock, onBytes }
    checkReceipt(await uploadPayload(upload, options), { record, deal, work })
  } finally {
    phase.end()
  }
  return untilActive(work, deal, job.timeoutMs, options)
}

/** @throws HoldfastError `SIGNATURE_INVALID`, `PEER_MISBEHAVED`. */
const checkReceipt = (
  { receipt, signature }: Awaited<ReturnType<typeof uploadPayload>>,
  by: { readonly record: ProviderRecord; readonly deal: Deal; readonly work: Work },
): void => {
  const digest = receiptDigest(receipt, signingDomain(by.work.ledger.network))
  checkSigner({ digest, signature, expected: by.record.operator })
  const { root, length } = by.deal.terms
  if (receipt.root === root && receipt.length === length) return
  const reason = 'its receipt is for another payload'
  throw new HoldfastError({ code: 'PEER_MISBEHAVED', peer: by.record.provider, reason })
}

/** The later of block time and wall time. */
const nowOf = async ({ ledger, clock }: Work, options: CallOptions): Promise<Timestamp> => {
  const tip = await ledger.tip(options)
  return larger(tip.timestamp, timestamp(Math.floor(clock.now() / 1000)))
}

/** Waits for the provider's own transaction; the bytes are safe there already. */
const untilActive = async (
  { ledger, clock, progress = silentProgress }: Work,
  { id, terms }: Deal,
  timeoutMs: number,
  options: CallOptions,
): Promise<RepairedDeal> => {
  const { provider } = terms
  const end = clock.now() + timeoutMs
  if (timeoutMs > 0) progress.step(`waiting until ${provider} shows on chain that it has the bytes`)
  for (;;) {
    const found = await ledger.deal(id, options)
    if (found?.state === 'active') return { deal: id, provider, state: 'active' }
    if (clock.now() >= end) return { deal: id, provider, state: 'stored' }
    await clock.sleep(milliseconds(LOOK_MS), options)
  }
}
