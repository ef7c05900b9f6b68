/**
 * Publish, top to bottom: pack, commit, look at ledger and record, collect offers, check the funds,
 * store each replica, report. Every step may be interrupted; running it again continues, and never
 * opens a deal twice: what the ledger or a pending signed proposal covers is not bought again.
 */
import type { ClientLedger, Deal, TokenInfo } from '@holdfast/chain'
import {
  type Amount,
  amount,
  bytes,
  type CallOptions,
  type Clock,
  type Commitment,
  HoldfastError,
  larger,
  type Random,
  type SessionGrant,
  type Signer,
  type Timestamp,
  timestamp,
} from '@holdfast/protocol'
import type { Prover } from '@holdfast/prover'
import type { CID } from 'multiformats/cid'
import type { Packed, PackOptions } from './pack.ts'
import { GrantBook } from './publish/grant-book.ts'
import { approveBill, collectOffers, heldReplicas, type Stored, storeAll } from './publish/job.ts'
import type { Bill, PublishJob, ReplicaFailure } from './publish/job-types.ts'
import type { Offer, OfferRequest } from './publish/offers.ts'
import { PeerPool } from './publish/peers.ts'
import { PublishRecord } from './publish/record.ts'
import { makeSessionKey, sessionKeyOnce } from './publish/session-key.ts'
import { closeSpool, type SpooledPayload, spoolPayload } from './publish/spool.ts'
import { datasetDigest } from './publish/terms.ts'
import type { ConnectPeer } from './transfer/provider-peer.ts'
import { type Phase, type Progress, silentProgress } from './ui/progress.ts'

export interface PublishDependencies {
  readonly ledger: ClientLedger
  readonly signer: Signer
  readonly prover: Prover
  readonly connect: ConnectPeer
  readonly clock: Clock
  readonly random: Random
  /** Where records and the packed payload are kept. */
  readonly home: string
  readonly progress?: Progress
}

export interface PublishRequest extends Omit<OfferRequest, 'length'> {
  readonly path: string
  readonly replicas: number
  readonly pack: PackOptions
  /** Offers of a plan, used as they are. */
  readonly offers?: readonly Offer[]
  /** Refuses when the path no longer gives this dataset. */
  readonly expected?: CID
  /** Asked with the bill before anything is sent; false stops with `DECLINED`. */
  readonly approve?: (bill: Bill) => Promise<boolean>
}

export interface Published {
  readonly packed: Packed
  readonly commitment: Commitment
  readonly wanted: number
  readonly deals: readonly Deal[]
  /** Sum of what can ever be charged under the deals. */
  readonly total: Amount
  readonly token: TokenInfo
  readonly failures: readonly ReplicaFailure[]
  /** Everything was stored already by an earlier run that had finished. */
  readonly unchanged: boolean
}

/**
 * @throws HoldfastError `FUNDS_INSUFFICIENT` before anything is sent; `PARTIAL` when too few
 * providers fit; else the first failure when no replica could be stored.
 */
export const publish = async (
  dependencies: PublishDependencies,
  request: PublishRequest,
  options: CallOptions = {},
): Promise<Published> => {
  const { home, prover, progress = silentProgress } = dependencies
  const packing = { ...request.pack, ...options, progress, prover }
  const spool = await spoolPayload(request.path, home, packing)
  const peers = new PeerPool(dependencies.connect)
  let record: PublishRecord | undefined
  try {
    checkExpected(request, spool.packed.root)
    const { job, upload, record: opened } = await openJob(dependencies, request, { spool, peers })
    record = opened
    const finished = job.context.record.replicas.length === 0
    const held = await heldReplicas(job, options)
    const { offers, source } = await collectOffers(job, held, options)
    await approveBill(job, held, offers, options)
    upload.begin(offers.length)
    const stored = await storeAll(job, { held, offers, source }, options)
    upload.end()
    const complete = stored.deals.length >= request.replicas
    const unchanged = finished && complete && offers.length === 0
    return { ...report(request, spool, stored), unchanged }
  } finally {
    await record?.close()
    await peers.close()
    await closeSpool(spool)
  }
}

/** @throws HoldfastError `CID_MISMATCH` when a plan was made for other content. */
const checkExpected = ({ expected }: PublishRequest, root: CID): void => {
  if (expected === undefined || expected.toString() === root.toString()) return
  const cids = { expected: expected.toString(), actual: root.toString() }
  throw new HoldfastError({ code: 'CID_MISMATCH', ...cids })
}

interface Resources {
  readonly spool: SpooledPayload
  readonly peers: PeerPool
}

interface OpenJob {
  readonly job: PublishJob
  readonly upload: UploadPhase
  readonly record: PublishRecord
}

const openJob = async (
  dependencies: PublishDependencies,
  request: PublishRequest,
  { spool, peers }: Resources,
): Promise<OpenJob> => {
  const { ledger, signer, clock, random, home, progress = silentProgress } = dependencies
  const { commitment, packed } = spool
  const dataset = packed.root.toString()
  const upload = new UploadPhase(progress, commitment)
  const now = async (): Promise<Timestamp> => {
    const tip = await ledger.tip()
    return larger(tip.timestamp, timestamp(Math.floor(clock.now() / 1000)))
  }
  const grants = new GrantBook(home, ledger.network)
  const kept = await grants.list(await now())
  const revoked = new Set(kept.flatMap((g) => (g.revokedAt === undefined ? [] : [g.nonce])))
  const record = await PublishRecord.open({
    home,
    network: ledger.network,
    account: signer.address,
    dataset,
    commitment,
  })
  const context = {
    ...{ ledger, signer, clock, random, record, progress, commitment, now },
    payload: spool.file,
    dataset: datasetDigest(packed.root),
    onBytes: upload.advance,
    isRevoked: ({ nonce }: Pick<SessionGrant, 'nonce'>) => revoked.has(nonce),
    sessionKey: sessionKeyOnce(async () => {
      const { network } = ledger
      const of = { network, signer, random, now: await now() }
      const made = await makeSessionKey(of, commitment.length)
      await grants.keep(made.grant.grant)
      return made
    }),
  }
  const { token, periods, region, maxPrice, replicas: wanted, offers, approve } = request
  const offerRequest = { length: commitment.length, periods, token, region, maxPrice }
  const job = { ledger, context, peers, wanted, offerRequest, offers, approve }
  return { job, upload, record }
}

/** Progress over all replicas together. */
class UploadPhase {
  readonly #progress: Progress
  readonly #commitment: Commitment
  #phase: Phase | undefined

  constructor(progress: Progress, commitment: Commitment) {
    this.#progress = progress
    this.#commitment = commitment
  }

  begin(replicas: number): void {
    if (replicas === 0) return
    const total = bytes(this.#commitment.length * BigInt(replicas))
    this.#phase = this.#progress.phase('uploading', total)
  }

  readonly advance: Phase['advance'] = (count) => this.#phase?.advance(count)

  end(): void {
    this.#phase?.end()
  }
}

const report = (
  { replicas: wanted, token }: PublishRequest,
  { packed, commitment }: SpooledPayload,
  { deals, failures }: Stored,
): Omit<Published, 'unchanged'> => {
  const [first] = failures
  if (deals.length === 0 && first !== undefined) throw first.error
  const total = amount(deals.reduce((sum, { terms }) => sum + terms.deposit, 0n))
  return { packed, commitment, wanted, deals, total, token, failures }
}
