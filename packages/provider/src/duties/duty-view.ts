/** What decisions about duties are made from: the policy of the operator, and a view of the world. */
import type { BlockRef } from '@holdfast/chain'
import type { ChainState, SettlementRules } from '../follow/chain-state.ts'
import type { Promises } from '../journal/promises.ts'
import type { GasBudgets, ProvingMode } from './duty.ts'
import type { SettlePolicy } from './money-duties.ts'

export interface DutyPolicy extends SettlePolicy {
  readonly schedule: SettlementRules
  /** How a period is proven when every answer can be made. */
  readonly mode: ProvingMode
  readonly gasBudgets: GasBudgets
}

export interface DutyView {
  readonly state: ChainState
  readonly promises: Pick<Promises, 'deals' | 'damages'>
  readonly tip: BlockRef
  /** Names (`nameOf`) of the answers that could not be made, often enough to give them up. */
  readonly givenUp: ReadonlySet<string>
}
