/**
 * Whether a provider can show what it committed to about one deal: the deal's five entries of a
 * period's bundle, fetched from it and checked against root, seed and tree from the ledger. Nothing
 * that the provider says is believed. Reads only; what to do about it is for the caller.
 */
import type { Deal, LedgerReader } from '@holdfast/chain'
import {
  type CallOptions,
  DEAL_CHALLENGES,
  HoldfastError,
  type Period,
  verifyBundleEntry,
} from '@holdfast/protocol'
import type { ProviderPeer } from '../transfer/provider-peer.ts'

/** `shown`: all five; `wrong`: some are missing, absent or do not lead to the root. */
export type DealCheck =
  | { readonly state: 'shown'; readonly period: Period }
  | { readonly state: 'wrong'; readonly period: Period; readonly reason: string }
  /** The period was proven in direct mode, is too old, or its mark was taken back. */
  | { readonly state: 'not-committed'; readonly period: Period }

/** The deal must be in the provider's tree of the period. Rejects when ledger or peer do not answer. */
export const checkDeal = async (
  ledger: LedgerReader,
  peer: Pick<ProviderPeer, 'bundleEntries'>,
  { id: deal, terms: { provider } }: Deal,
  period: Period,
  options: CallOptions = {},
): Promise<DealCheck> => {
  const root = await ledger.committed(provider, period, options)
  const seed = await ledger.seed(period, options)
  if (root === undefined || seed === undefined) return { state: 'not-committed', period }
  const { chainId, contracts } = ledger.network
  const context = { chainId, proofs: contracts.proofs, provider, period, seed }
  const tree = await ledger.snapshot(provider, period, options)
  try {
    const { entries } = await peer.bundleEntries({ period, deal }, options)
    if (entries.length !== DEAL_CHALLENGES) throw fewEntries(entries.length)
    for (const [i, entry] of entries.entries()) {
      verifyBundleEntry({ root, context, tree }, { class: 'deal', deal, i }, entry)
    }
    return { state: 'shown', period }
  } catch (error) {
    if (!HoldfastError.is(error) || !SAYS_WRONG.has(error.code)) throw error
    return { state: 'wrong', period, reason: error.message }
  }
}

/** Errors that are an answer: the provider has not what it committed to. */
const SAYS_WRONG: ReadonlySet<string> = new Set([
  'PROOF_INVALID',
  'BUNDLE_NOT_FOUND',
  'DEAL_NOT_FOUND',
  'MESSAGE_INVALID',
])

const fewEntries = (count: number): HoldfastError =>
  new HoldfastError({
    code: 'PROOF_INVALID',
    reason: `${count} entries of the deal instead of ${DEAL_CHALLENGES}`,
  })
