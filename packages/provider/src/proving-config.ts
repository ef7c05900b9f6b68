/**
 * The part of the configuration that is about proving: the mode, and what proofs and everything else
 * may cost in gas. All of it is optional.
 */
import type { ConfigReader } from './config-reader.ts'
import type { GasBudgets, ProvingMode } from './duties/duty.ts'

export interface ProvingConfig {
  /** `commit` unless given: one root per period, entries only when somebody asks on chain. */
  readonly mode: ProvingMode
  /** Most that one transaction may cost, in wei. */
  readonly gasBudgets: GasBudgets
}

/** A fifth of a coin for what a deadline hangs on, a twentieth for what can wait. */
export const GAS_BUDGETS: GasBudgets = {
  proofs: 200_000_000_000_000_000n,
  ledger: 50_000_000_000_000_000n,
}

const WEI_MAX: bigint = 10n ** 24n

/** Reads `proving`: `{"mode":"commit"|"direct","proofGasMax":"wei","ledgerGasMax":"wei"}`. */
export const readProvingConfig = (read: ConfigReader): ProvingConfig => ({
  mode:
    read.has('mode') && read.text('mode', /^(commit|direct)$/, 'commit or direct') === 'direct'
      ? 'direct'
      : 'commit',
  gasBudgets: {
    proofs: read.has('proofGasMax') ? read.integer('proofGasMax', WEI_MAX) : GAS_BUDGETS.proofs,
    ledger: read.has('ledgerGasMax') ? read.integer('ledgerGasMax', WEI_MAX) : GAS_BUDGETS.ledger,
  },
})
