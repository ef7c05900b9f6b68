/** A provider's quote for a life, checked and signed into terms by the publisher's own code. */
import { type Ledger, type NetworkParams, signingDomain } from '@holdfast/chain'
import {
  type Amount,
  amount,
  attributesOf,
  bytes,
  costOf,
  type DealTerms,
  hash32,
  larger,
  leafNodes,
  periods,
  plainHasher,
  quoteDigest,
  rateFor,
  root,
  type Timestamp,
  timestamp,
  toHex,
  ZERO_HASH,
} from '@holdfast/protocol'
import { checkOffer, type Offer } from '../../src/publish/offers.ts'
import { signTerms } from '../../src/publish/terms.ts'
import type { LifePlan, People } from './life-facts.ts'

/** More than one slash. */
export const STAKE = amount(1_000_000n)

/** Who quotes what to whom, and when. */
export interface Quoting {
  readonly network: NetworkParams
  readonly plan: LifePlan
  readonly people: People
  readonly now: Timestamp
}

const tokenOf = ({ tokens: [token] }: NetworkParams) => {
  if (token === undefined) throw new Error('a network has a token')
  return token
}

/** Registers the provider with its prices; it quotes by them, and the publisher checks the quote. */
export const quotedOffer = async (owner: Ledger, quoting: Quoting): Promise<Offer> => {
  const { network, plan, people, now } = quoting
  const token = tokenOf(network)
  const prices = {
    pricePerTibMonth: amount(plan.price),
    provingFeeMonth: amount(plan.provingFee),
  }
  const { operator, random } = people
  await owner.registerProvider(
    {
      ...{ operator: operator.address, tlsKeyHash: ZERO_HASH, endpoint: 'here:1', region: '' },
      ...{ token: token.address, egressPerTib: amount(0n), accepting: true, ...prices },
    },
    STAKE,
  )
  const record = await owner.provider(people.owner.address)
  if (record === undefined) throw new Error('it is registered')
  const length = bytes(plan.length)
  const rate = rateFor({ length, ...prices })
  const covered = periods(plan.collateralPeriods)
  const quote = {
    ...{ provider: record.provider, token: token.address, length, rate },
    ...{ periods: periods(plan.periods), notice: periods(plan.notice) },
    collateral: costOf({ rate, period: network.period, periods: covered }),
    ...{ egressPrice: amount(0n), attributes: attributesOf('') },
    ...{ expiry: timestamp(now + 1_000_000n), nonce: hash32(toHex(random.bytes(32))) },
  }
  const signature = await operator.sign(quoteDigest(quote, signingDomain(network)))
  const request = { length, periods: quote.periods, token, region: '', maxPrice: undefined }
  return checkOffer({ record, response: { quote, signature }, request }, { network, now })
}

/** The terms that the publisher would sign, with the part of the deposit that the plan pays first. */
export const termsUnder = async (
  offer: Offer,
  { network, plan, people, now }: Quoting,
  leaf: Uint8Array,
): Promise<DealTerms> => {
  const commitment = {
    ...{ scheme: 1 as const, length: bytes(plan.length) },
    root: root(toHex(leafNodes(leaf.subarray(0, plan.length), plainHasher))),
  }
  const context = { network, signer: people.publisher, random: people.random, now }
  const { terms } = await signTerms(offer, { commitment, dataset: ZERO_HASH }, context)
  return { ...terms, deposit: firstDeposit(terms, network, plan) }
}

const firstDeposit = (
  { rate, periods: term, notice, deposit }: DealTerms,
  { period }: NetworkParams,
  { share }: LifePlan,
): Amount => {
  const least = costOf({ rate, period, periods: larger(periods(1n), notice) })
  return term <= notice ? deposit : larger(amount((deposit * BigInt(share)) / 100n), least)
}
