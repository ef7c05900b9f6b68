/**
 * How often a loss is noticed: periods drawn with the protocol's own challenges from seeds that are
 * counted up, so that every run is the same, and the interval that a right rate lies in. A provider
 * that lost leaves is noticed when one of them is asked for: it has no answer, and no bundle holds one.
 */
import {
  address,
  type ChallengeContext,
  DEAL_CHALLENGES,
  type DealId,
  dealChallenges,
  dealId,
  GLOBAL_CHALLENGES,
  globalChallenges,
  hash32,
  keccak,
  type Leaves,
  period,
  toHex,
  uintBytes,
} from '@holdfast/protocol'

export const PROVIDER_TREE_DEAL: DealId = dealId(`0x${'5d'.repeat(32)}`)

/** The period whose seed is number `seed` of a run. */
const contextOf = (run: number, seed: number): ChallengeContext => ({
  chainId: 31337n,
  proofs: address(`0x${'a1'.repeat(20)}`),
  provider: address(`0x${'b2'.repeat(20)}`),
  period: period(BigInt(seed)),
  seed: hash32(toHex(keccak(uintBytes(BigInt(run), 8), uintBytes(BigInt(seed), 8)))),
})

export interface Loss {
  /** Leaves of the provider, or of the deal. */
  readonly weight: Leaves
  readonly isLost: (position: bigint) => boolean
}

const SOME = 96

/** Whether one of the 460 leaves asked of the provider's whole weight is lost. */
const noticedGlobally = (context: ChallengeContext, { weight, isLost }: Loss): boolean => {
  // Half of the cases are decided by the first few; each call draws the base anew.
  if (globalChallenges(context, SOME, weight).some(isLost)) return true
  return globalChallenges(context, GLOBAL_CHALLENGES, weight).some(isLost)
}

/** Whether one of the 5 leaves asked of a deal is lost: all that is asked elsewhere today. */
const noticedInDeal = (context: ChallengeContext, { weight, isLost }: Loss): boolean =>
  dealChallenges(context, PROVIDER_TREE_DEAL, DEAL_CHALLENGES, weight).some(isLost)

const CLASSES = { global: noticedGlobally, deal: noticedInDeal }

/** In how many of `seeds` periods the loss was noticed. */
export const countNoticed = (
  which: keyof typeof CLASSES,
  loss: Loss,
  { run, seeds }: { readonly run: number; readonly seeds: number },
): number => {
  let count = 0
  for (let seed = 0; seed < seeds; seed++) if (CLASSES[which](contextOf(run, seed), loss)) count++
  return count
}

/** 1 - (1 - f)^k: the chance that one of k independent draws hits a lost share f. */
export const chanceOf = (lost: number, draws: number): number => 1 - (1 - lost) ** draws

/** Where the count of a right rate lies with 99.9 %: n p ± 3.29 sqrt(n p (1 - p)), and rounding. */
export const interval = (p: number, n: number): readonly [number, number] => {
  const spread = 3.29 * Math.sqrt(n * p * (1 - p)) + 1
  return [n * p - spread, n * p + spread]
}
