/**
 * Which periods count as proven, on the in-memory state: the marks, what is owed for the last of
 * them, when they are final, and how one is taken back. The rules of ProofLedger.sol.
 */
import {
  type ChallengeContext,
  type CommittedBundle,
  drawsAudit,
  finalBeforeAt,
  HoldfastError,
  missUnits,
  type Period,
  type ProviderId,
  period,
  smaller,
} from '@holdfast/protocol'
import { openDisputes, patchState, snapshotAt, stateOf } from './trees.ts'
import { type LastMark, RING, type World } from './world.ts'

export const providerState = (provider: ProviderId, reason: string): HoldfastError =>
  new HoldfastError({ code: 'PROVIDER_STATE', provider, reason })

export const isProven = (world: World, provider: ProviderId, of: Period): boolean =>
  stateOf(world, provider).proven.includes(of)

export const provenBetween = (
  world: World,
  provider: ProviderId,
  range: { readonly from: Period; readonly to: Period },
): readonly Period[] =>
  stateOf(world, provider).proven.filter((p) => p >= range.from && p < range.to)

/** The last marked period when its audit is owed: nothing else can be proven until it is answered. */
export const owedAudit = (world: World, provider: ProviderId): LastMark | undefined => {
  const { last } = stateOf(world, provider)
  if (last === undefined || last.audited) return undefined
  if (last.forced) return last
  const nextSeed = world.seeds.get(period(last.period + 1n))
  if (nextSeed === undefined) return undefined
  const draw = { provider, period: last.period, nextSeed }
  return drawsAudit(draw, world.network.auditChance) ? last : undefined
}

/** The first period whose outcome can still change: by the clock, a dispute, or an owed audit. */
export const finalBefore = (world: World, provider: ProviderId): Period => {
  let before = finalBeforeAt(world.network, world.time)
  for (const dispute of openDisputes(world, provider)) before = smaller(before, dispute.period)
  const owed = owedAudit(world, provider)
  return owed === undefined ? before : smaller(before, owed.period)
}

/** What the challenges of a period depend on. @throws HoldfastError `SEED_MISSING`. */
export const contextOf = (world: World, provider: ProviderId, of: Period): ChallengeContext => {
  const seed = world.seeds.get(of)
  if (seed === undefined) throw new HoldfastError({ code: 'SEED_MISSING', period: of })
  const { chainId, contracts } = world.network
  return { chainId, proofs: contracts.proofs, provider, period: of, seed }
}

/**
 * What a committed period is judged by, or undefined when it is not (any more) a committed one. An open
 * dispute keeps it, even when its mark was taken back for another one.
 */
export const committedAt = (
  world: World,
  provider: ProviderId,
  of: Period,
): CommittedBundle | undefined => {
  const { last, bundles } = stateOf(world, provider)
  const root = bundles[Number(of % BigInt(RING))]
  const recent = last !== undefined && of + BigInt(RING) > last.period
  const held = openDisputes(world, provider).some((dispute) => dispute.period === of)
  const kept = held || (recent && isProven(world, provider, of))
  if (!kept || root === undefined) return undefined
  return { root, context: contextOf(world, provider, of), tree: snapshotAt(world, provider, of) }
}

/** Writes a miss down. */
export const writeMissed = (world: World, provider: ProviderId, of: Period): void => {
  const { missed } = stateOf(world, provider)
  patchState(world, provider, { missed: [...missed, of] })
  world.emit({ kind: 'period-missed', provider, period: of })
}

/**
 * Takes a mark back: the period counts as missed, and the next commit owes an audit. True when it was
 * marked until now, so that nobody was slashed for it yet.
 */
export const revoke = (world: World, provider: ProviderId, of: Period): boolean => {
  const { proven } = stateOf(world, provider)
  const first = proven.includes(of)
  if (first) {
    patchState(world, provider, { proven: proven.filter((p) => p !== of) })
    world.emit({ kind: 'period-unmarked', provider, period: of })
    writeMissed(world, provider, of)
  }
  const { last } = stateOf(world, provider)
  const isLast = last !== undefined && last.period === of
  patchState(world, provider, { forceNext: true, last: isLast ? { ...last, audited: true } : last })
  return first
}

/** F(before). */
export const unitsBefore = (world: World, provider: ProviderId, before: Period): bigint =>
  missUnits(stateOf(world, provider).missed, before)
