/**
 * Which committed periods have to be shown on chain. Pure; anybody decides alike.
 * Source: docs/spec/settlement.md, section 2. Twin: contracts/src/ProofLedger.sol.
 */
import { bytesUint, uintBytes } from '../bytes.ts'
import { fromHex, type Hash32, type ProviderId } from '../ids.ts'
import { keccak, keccakText } from '../keccak.ts'
import type { Period } from '../units.ts'

const AUDIT_DOMAIN = keccakText('holdfast/audit/v1')

/** What the draw of one period depends on. */
export interface AuditDraw {
  readonly provider: ProviderId
  /** The committed period. */
  readonly period: Period
  /** The seed of the period after it, which nobody knew when it was committed. */
  readonly nextSeed: Hash32
}

/**
 * True when chance audits the period:
 * keccak(domain 32 ‖ seed(p + 1) 32 ‖ provider 20 ‖ p 8) mod chance = 0.
 */
export const drawsAudit = (
  { provider, period, nextSeed }: AuditDraw,
  auditChance: number,
): boolean => {
  const drawn = keccak(AUDIT_DOMAIN, fromHex(nextSeed), fromHex(provider), uintBytes(period, 8))
  return bytesUint(drawn) % BigInt(auditChance) === 0n
}

/** What is known about a provider's newest marked period. */
export interface AuditFacts {
  readonly provider: ProviderId
  readonly period: Period
  /** False for direct mode, which shows its answers at once. */
  readonly committed: boolean
  readonly audited: boolean
  readonly previousMarked: boolean
  /** A fault, a recovery, or a lost dispute or audit since the last audit. */
  readonly flagged: boolean
  /** Undefined while the seed of the next period is not there. */
  readonly nextSeed: Hash32 | undefined
}

/** Why the newest marked period has to be shown; undefined when it need not be (yet). */
export const auditOwed = (
  facts: AuditFacts,
  auditChance: number,
): 'first' | 'flagged' | 'chance' | undefined => {
  if (!facts.committed || facts.audited) return undefined
  if (!facts.previousMarked) return 'first'
  if (facts.flagged) return 'flagged'
  const { nextSeed } = facts
  if (nextSeed === undefined) return undefined
  return drawsAudit({ ...facts, nextSeed }, auditChance) ? 'chance' : undefined
}
