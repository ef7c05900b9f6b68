/**
 * Deals with their terms. The chain keeps only what settlement needs; the terms are in the log of
 * the opening, found by indexed topics. Since a deal's id is the digest of its terms, terms found
 * once are true for ever, and a bounded number of them is remembered.
 */
import {
  amount,
  type CallOptions,
  type DealId,
  type DealTerms,
  dealIdOf,
  type Hex,
  HoldfastError,
  minus,
  plus,
} from '@holdfast/protocol'
import { encodeEventTopics, type Hex as ViemHex } from 'viem'
import { dealMarketAbi, proofLedgerAbi } from '../generated/contracts.ts'
import { type Deal, type DealFilter, type LedgerEvent, signingDomain } from '../ledger.ts'
import { getHead } from './blocks.ts'
import type { EvmClient } from './client.ts'
import { decodeEvent } from './events.ts'
import { eachLogRange, getLogsBetween, type MinedLog } from './logs.ts'
import { readDealRecord } from './read.ts'

type Opened = Extract<LedgerEvent, { kind: 'deal-opened' }>
type Topics = readonly (ViemHex | readonly ViemHex[] | null)[]

/** About a kilobyte each. */
const REMEMBERED_MAX = 4096
/** Deals read at once. */
const PAGE = 64

/** Terms by deal id, the least recently used forgotten first. */
export class TermsCache {
  readonly #known = new Map<DealId, DealTerms>()

  get(id: DealId): DealTerms | undefined {
    const terms = this.#known.get(id)
    if (terms !== undefined) {
      this.#known.delete(id)
      this.#known.set(id, terms)
    }
    return terms
  }

  set(id: DealId, terms: DealTerms): void {
    this.#known.set(id, terms)
    if (this.#known.size <= REMEMBERED_MAX) return
    const [oldest] = this.#known.keys()
    if (oldest !== undefined) this.#known.delete(oldest)
  }
}

const openedIn = (client: EvmClient, log: MinedLog): Opened | undefined => {
  const event = decodeEvent(client.network, log)
  return event?.kind === 'deal-opened' ? event : undefined
}

/** The topics that single out the openings of a filter; null stands for any. */
const openingTopics = (filter: DealFilter): Topics =>
  encodeEventTopics({
    abi: dealMarketAbi,
    eventName: 'DealOpened',
    args: {
      client: filter.client ?? null,
      provider: filter.provider ?? null,
      dataset: filter.dataset ?? null,
    },
  })

/** The blocks in which a deal entered a tree: its slot's event has the deal as a topic. */
const blocksOf = async (
  client: EvmClient,
  id: DealId,
  options?: CallOptions,
): Promise<readonly bigint[]> => {
  const topics: Topics = encodeEventTopics({
    abi: proofLedgerAbi,
    eventName: 'SlotChanged',
    args: { deal: id },
  })
  const { deployedAt, contracts } = client.network
  const head = await getHead(client, options)
  const query = { from: deployedAt, to: head.number, addresses: [contracts.proofs], topics }
  return (await getLogsBetween(client, query, options)).map((log) => log.blockNumber)
}

/**
 * The terms of a deal.
 * @throws HoldfastError `DEAL_NOT_FOUND` when no opening of it is on the chain.
 */
export const readTerms = async (
  client: EvmClient,
  cache: TermsCache,
  id: DealId,
  options?: CallOptions,
): Promise<DealTerms> => {
  const known = cache.get(id)
  if (known !== undefined) return known
  for (const block of await blocksOf(client, id, options)) {
    const query = {
      from: block,
      to: block,
      addresses: [client.network.contracts.market],
      topics: openingTopics({}),
    }
    for (const log of await getLogsBetween(client, query, options)) {
      const opened = openedIn(client, log)
      if (opened?.deal === id) {
        remember(client, cache, opened)
        return opened.terms
      }
    }
  }
  throw new HoldfastError({ code: 'DEAL_NOT_FOUND', deal: id })
}

const remember = (client: EvmClient, cache: TermsCache, { deal, terms }: Opened): void => {
  const digest: Hex = dealIdOf(terms, signingDomain(client.network))
  if (digest !== deal) {
    const reason = `it shows deal ${deal} with terms that hash to ${digest}`
    throw new HoldfastError({ code: 'LEDGER_UNREACHABLE', endpoint: client.endpoint, reason })
  }
  cache.set(deal, terms)
}

/** A deal as it stands, or undefined when it was never opened. */
export const readDeal = async (
  client: EvmClient,
  cache: TermsCache,
  id: DealId,
  options?: CallOptions,
): Promise<Deal | undefined> => {
  const record = await readDealRecord(client, id, options)
  if (record === undefined) return undefined
  const terms = await readTerms(client, cache, id, options)
  const { provider: _provider, toppedUp, ...rest } = record
  const deposit = plus(terms.deposit, toppedUp)
  const escrow = record.state === 'closed' ? amount(0n) : minus(deposit, record.paid)
  return { id, terms, deposit, escrow, ...rest }
}

/** See `LedgerReader.deals`. */
export const readDeals = async (
  client: EvmClient,
  cache: TermsCache,
  filter: DealFilter,
  options?: CallOptions,
): Promise<readonly Deal[]> => {
  const { deployedAt, contracts } = client.network
  const { number: to } = await getHead(client, options)
  const query = {
    from: deployedAt,
    to,
    addresses: [contracts.market],
    topics: openingTopics(filter),
  }
  const found: Deal[] = []
  for await (const { logs } of eachLogRange(client, query, options)) {
    for (let i = 0; i < logs.length; i += PAGE) {
      const page = await Promise.all(
        logs.slice(i, i + PAGE).map((log) => {
          const opened = openedIn(client, log)
          if (opened === undefined) return undefined
          remember(client, cache, opened)
          return readDeal(client, cache, opened.deal, options)
        }),
      )
      for (const deal of page) if (deal !== undefined) found.push(deal)
    }
  }
  return found
}
