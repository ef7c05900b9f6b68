/** What may happen to deals and money: one function per kind of step, most of them sensible ones. */
import {
  type Address,
  amount,
  attributesOf,
  consentDigest,
  costOf,
  DEAL_CHALLENGES,
  type DealId,
  type DealTerms,
  dealChallenges,
  dealIdOf,
  hash32,
  type LeafOpening,
  periods,
  rate,
  type Signer,
  type SlotPath,
  slotIndex,
  timestamp,
  toHex,
  ZERO_ADDRESS,
  ZERO_HASH,
} from '@holdfast/protocol'
import { type DealState, signingDomain } from '../../src/ledger.ts'
import type { Seeded } from '../simulation/seeded.ts'
import { CLIENTS, EVERYBODY, type Keeper, PAYLOADS, payloadOf } from './cast.ts'
import { WEALTH } from './stage.ts'
import type { Step, Twins } from './twins.ts'

/** A step that may be tried now, or undefined when there is nothing to try it on. */
export type MakeStep = (twins: Twins, random: Seeded) => Promise<Step | undefined>

export const below = (random: Seeded, most: bigint): bigint =>
  BigInt(Math.floor(random.unit() * Number(most)))

/** The right one, but for a few. */
export const mostly = <T>(random: Seeded, right: T, wrong: () => T): T =>
  random.chance(0.95) ? right : wrong()

export const someone = (random: Seeded): Address => random.pick(EVERYBODY).address

export const someDeal = ({ cast }: Twins, random: Seeded): DealId | undefined =>
  cast.deals.length === 0 ? undefined : random.pick(cast.deals)

/** A deal in one of these states, as a rule; any other when there is none. */
const dealThatIs = async (
  twins: Twins,
  random: Seeded,
  ...wanted: readonly DealState[]
): Promise<DealId | undefined> => {
  const found: DealId[] = []
  for (const id of twins.cast.deals) {
    const deal = await twins.reader.deal(id)
    if (deal !== undefined && wanted.includes(deal.state)) found.push(id)
  }
  if (found.length === 0) return random.chance(0.2) ? someDeal(twins, random) : undefined
  return mostly(random, random.pick(found), () => random.pick(twins.cast.deals))
}

export const short = (id: string): string => id.slice(2, 8)

const RATES = [0n, 1n, 999_999_999n, 3_500_000_000_001n, 7_000_000_000_000n, 123_456_789_012_345n]

const randomTerms = (twins: Twins, random: Seeded, keeper: Keeper): DealTerms => {
  const { network, tokens } = twins.cast
  const payload = random.pick(PAYLOADS)
  const of = rate(
    mostly(random, 3_500_000_000_001n + below(random, 10n ** 12n), () => random.pick(RATES)),
  )
  const term = periods(1n + below(random, 24n))
  const notice = periods(below(random, 6n))
  const cost = (count: bigint): bigint =>
    costOf({ rate: of, period: network.period, periods: periods(count) })
  const deposit = mostly(random, cost(notice + below(random, term + 2n)), () =>
    below(random, 9_000n),
  )
  const collateral = below(random, cost(30n) + 10n)
  return {
    ...payload.commitment,
    client: random.pick(CLIENTS).address,
    provider: keeper.provider,
    token: mostly(random, random.pick(tokens), () => someone(random)),
    dataset: ZERO_HASH,
    rate: of,
    periods: mostly(random, term, () => periods(random.pick([0n, (1n << 32n) - 1n]))),
    deposit: amount(deposit),
    ...{ collateral: amount(collateral), notice, egressPrice: amount(0n) },
    replacementCost: amount(below(random, collateral * 2n + 2n)),
    attributes: attributesOf('eu-north'),
    takedown: ZERO_HASH,
    openBefore: timestamp(twins.time + mostly(random, 1_000n, () => -1n)),
    nonce: hash32(toHex(random.bytes(32))),
  }
}

/** The lowest empty slot, as a rule. */
const emptySlot = (random: Seeded, { tree }: Keeper): SlotPath =>
  mostly(random, tree.path(tree.freeSlot()), () => tree.path(slotIndex(tree.slots)))

export const openDeal: MakeStep = async (twins, random) => {
  const { cast } = twins
  const keeper = random.pick(cast.keepers)
  const terms = randomTerms(twins, random, keeper)
  const id = dealIdOf(terms, signingDomain(cast.network))
  cast.draft(id, terms)
  const client = CLIENTS.find(({ address }) => address === terms.client) ?? keeper.owner
  const sign = (signer: Signer) => signer.sign(hash32(id))
  const parameters = {
    terms,
    path: emptySlot(random, keeper),
    clientSignature: await sign(mostly(random, client, () => random.pick(EVERYBODY))),
    providerSignature: await sign(mostly(random, keeper.operator, () => keeper.owner)),
  }
  const name = `open ${short(id)} rate ${terms.rate} x ${terms.periods} deposit ${terms.deposit} collateral ${terms.collateral} notice ${terms.notice} slot ${parameters.path.slot}`
  return { name, by: someone(random), run: (writes) => writes.openDeal(parameters) }
}

export const settle: MakeStep = async ({ cast }, random) => {
  if (cast.deals.length === 0) return undefined
  const count = 1 + Math.floor(random.unit() * 4)
  const deals = Array.from({ length: count }, () => random.pick(cast.deals))
  const chosen = mostly(random, deals, () => [])
  const name = `settle ${chosen.map(short).join(' ')}`
  return { name, by: someone(random), run: (writes) => writes.settle(chosen) }
}

export const settleAll: MakeStep = async ({ cast }, random) => ({
  name: 'settle all',
  by: someone(random),
  run: (writes) => writes.settle(cast.deals),
})

export const close: MakeStep = async (twins, random) => {
  const deal = await dealThatIs(twins, random, 'ended')
  if (deal === undefined) return undefined
  return { name: `close ${short(deal)}`, by: someone(random), run: (w) => w.closeDeal(deal) }
}

export const terminate: MakeStep = async (twins, random) => {
  const deal = await dealThatIs(twins, random, 'active', 'faulty')
  if (deal === undefined) return undefined
  const by = mostly(random, twins.cast.termsOf(deal).client, () => someone(random))
  return { name: `terminate ${short(deal)}`, by, run: (w) => w.terminateDeal(deal) }
}

/** The keeper of a deal. */
export const keeperOf = ({ cast }: Twins, deal: DealId): Keeper =>
  cast.keeperOf(cast.termsOf(deal).provider)

export const resign: MakeStep = async (twins, random) => {
  const deal = await dealThatIs(twins, random, 'active', 'faulty')
  if (deal === undefined) return undefined
  const by = mostly(random, keeperOf(twins, deal).operator.address, () => someone(random))
  return { name: `resign ${short(deal)}`, by, run: (w) => w.resignDeal(deal) }
}

export const consent: MakeStep = async (twins, random) => {
  const deal = await dealThatIs(twins, random, 'active', 'faulty')
  if (deal === undefined) return undefined
  const digest = consentDigest(deal, signingDomain(twins.cast.network))
  const wanted = twins.cast.termsOf(deal).client
  const client = EVERYBODY.find(({ address }) => address === wanted) ?? random.pick(EVERYBODY)
  const { operator } = keeperOf(twins, deal)
  const signatures = {
    client: await mostly(random, client, () => random.pick(EVERYBODY)).sign(digest),
    operator: await mostly(random, operator, () => random.pick(EVERYBODY)).sign(digest),
  }
  const run: Step['run'] = (writes) => writes.closeByConsent(deal, signatures)
  return { name: `consent ${short(deal)}`, by: someone(random), run }
}

export const topUp: MakeStep = async (twins, random) => {
  const deal = await dealThatIs(twins, random, 'active', 'faulty')
  if (deal === undefined) return undefined
  const value = amount(below(random, 30_000n))
  const by = mostly(random, twins.cast.termsOf(deal).client, () => someone(random))
  return { name: `top-up ${short(deal)} ${value}`, by, run: (w) => w.topUp(deal, value) }
}

/** The path of the slot that a deal has, or some path. */
const slotOf = async (twins: Twins, random: Seeded, deal: DealId): Promise<SlotPath> => {
  const { tree } = keeperOf(twins, deal)
  const slot = (await twins.reader.deal(deal))?.slot ?? slotIndex(0n)
  const known = BigInt(slot) < BigInt(tree.slots) ? slot : slotIndex(0n)
  return mostly(random, tree.path(known), () =>
    tree.path(slotIndex(below(random, BigInt(tree.slots)))),
  )
}

export const release: MakeStep = async (twins, random) => {
  const deal = await dealThatIs(twins, random, 'ended', 'closed')
  if (deal === undefined) return undefined
  const path = await slotOf(twins, random, deal)
  const by = mostly(random, keeperOf(twins, deal).operator.address, () => someone(random))
  return { name: `release ${short(deal)} ${path.slot}`, by, run: (w) => w.releaseSlot(deal, path) }
}

export const declareFault: MakeStep = async (twins, random) => {
  const deal = await dealThatIs(twins, random, 'active')
  if (deal === undefined) return undefined
  const path = await slotOf(twins, random, deal)
  const by = mostly(random, keeperOf(twins, deal).operator.address, () => someone(random))
  return { name: `fault ${short(deal)} ${path.slot}`, by, run: (w) => w.declareFault(deal, path) }
}

export const recover: MakeStep = async (twins, random) => {
  const deal = await dealThatIs(twins, random, 'faulty')
  if (deal === undefined) return undefined
  const keeper = keeperOf(twins, deal)
  const path = emptySlot(random, keeper)
  const openings = await recoveryOf(twins, random, deal)
  const by = mostly(random, keeper.operator.address, () => someone(random))
  const name = `recover ${short(deal)} ${path.slot}`
  return { name, by, run: (w) => w.recoverDeal({ deal, path, openings }) }
}

const recoveryOf = async (
  twins: Twins,
  random: Seeded,
  deal: DealId,
): Promise<readonly LeafOpening[]> => {
  const { cast, now } = twins
  const terms = cast.termsOf(deal)
  const seed = (await twins.reader.seed(now)) ?? ZERO_HASH
  const payload = payloadOf(terms)
  const context = cast.context(terms.provider, now, seed)
  const indexes = dealChallenges(context, deal, DEAL_CHALLENGES, payload.leaves)
  const openings = indexes.map((index) => payload.open(index))
  return mostly(random, openings, () => openings.slice(1))
}

export const moveMoney: MakeStep = async ({ cast }, random) => {
  const known = random.pick(cast.tokens)
  const token = mostly(random, known, () => ZERO_ADDRESS)
  const value = amount(mostly(random, below(random, WEALTH / 8n), () => WEALTH * 2n))
  const by = someone(random)
  const who = `of ${short(by)} ${value}`
  const kind = random.pick(['deposit', 'withdraw', 'claim'] as const)
  if (kind === 'deposit') return { name: `deposit ${who}`, by, run: (w) => w.deposit(token, value) }
  if (kind === 'withdraw') {
    return { name: `withdraw ${who}`, by, run: (w) => w.withdraw(token, value) }
  }
  const { provider } = random.pick(cast.keepers)
  return { name: `claim ${short(provider)}`, by, run: (w) => w.claim(token, provider) }
}
