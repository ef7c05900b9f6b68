/**
 * Performs a recovery: the deal's five challenges of the current period, opened against the signed
 * root, and an empty slot of the tree.
 */
import type { ProviderLedger, SendOptions, TxReceipt } from '@holdfast/chain'
import {
  DEAL_CHALLENGES,
  dealChallenges,
  HoldfastError,
  type LeafOpening,
  leavesFor,
  type ProviderId,
  verifyLeaf,
} from '@holdfast/protocol'
import type { ChainState } from '../follow/chain-state.ts'
import type { DutyOf } from './duty.ts'
import { answerDeal, type ProvingDependencies } from './proving.ts'

export interface RecoveringDependencies extends Pick<ProvingDependencies, 'prover' | 'holdings'> {
  readonly ledger: Pick<ProviderLedger, 'recoverDeal' | 'network'>
}

/** @throws HoldfastError `DEAL_STATE`, `PAYLOAD_CORRUPT` (which is then noted), as the ledger does. */
export const recoverDeal = async (
  dependencies: RecoveringDependencies,
  { state, provider }: { readonly state: ChainState; readonly provider: ProviderId },
  { deal, period, seed }: DutyOf<'recover'>,
  options: SendOptions,
): Promise<TxReceipt> => {
  const { ledger } = dependencies
  const fact = state.deal(deal)
  if (fact === undefined) throw new HoldfastError({ code: 'DEAL_NOT_FOUND', deal })
  const { chainId, contracts } = ledger.network
  const context = { chainId, proofs: contracts.proofs, provider, period, seed }
  const leaves = leavesFor(fact.terms.length)
  const indices = dealChallenges(context, deal, DEAL_CHALLENGES, leaves)
  const openings: readonly LeafOpening[] = await answerDeal(dependencies, fact.terms, indices)
  for (const opening of openings) verifyLeaf(fact.terms, opening)
  const tree = state.currentTree()
  const path = tree.path(tree.freeSlot())
  return ledger.recoverDeal({ deal, path, openings }, options)
}
