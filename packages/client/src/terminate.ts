/**
 * The end of a dataset, top to bottom: the account's deals on it → notice for those that would run on
 * → the close of those that are over, which brings the rest of the escrow back.
 *
 * Invariants: every deal gets the one step that is due now and no other, so running it again is safe
 * and goes on where the last run stopped; a deal that fails does not stop the others. What a provider
 * has proven until the end stays paid.
 */
import type { ClientLedger, Deal, LedgerEvent, NetworkParams } from '@holdfast/chain'
import {
  type Address,
  type Amount,
  type CallOptions,
  type DealId,
  endAfterNotice,
  finalAt,
  HoldfastError,
  larger,
  minus,
  type Period,
  type Periods,
  type ProviderId,
  period,
  periodAt,
  periodStart,
  periods,
  type Timestamp,
} from '@holdfast/protocol'
import type { CID } from 'multiformats/cid'
import { datasetDigest } from './publish/terms.ts'
import { toHoldfastError } from './ui/json.ts'

/** What a deal needs now. */
export type Step =
  /** Notice brings its end nearer, to the start of this period. */
  | { readonly kind: 'notice'; readonly end: Period }
  /** It is over and everything in it is final. */
  | { readonly kind: 'close' }
  /** Notice would change nothing: it ends by then. */
  | { readonly kind: 'running'; readonly endsAt: Timestamp }
  /** Over, and closed from then on, unless a dispute lasts longer. */
  | { readonly kind: 'settling'; readonly finalAt: Timestamp }
  | { readonly kind: 'closed' }

/** What was done about a deal, or why nothing. */
export interface Ending {
  readonly deal: DealId
  readonly provider: ProviderId
  readonly did: 'notice' | 'closed' | 'nothing'
  readonly state: 'ending' | 'settling' | 'closed'
  /** When the deal is over, or was. */
  readonly endsAt: Timestamp
  /** When it can be closed at the earliest; undefined when it is. */
  readonly closesAt?: Timestamp
  /** Escrow that its close brought back to the account's vault, whoever closed it. */
  readonly refunded?: Amount
  /** Collateral of the provider that this close gave to the account. */
  readonly compensation?: Amount
}

export interface EndingFailure {
  readonly deal: DealId
  readonly provider: ProviderId
  readonly error: HoldfastError
}

export interface Terminated {
  readonly endings: readonly Ending[]
  readonly failures: readonly EndingFailure[]
}

export interface TerminateRequest {
  readonly root: CID
  /** Only this deal. Default: every one of the account. */
  readonly deal?: DealId
}

/** Where the chain stands for one deal. */
interface Facts {
  readonly network: NetworkParams
  readonly now: Timestamp
  /** Of the deal's provider: nothing from this period on is final. */
  readonly finalBefore: Period
}

/** Source: docs/spec/settlement.md, section 6. */
export const stepFor = (deal: Deal, { network, now, finalBefore }: Facts): Step => {
  if (deal.state === 'closed') return { kind: 'closed' }
  const current = periodAt(network, now)
  if (deal.end <= current) {
    return finalBefore >= deal.end
      ? { kind: 'close' }
      : { kind: 'settling', finalAt: finalOf(network, deal) }
  }
  const notice = deal.state === 'faulty' ? NO_NOTICE : deal.terms.notice
  const end = endAfterNotice(deal, { now: current, notice })
  return end < deal.end
    ? { kind: 'notice', end }
    : { kind: 'running', endsAt: periodStart(network, deal.end) }
}

/** A faulty deal needs none. */
const NO_NOTICE: Periods = periods(0)

/** The last period of the deal is final from here on, if nothing is in dispute. */
const finalOf = (network: NetworkParams, { start, end }: Pick<Deal, 'start' | 'end'>): Timestamp =>
  end > start ? finalAt(network, period(end - 1n)) : periodStart(network, end)

/** The deals of an account on a dataset, as they are now. */
export interface OwnDeals {
  readonly client: Address
  readonly request: TerminateRequest
}

/**
 * Looks, and does nothing.
 * @throws HoldfastError `DATASET_NOT_FOUND`, `DEAL_NOT_FOUND`.
 */
export const planEndings = async (
  ledger: Pick<ClientLedger, 'deals' | 'network' | 'standing' | 'tip'>,
  { client, request }: OwnDeals,
  options: CallOptions & { readonly now: Timestamp },
): Promise<readonly { readonly deal: Deal; readonly step: Step }[]> => {
  const all = await ledger.deals({ dataset: datasetDigest(request.root), client }, options)
  const dataset = request.root.toString()
  if (all.length === 0) throw new HoldfastError({ code: 'DATASET_NOT_FOUND', dataset })
  const deals = request.deal === undefined ? all : all.filter(({ id }) => id === request.deal)
  if (deals.length === 0 && request.deal !== undefined) {
    throw new HoldfastError({ code: 'DEAL_NOT_FOUND', deal: request.deal })
  }
  const { timestamp } = await ledger.tip(options)
  const now = larger(timestamp, options.now)
  return Promise.all(
    deals.map(async (deal) => {
      const { finalBefore } = await ledger.standing(deal.terms.provider, options)
      return { deal, step: stepFor(deal, { network: ledger.network, now, finalBefore }) }
    }),
  )
}

/** Takes the steps, one transaction after the other. */
export const takeSteps = async (
  ledger: Pick<ClientLedger, 'network' | 'terminateDeal' | 'closeDeal'>,
  plan: Awaited<ReturnType<typeof planEndings>>,
  options: CallOptions = {},
): Promise<Terminated> => {
  const endings: Ending[] = []
  const failures: EndingFailure[] = []
  for (const { deal, step } of plan) {
    try {
      endings.push(await takeStep(ledger, { deal, step }, options))
    } catch (error) {
      if (HoldfastError.is(error, 'ABORTED')) throw error
      const { id, terms } = deal
      failures.push({ deal: id, provider: terms.provider, error: toHoldfastError(error) })
    }
  }
  return { endings, failures }
}

const takeStep = async (
  ledger: Pick<ClientLedger, 'network' | 'terminateDeal' | 'closeDeal'>,
  { deal, step }: { readonly deal: Deal; readonly step: Step },
  options: CallOptions,
): Promise<Ending> => {
  const { network } = ledger
  const { id, terms } = deal
  const of = { deal: id, provider: terms.provider, endsAt: periodStart(network, deal.end) }
  switch (step.kind) {
    case 'notice': {
      const { events } = await ledger.terminateDeal(id, options)
      const end = only(events, 'deal-terminated', id).end
      const closesAt = finalOf(network, { start: deal.start, end })
      const endsAt = periodStart(network, end)
      return { ...of, did: 'notice', state: 'ending', endsAt, closesAt }
    }
    case 'close': {
      const { events } = await ledger.closeDeal(id, options)
      const { refunded, compensation } = only(events, 'deal-closed', id)
      return { ...of, did: 'closed', state: 'closed', refunded, compensation }
    }
    case 'running':
      return { ...of, did: 'nothing', state: 'ending', closesAt: finalOf(network, deal) }
    case 'settling':
      return { ...of, did: 'nothing', state: 'settling', closesAt: step.finalAt }
    case 'closed':
      return { ...of, did: 'nothing', state: 'closed', refunded: minus(deal.deposit, deal.paid) }
  }
}

type DealEvent = Extract<LedgerEvent, { readonly kind: 'deal-terminated' | 'deal-closed' }>

/** The event that a transaction about one deal must have caused. */
const only = <K extends DealEvent['kind']>(
  events: readonly LedgerEvent[],
  kind: K,
  deal: DealId,
): Extract<DealEvent, { readonly kind: K }> => {
  const found = events.find(
    (event): event is Extract<DealEvent, { readonly kind: K }> =>
      event.kind === kind && 'deal' in event && event.deal === deal,
  )
  if (found !== undefined) return found
  throw new Error(`the transaction for deal ${deal} has no event ${kind}`)
}
