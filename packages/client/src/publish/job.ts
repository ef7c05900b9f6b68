/**
 * The state of one publish run and its steps: what is held already, which offers fill the gap, what
 * it costs, and the replicas stored side by side. `publish.ts` calls them in order.
 */
import type { Deal } from '@holdfast/chain'
import { signingDomain } from '@holdfast/chain'
import {
  type Amount,
  amount,
  type CallOptions,
  dealIdOf,
  HoldfastError,
  type ProposeDealRequest,
  periodAt,
} from '@holdfast/protocol'
import { toHoldfastError } from '../ui/json.ts'
import { formatAmount } from '../ui/text.ts'
import type { PublishJob, ReplicaFailure } from './job-types.ts'
import { OfferSource } from './offer-source.ts'
import type { Offer } from './offers.ts'
import { propose, storeReplica } from './replica.ts'

/** What need not be bought again. */
export interface Held {
  readonly deals: readonly Deal[]
  /** Signed and sent, perhaps opened any moment: sent again instead of replaced. */
  readonly pending: readonly ProposeDealRequest[]
}

/** Active deals of this account for this very payload, and proposals that may still open. */
export const heldReplicas = async (job: PublishJob, options: CallOptions): Promise<Held> => {
  const { ledger, context } = job
  const { signer, commitment, dataset, record } = context
  const now = await context.now()
  const found = await ledger.deals({ client: signer.address, dataset }, options)
  const period = periodAt(ledger.network, now)
  const deals = found.filter(
    ({ state, terms, end }) =>
      state === 'active' &&
      end > period &&
      terms.root === commitment.root &&
      terms.length === commitment.length,
  )
  const pending: ProposeDealRequest[] = []
  for (const replica of record.replicas) {
    const { provider, proposal } = replica
    if (proposal === undefined) continue
    const known = await ledger.deal(
      dealIdOf(proposal.terms, signingDomain(ledger.network)),
      options,
    )
    if (known === undefined && proposal.terms.openBefore > now) pending.push(proposal)
    else await record.forget(provider)
  }
  return { deals: onePerProvider(deals), pending }
}

const onePerProvider = (deals: readonly Deal[]): readonly Deal[] => [
  ...new Map(deals.map((deal) => [deal.terms.provider, deal])).values(),
]

/**
 * The offers that fill the gap between wanted and held.
 * @throws HoldfastError `PARTIAL` when too few providers fit; nothing was spent then.
 */
export const collectOffers = async (
  job: PublishJob,
  held: Held,
  options: CallOptions,
): Promise<{ readonly offers: readonly Offer[]; readonly source: OfferSource }> => {
  const taken = [...held.deals, ...held.pending].map(({ terms }) => terms.provider)
  const source = await OfferSource.open(job, new Set(taken), options)
  const offers: Offer[] = []
  while (offers.length < job.wanted - taken.length) {
    const offer = await source.next(options)
    if (offer === undefined) throw tooFew(job, taken.length + offers.length, source)
    offers.push(offer)
  }
  return { offers, source }
}

const tooFew = (job: PublishJob, actual: number, source: OfferSource): HoldfastError => {
  const refused = source.refusals.map(({ provider, error }) => `${provider} ${error.message}`)
  const why = refused.length === 0 ? 'no other provider fits' : refused.join('; ')
  const reason = `${actual} of ${job.wanted} distinct providers: ${why}`
  return new HoldfastError({ code: 'PARTIAL', wanted: job.wanted, actual, reason })
}

/** @throws HoldfastError `FUNDS_INSUFFICIENT`, `DECLINED`. */
export const approveBill = async (
  job: PublishJob,
  held: Held,
  offers: readonly Offer[],
  options: CallOptions,
): Promise<void> => {
  const { token } = job.offerRequest
  const open = held.pending.reduce((sum, { terms }) => sum + terms.deposit, 0n)
  const total = amount(offers.reduce((sum, { cost }) => sum + cost, open))
  const available = await job.ledger.balance(job.context.signer.address, token.address, options)
  if (available < total) {
    const say = (units: Amount): string => `${formatAmount(units, token.decimals)} ${token.symbol}`
    const message = `${say(total)} are needed in the vault, ${say(available)} are there; nothing was sent`
    throw new HoldfastError({ code: 'FUNDS_INSUFFICIENT', needed: total, available }, { message })
  }
  if (offers.length === 0 || job.approve === undefined) return
  if (!(await job.approve({ token, total, offers }))) {
    throw new HoldfastError({ code: 'DECLINED', reason: 'the bill was not accepted' })
  }
}

export interface Stored {
  readonly deals: readonly Deal[]
  readonly failures: readonly ReplicaFailure[]
}

/** Stores the missing replicas side by side; one that fails is replaced while offers last. */
export const storeAll = async (
  job: PublishJob,
  work: { readonly held: Held; readonly offers: readonly Offer[]; readonly source: OfferSource },
  options: CallOptions,
): Promise<Stored> => {
  const failures: ReplicaFailure[] = []
  const resume = async (proposal: ProposeDealRequest): Promise<Deal | undefined> => {
    const { provider } = proposal.terms
    try {
      return await resumeProposal(job, proposal, options)
    } catch (error) {
      failures.push({ provider, error: toHoldfastError(error) })
      return undefined
    }
  }
  const store = async (first: Offer): Promise<Deal | undefined> => {
    let offer: Offer | undefined = first
    while (offer !== undefined) {
      const outcome: Deal | HoldfastError = await storeAt(job, offer, options)
      if (!HoldfastError.is(outcome)) return outcome
      failures.push({ provider: offer.record.provider, error: outcome })
      offer = (await mayReplace(job, offer, outcome)) ? await work.source.next(options) : undefined
    }
    return undefined
  }
  const stored = await Promise.all([...work.held.pending.map(resume), ...work.offers.map(store)])
  const opened = stored.filter((deal) => deal !== undefined)
  for (const { terms } of opened) await job.context.record.forget(terms.provider)
  return { deals: [...work.held.deals, ...opened], failures }
}

const storeAt = async (
  job: PublishJob,
  offer: Offer,
  options: CallOptions,
): Promise<Deal | HoldfastError> => {
  try {
    const peer = await job.peers.peer(offer.record, options)
    return await storeReplica(job.context, peer, offer, options)
  } catch (error) {
    return toHoldfastError(error)
  }
}

const resumeProposal = async (
  job: PublishJob,
  proposal: ProposeDealRequest,
  options: CallOptions,
): Promise<Deal> => {
  const { provider } = proposal.terms
  const record = await job.ledger.provider(provider, options)
  if (record === undefined) throw new HoldfastError({ code: 'PROVIDER_NOT_FOUND', provider })
  const peer = await job.peers.peer(record, options)
  return propose(job.context, { peer, operator: record.operator }, proposal, options)
}

/** Not when we were stopped, and not while a signed proposal may still be opened there. */
const mayReplace = async (
  job: PublishJob,
  offer: Offer,
  error: HoldfastError,
): Promise<boolean> => {
  if (error.code === 'ABORTED' || error.code === 'INVARIANT') return false
  const { record } = job.context
  const { provider } = offer.record
  if (record.replica(provider).proposal === undefined) return true
  if (!isRefusal(error)) return false
  await record.forget(provider)
  return true
}

/** The provider answered and said no; silence and lost connections are no answer. */
const isRefusal = (error: HoldfastError): boolean =>
  error.row.retry !== 'back-off' && error.code !== 'PEER_MISBEHAVED'
