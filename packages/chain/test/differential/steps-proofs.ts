/** What may happen to periods: proving in both modes, audits, misses, and the provider's own affairs. */
import {
  amount,
  globalChallenges,
  type Hash32,
  hash32,
  type Period,
  type ProviderId,
  period,
  toHex,
  ZERO_HASH,
} from '@holdfast/protocol'
import type { ProviderSettings } from '../../src/ledger.ts'
import type { Seeded } from '../simulation/seeded.ts'
import type { Keeper } from './cast.ts'
import { MINIMUM_STAKE, WEALTH } from './stage.ts'
import { below, type MakeStep, mostly, short, someone } from './steps-deals.ts'
import type { Step, Twins } from './twins.ts'

/** A period near now, past ones likelier. */
export const somePeriod = ({ now }: Twins, random: Seeded): Period => {
  const back = below(
    random,
    mostly(random, 6n, () => 40n),
  )
  return period(mostly(random, now > back ? now - back : 0n, () => now + 1n))
}

/** Answers of its bundle that a provider makes up, when it does. */
const spoiltBy = (random: Seeded, { dishonesty }: Keeper): ReadonlySet<bigint> => {
  if (!random.chance(dishonesty)) return new Set()
  const count = 1n + below(random, 4n)
  return new Set(Array.from({ length: Number(count) }, () => below(random, 465n)))
}

const bundleRoot = async (
  twins: Twins,
  random: Seeded,
  keeper: Keeper,
  of: Period,
): Promise<Hash32> => {
  const seed = await twins.reader.seed(of)
  const madeUp = hash32(toHex(random.bytes(32)))
  if (seed === undefined || random.chance(0.05)) return mostly(random, madeUp, () => ZERO_HASH)
  const context = twins.cast.context(keeper.provider, of, seed)
  return keeper.bundle(context, spoiltBy(random, keeper))?.root ?? madeUp
}

export const commitBy = async (
  twins: Twins,
  random: Seeded,
  keeper: Keeper,
  of: Period,
): Promise<Step> => {
  const { provider } = keeper
  const root = await bundleRoot(twins, random, keeper, of)
  const run: Step['run'] = (w) => w.commitPeriod({ provider, period: of, root })
  return { name: `commit ${short(provider)} ${of}`, by: keeper.operator.address, run }
}

export const commit: MakeStep = async (twins, random) => {
  const keeper = random.pick(twins.cast.keepers)
  const step = await commitBy(twins, random, keeper, somePeriod(twins, random))
  // The other provider's operator, too, and whoever became one by an update.
  return mostly(random, step, () => ({ ...step, by: someone(random) }))
}

export const proveBy = async (
  twins: Twins,
  random: Seeded,
  keeper: Keeper,
  of: Period,
): Promise<Step> => {
  const { provider } = keeper
  const seed = (await twins.reader.seed(of)) ?? ZERO_HASH
  const { weight } = keeper.treeAt(of)
  const context = twins.cast.context(provider, of, seed)
  const count = twins.cast.network.directChallenges
  const right = weight === 0n ? [] : keeper.answers(globalChallenges(context, count, weight), of)
  const answers = mostly(random, right, () => right.toReversed())
  const run: Step['run'] = (w) => w.provePeriod({ provider, period: of, answers })
  return { name: `prove ${short(provider)} ${of}`, by: keeper.operator.address, run }
}

export const prove: MakeStep = async (twins, random) => {
  const step = await proveBy(
    twins,
    random,
    random.pick(twins.cast.keepers),
    somePeriod(twins, random),
  )
  return mostly(random, step, () => ({ ...step, by: someone(random) }))
}

/** Shows what is owed, from what was kept. */
export const audit: MakeStep = async (twins, random) => {
  const keeper = random.pick(twins.cast.keepers)
  return auditBy(twins, random, keeper)
}

export const auditBy = async (
  twins: Twins,
  random: Seeded,
  keeper: Keeper,
): Promise<Step | undefined> => {
  const { provider } = keeper
  const { audit: owed, newest } = await twins.reader.standing(provider)
  if (owed === undefined && !random.chance(0.05)) return undefined
  const right = owed?.period ?? newest
  const of =
    right === undefined ? undefined : mostly(random, right, () => somePeriod(twins, random))
  const bundle = of === undefined ? undefined : keeper.kept(of)
  if (of === undefined || bundle === undefined) return undefined
  const shown = bundle.audit(twins.cast.network.directChallenges)
  const openings = mostly(random, shown, () => shown.toReversed())
  const run: Step['run'] = (w) => w.answerAudit({ provider, period: of, openings })
  return { name: `show ${short(provider)} ${of}`, by: someone(random), run }
}

export const slashAudit: MakeStep = async (twins, random) => {
  const { provider } = random.pick(twins.cast.keepers)
  const { audit: owed } = await twins.reader.standing(provider)
  const of = owed?.period ?? somePeriod(twins, random)
  const ahead = period(of + 1n + below(random, 3n))
  const usable = mostly(random, ahead, () => mostly(random, of, () => somePeriod(twins, random)))
  const name = `slash-audit ${short(provider)} ${usable}`
  return { name, by: someone(random), run: (w) => w.slashAudit(provider, usable) }
}

/** One of the last periods with a seed and without a mark, when there is one. */
const missedOne = async (twins: Twins, random: Seeded, provider: ProviderId): Promise<Period> => {
  const { now } = twins
  const from = period(now > 6n ? now - 6n : 0n)
  const marked = new Set(await twins.reader.proven(provider, from, period(now + 1n)))
  const found: Period[] = []
  for (let of = from; of <= now; of = period(of + 1n)) {
    const seeded = (await twins.reader.seed(of)) !== undefined
    if (seeded && !marked.has(of)) found.push(of)
  }
  return found.length === 0 ? somePeriod(twins, random) : random.pick(found)
}

export const report: MakeStep = async (twins, random) => {
  const { provider } = random.pick(twins.cast.keepers)
  const of = mostly(random, await missedOne(twins, random, provider), () =>
    somePeriod(twins, random),
  )
  const name = `report ${short(provider)} ${of}`
  return { name, by: someone(random), run: (w) => w.reportMissed(provider, of) }
}

/** The newest fourteen periods that may have been missed, or nearly. */
export const end: MakeStep = async (twins, random) => {
  const { provider } = random.pick(twins.cast.keepers)
  const { now } = twins
  const found: Period[] = []
  const marked = new Set(await twins.reader.proven(provider, period(0n), period(now + 1n)))
  for (let of = now - 1n; of >= 0n && found.length < 14; of--) {
    const seed = await twins.reader.seed(period(of))
    if (seed !== undefined && !marked.has(period(of))) found.unshift(period(of))
  }
  const chosen = mostly(random, found, () => found.slice(1))
  const name = `end ${short(provider)} ${chosen.join(',')}`
  return { name, by: someone(random), run: (w) => w.terminateProvider(provider, chosen) }
}

const rightSettings = ({ cast }: Twins, random: Seeded, keeper: Keeper): ProviderSettings => ({
  ...{ operator: keeper.operator.address, tlsKeyHash: hash32(`0x${'ab'.repeat(32)}`) },
  ...{ endpoint: '127.0.0.1:4701', region: 'eu-north', token: random.pick(cast.tokens) },
  ...{ pricePerTibMonth: amount(1n), provingFeeMonth: amount(2n), egressPerTib: amount(0n) },
  ...{ accepting: true, beneficiary: random.chance(0.3) ? someone(random) : undefined },
})

const settingsOf = (twins: Twins, random: Seeded, keeper: Keeper): ProviderSettings => {
  const right = rightSettings(twins, random, keeper)
  return {
    ...right,
    operator: mostly(random, right.operator, () => someone(random)),
    endpoint: mostly(random, right.endpoint, () => ''),
    region: mostly(random, right.region, () => 'x'.repeat(65)),
    token: mostly(random, right.token, () => someone(random)),
    accepting: random.chance(0.8),
  }
}

/** @param settings right ones unless given. */
export const registerBy = (
  twins: Twins,
  random: Seeded,
  keeper: Keeper,
  settings: ProviderSettings = rightSettings(twins, random, keeper),
): Step => {
  const stake = amount(MINIMUM_STAKE + below(random, 6_000n))
  const name = `register ${short(keeper.provider)} ${stake}`
  return { name, by: keeper.provider, run: (w) => w.registerProvider(settings, stake) }
}

/** Again, by somebody who is registered, or by anybody. */
export const register: MakeStep = async (twins, random) => {
  const keeper = random.pick(twins.cast.keepers)
  const step = registerBy(twins, random, keeper, settingsOf(twins, random, keeper))
  return random.chance(0.5) ? step : { ...step, by: someone(random) }
}

export const update: MakeStep = async (twins, random) => {
  const keeper = random.pick(twins.cast.keepers)
  const { provider } = keeper
  const settings = settingsOf(twins, random, keeper)
  const name = `update ${short(provider)} ${settings.accepting}`
  return { name, by: provider, run: (w) => w.updateProvider(provider, settings) }
}

export const stake: MakeStep = async (twins, random) => {
  const by = mostly(random, random.pick(twins.cast.keepers).provider, () => someone(random))
  const value = amount(mostly(random, below(random, 8_000n), () => WEALTH * 3n))
  if (random.chance(0.5)) {
    return { name: `stake ${short(by)} ${value}`, by, run: (w) => w.addStake(value) }
  }
  return { name: `unstake ${short(by)} ${value}`, by, run: (w) => w.withdrawStake(value) }
}
