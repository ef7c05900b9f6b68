/**
 * Performs the duties that are one transaction each: open, give up, declare a fault, release, close,
 * settle. Each looks at the ledger or at the state again before it sends, so doing one twice costs
 * gas at most.
 */
import type { ProviderLedger, SendOptions, TxReceipt } from '@holdfast/chain'
import { type DealId, HoldfastError, type Logger, ZERO_HASH } from '@holdfast/protocol'
import type { ChainState } from '../follow/chain-state.ts'
import type { PromiseBook } from '../journal/promise-book.ts'
import type { Duty } from './duty.ts'

export interface LedgerDutyDependencies {
  readonly ledger: ProviderLedger
  readonly book: PromiseBook
  readonly logger: Logger
}

type LedgerDuty = Exclude<
  Duty,
  { kind: 'prove' | 'answer-audit' | 'answer-dispute' | 'end-audit' | 'end-dispute' | 'recover' }
>

/** Performs one duty; the receipt of its transaction, undefined when none was needed. */
export const performLedgerDuty = async (
  dependencies: LedgerDutyDependencies,
  state: ChainState,
  duty: LedgerDuty,
  options: SendOptions = {},
): Promise<TxReceipt | undefined> => {
  const { ledger, book } = dependencies
  switch (duty.kind) {
    case 'open':
      return openDeal(dependencies, state, duty.deal, options)
    case 'give-up':
      await book.record({ kind: 'deal-refused', deal: duty.deal, reason: 'not opened in time' })
      return undefined
    case 'declare-fault':
      return ledger.declareFault(duty.deal, pathOf(state, duty.deal), options)
    case 'release':
      return ledger.releaseSlot(duty.deal, pathOf(state, duty.deal), options)
    case 'close':
      return ledger.closeDeal(duty.deal, options)
    case 'settle':
      return ledger.settle(duty.deals, options)
  }
}

const pathOf = (
  state: ChainState,
  deal: DealId,
): ReturnType<ReturnType<ChainState['currentTree']>['path']> => {
  const fact = state.deal(deal)
  if (fact === undefined) throw new HoldfastError({ code: 'DEAL_NOT_FOUND', deal })
  return state.currentTree().path(fact.slot)
}

/** Errors of the ledger that no repetition will change: the deal cannot be opened as signed. */
const FINAL: ReadonlySet<string> = new Set([
  'TERMS_INVALID',
  'SIGNATURE_INVALID',
  'FUNDS_INSUFFICIENT',
  'PROVIDER_STATE',
  'PAYLOAD_TOO_LARGE',
])

const openDeal = async (
  { ledger, book, logger }: LedgerDutyDependencies,
  state: ChainState,
  deal: DealId,
  options: SendOptions,
): Promise<TxReceipt | undefined> => {
  const promise = book.promises.deals.get(deal)
  if (promise === undefined) return undefined
  if (promise.sending && (await ledger.deal(deal, options)) !== undefined) {
    if (promise.transaction !== undefined) return undefined
    await book.record({ kind: 'deal-opened', deal, transaction: ZERO_HASH })
    return undefined
  }
  const tree = state.currentTree()
  await book.record({ kind: 'deal-sending', deal })
  try {
    const receipt = await ledger.openDeal(
      {
        terms: promise.proposal.terms,
        clientSignature: promise.proposal.clientSignature,
        providerSignature: promise.providerSignature,
        path: tree.path(tree.freeSlot()),
      },
      options,
    )
    await book.record({ kind: 'deal-opened', deal, transaction: receipt.transaction })
    return receipt
  } catch (error) {
    if (!HoldfastError.is(error) || !FINAL.has(error.code)) throw error
    logger.warn('deal refused by the ledger', { deal, code: error.code, reason: error.message })
    await book.record({ kind: 'deal-refused', deal, reason: `${error.code}: ${error.message}` })
    return undefined
  }
}
