/**
 * From a period's seed to the leaves that must be shown. Anybody derives the same ones.
 * Source: docs/spec/challenges.md. Twin: contracts/src/libraries/Challenge.sol.
 *
 * Reduction by remainder of a 256-bit value: with ranges up to 2^64 the bias is below 2^-192.
 */
import { bytesUint, uintBytes } from './bytes.ts'
import { invariant } from './errors.ts'
import { type Address, type DealId, fromHex, type Hash32, type ProviderId, toHex } from './ids.ts'
import { keccak, keccakText } from './keccak.ts'
import { type LeafIndex, type Leaves, leafIndex, type Period } from './units.ts'

/** Leaves asked of a provider's whole weight per period: 99 % chance to notice 1 % loss. */
export const GLOBAL_CHALLENGES = 460
/** Leaves asked of every deal per period. */
export const DEAL_CHALLENGES = 5

const CHALLENGE_DOMAIN = keccakText('holdfast/challenge/v1')
const SEED_DOMAIN = keccakText('holdfast/seed/v1')
const GLOBAL_CLASS = Uint8Array.of(0)
const DEAL_CLASS = Uint8Array.of(1)

/** What one provider's challenges of one period depend on. */
export interface ChallengeContext {
  readonly chainId: bigint
  /** The ProofLedger. */
  readonly proofs: Address
  readonly provider: ProviderId
  readonly period: Period
  readonly seed: Hash32
}

/** What a period's seed depends on. */
export interface SeedInput {
  readonly chainId: bigint
  /** The DrandBeacon. */
  readonly beacon: Address
  readonly round: bigint
  /** The round's signature as an EIP-2537 G1 point, 128 bytes. */
  readonly signature: Uint8Array
}

/** The seed that a verified drand round gives, bound to chain and contract. */
export const seedOf = ({ chainId, beacon, round, signature }: SeedInput): Hash32 => {
  invariant(signature.length === 128, `a G1 point is 128 bytes, not ${signature.length}`)
  return toHex(
    keccak(SEED_DOMAIN, uintBytes(chainId, 32), fromHex(beacon), uintBytes(round, 8), signature),
  ) as Hash32
}

/** The value all challenges of one provider and period are drawn from. */
export const challengeBase = (context: ChallengeContext): Hash32 =>
  toHex(
    keccak(
      CHALLENGE_DOMAIN,
      uintBytes(context.chainId, 32),
      fromHex(context.proofs),
      fromHex(context.provider),
      uintBytes(context.period, 8),
      fromHex(context.seed),
    ),
  ) as Hash32

const drawOne = (prefix: readonly Uint8Array[], i: number, range: bigint): bigint => {
  invariant(range > 0n, 'nothing can be challenged where there are no leaves')
  return bytesUint(keccak(...prefix, uintBytes(BigInt(i), 4))) % range
}

const draw = (prefix: readonly Uint8Array[], count: number, range: bigint): readonly bigint[] => {
  invariant(range > 0n, 'nothing can be challenged where there are no leaves')
  return Array.from({ length: count }, (_, i) => drawOne(prefix, i, range))
}

const globalPrefix = (context: ChallengeContext): readonly Uint8Array[] => [
  fromHex(challengeBase(context)),
  GLOBAL_CLASS,
]

const dealPrefix = (context: ChallengeContext, deal: DealId): readonly Uint8Array[] => [
  fromHex(challengeBase(context)),
  DEAL_CLASS,
  fromHex(deal),
]

/**
 * The first `count` global challenges: positions in the provider's total weight, for
 * `ProviderTree.locate`.
 * @throws HoldfastError `INVARIANT` when the weight is 0.
 */
export const globalChallenges = (
  context: ChallengeContext,
  count: number,
  weight: Leaves,
): readonly bigint[] => draw(globalPrefix(context), count, weight)

/** Global challenge i alone. @throws HoldfastError `INVARIANT` when the weight is 0. */
export const globalChallenge = (context: ChallengeContext, i: number, weight: Leaves): bigint =>
  drawOne(globalPrefix(context), i, weight)

/** One deal's challenges. @throws HoldfastError `INVARIANT` when it has no leaves. */
export const dealChallenges = (
  context: ChallengeContext,
  deal: DealId,
  count: number,
  leaves: Leaves,
): readonly LeafIndex[] => draw(dealPrefix(context, deal), count, leaves).map(leafIndex)

/** A deal's challenge i alone. @throws HoldfastError `INVARIANT` when it has no leaves. */
export const dealChallenge = (
  context: ChallengeContext,
  deal: DealId,
  i: number,
  leaves: Leaves,
): LeafIndex => leafIndex(drawOne(dealPrefix(context, deal), i, leaves))
