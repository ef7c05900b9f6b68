/**
 * Performs the duties that show entries of committed bundles on chain: audits and disputes. Every
 * opening is checked with the contracts' own rule before gas is spent; one that cannot be had is
 * said in the log and tried again, since bytes may come back before the deadline.
 */
import type { ProviderLedger, SendOptions, TxReceipt } from '@holdfast/chain'
import {
  type BundleOpening,
  type BundleQuestion,
  type Hash32,
  HoldfastError,
  type Logger,
  type Period,
  type ProviderId,
  verifyBundleEntry,
} from '@holdfast/protocol'
import type { BundleDesk } from '../bundles/bundle-desk.ts'
import type { ChainState } from '../follow/chain-state.ts'
import { type DutyOf, nameOf } from './duty.ts'
import type { GivenUp } from './given-up.ts'

export interface ShowingDependencies {
  readonly ledger: Pick<ProviderLedger, 'answerAudit' | 'answerDispute' | 'committed' | 'network'>
  readonly bundles: BundleDesk
  /** Told of answers that cannot be made. */
  readonly givenUp: GivenUp
  readonly logger: Logger
}

/** @throws HoldfastError `PROVIDER_STATE` when it is not owed any more, and as the ledger does. */
export const answerAudit = async (
  dependencies: ShowingDependencies,
  { state, provider }: { readonly state: ChainState; readonly provider: ProviderId },
  duty: DutyOf<'answer-audit'>,
  options: SendOptions,
): Promise<TxReceipt> => {
  const { ledger, givenUp } = dependencies
  const { period } = duty
  const root = state.bundleOf(period)
  const openings = await givenUp.making(nameOf(duty), async () => {
    const made: BundleOpening[] = []
    for (let i = 0; i < ledger.network.directChallenges; i++) {
      made.push(await openingOf(dependencies, period, { class: 'global', i }, root))
    }
    return made
  })
  return ledger.answerAudit({ provider, period, openings }, options)
}

/** @throws HoldfastError `DISPUTE_STATE` when it is over, and as the ledger does. */
export const answerDispute = async (
  dependencies: ShowingDependencies,
  state: ChainState,
  duty: DutyOf<'answer-dispute'>,
  options: SendOptions,
): Promise<TxReceipt> => {
  const { ledger, givenUp } = dependencies
  const { entry } = duty
  const { period, question } = entry
  const root = state.bundleOf(period)
  const opening = await givenUp.making(nameOf(duty), () =>
    openingOf(dependencies, period, question, root),
  )
  return ledger.answerDispute(entry, opening, options)
}

/** @throws HoldfastError `BUNDLE_NOT_FOUND`, `PROOF_INVALID`: the answer cannot be shown now. */
const openingOf = async (
  { bundles, logger }: ShowingDependencies,
  period: Period,
  question: BundleQuestion,
  root: Hash32 | undefined,
): Promise<BundleOpening> => {
  const opening = await bundles.open(period, question, root === undefined ? {} : { root })
  if (opening === undefined) {
    logger.error('an answer is asked for on chain and cannot be shown', { period, ...question })
    const reason = 'the bundle that was committed to cannot be made any more'
    throw new HoldfastError({ code: 'BUNDLE_NOT_FOUND', period, reason })
  }
  if (root !== undefined) {
    const { context, tree } = bundles.wanted(period)
    verifyBundleEntry({ root, context, tree }, question, opening)
  }
  return opening
}
