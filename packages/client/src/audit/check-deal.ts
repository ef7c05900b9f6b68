/**
 * Whether a provider can show what it committed to: a deal's five entries of a period's bundle, or all
 * global ones, fetched from it and checked against root, seed and tree from the ledger. Nothing that
 * the provider says is believed. Reads only; what to do about it is for the caller.
 *
 * Invariant: what a provider may send is bounded before it is taken (`GrpcChannel`), and what is
 * taken is no longer than right entries of this tree can be.
 */
import type { Deal, LedgerReader } from '@holdfast/chain'
import {
  answerLength,
  BUNDLE_ENTRIES_AT_ONCE,
  BUNDLE_ENTRIES_MAX,
  type BundleOpening,
  type BundleQuestion,
  type CallOptions,
  type CommittedBundle,
  DEAL_CHALLENGES,
  depthFor,
  type GetBundleEntriesRequest,
  GLOBAL_CHALLENGES,
  HoldfastError,
  leavesFor,
  NODE_BYTES,
  type Period,
  type ProviderId,
  verifyBundleEntry,
} from '@holdfast/protocol'
import type { ProviderPeer } from '../transfer/provider-peer.ts'

/** `shown`: all of them; `wrong`: some are missing, absent or do not lead to the root. */
export type DealCheck =
  | { readonly state: 'shown'; readonly period: Period }
  | {
      readonly state: 'wrong'
      readonly period: Period
      /** The challenges that are not shown, at least one: what a dispute would ask for. */
      readonly missing: readonly number[]
      /** About the first of them. */
      readonly reason: string
    }
  /** The period was proven in direct mode, is too old, or its mark was taken back. */
  | { readonly state: 'not-committed'; readonly period: Period }

type Entries = Pick<ProviderPeer, 'bundleEntries'>

interface About {
  readonly provider: ProviderId
  readonly period: Period
}

/** The deal must be in the provider's tree of the period. Rejects when ledger or peer do not answer. */
export const checkDeal = async (
  ledger: LedgerReader,
  peer: Entries,
  { id: deal, terms: { provider, length } }: Deal,
  period: Period,
  options: CallOptions = {},
): Promise<DealCheck> => {
  const bundle = await committedBundle(ledger, { provider, period }, options)
  if (bundle === undefined) return { state: 'not-committed', period }
  const answerMax = answerLength(bundle.tree.depth, leavesFor(length))
  const ask = { request: { period, deal }, from: 0, count: DEAL_CHALLENGES, answerMax }
  const faults = await faultsOf(peer, bundle, ask, (i) => ({ class: 'deal', deal, i }), options)
  return verdict(period, faults)
}

/** Every payload leaf below the largest; what an answer of any deal may take. */
const LEAVES_MAX = 1n << 40n

/** All global entries: what finds a small loss anywhere in a provider's weight (99 % for 1 %). */
export const checkGlobals = async (
  ledger: LedgerReader,
  peer: Entries,
  { provider, period }: About,
  options: CallOptions = {},
): Promise<DealCheck> => {
  const bundle = await committedBundle(ledger, { provider, period }, options)
  if (bundle === undefined) return { state: 'not-committed', period }
  const faults: Fault[] = []
  const answerMax = answerLength(bundle.tree.depth, LEAVES_MAX)
  for (let from = 0; from < GLOBAL_CHALLENGES; from += BUNDLE_ENTRIES_AT_ONCE) {
    const count = Math.min(BUNDLE_ENTRIES_AT_ONCE, GLOBAL_CHALLENGES - from)
    const indices = Array.from({ length: count }, (_, i) => BigInt(from + i))
    const ask = { request: { period, indices }, from, count, answerMax }
    faults.push(...(await faultsOf(peer, bundle, ask, (i) => ({ class: 'global', i }), options)))
  }
  return verdict(period, faults)
}

/** What the ledger says about the period; undefined when nothing is committed. */
const committedBundle = async (
  ledger: LedgerReader,
  { provider, period }: About,
  options: CallOptions,
): Promise<CommittedBundle | undefined> => {
  const root = await ledger.committed(provider, period, options)
  const seed = await ledger.seed(period, options)
  if (root === undefined || seed === undefined) return undefined
  const { chainId, contracts } = ledger.network
  const context = { chainId, proofs: contracts.proofs, provider, period, seed }
  return { root, context, tree: await ledger.snapshot(provider, period, options) }
}

interface Fault {
  readonly challenge: number
  readonly reason: string
}

interface Ask {
  readonly request: GetBundleEntriesRequest
  /** The number of the first challenge asked for. */
  readonly from: number
  readonly count: number
  /** Bytes of the longest right answer. */
  readonly answerMax: number
}

/** What of one request is not shown. */
const faultsOf = async (
  peer: Entries,
  bundle: CommittedBundle,
  { request, from, count, answerMax }: Ask,
  questionOf: (i: number) => BundleQuestion,
  options: CallOptions,
): Promise<readonly Fault[]> => {
  const numbers = Array.from({ length: count }, (_, i) => from + i)
  let entries: readonly BundleOpening[]
  try {
    entries = await fetchEntries(peer, bundle.context.provider, request, options)
    requireFitting(entries, count, answerMax)
  } catch (error) {
    const reason = saysWrong(error)
    return numbers.map((challenge) => ({ challenge, reason }))
  }
  return numbers.flatMap((challenge, i) => {
    try {
      const entry = entries[i]
      if (entry === undefined) throw proofInvalid(`no entry ${challenge}`)
      verifyBundleEntry(bundle, questionOf(challenge), entry)
      return []
    } catch (error) {
      return [{ challenge, reason: saysWrong(error) }]
    }
  })
}

/**
 * Whatever a provider says instead of entries is its word and never an error of ours: a code that it
 * chose must not end a command, or a watch.
 */
const fetchEntries = async (
  peer: Entries,
  provider: ProviderId,
  request: GetBundleEntriesRequest,
  options: CallOptions,
): Promise<readonly BundleOpening[]> => {
  try {
    return (await peer.bundleEntries(request, options)).entries
  } catch (error) {
    if (!HoldfastError.is(error) || options.signal?.aborted === true) throw error
    if (SAYS_WRONG.has(error.code) || error.code === 'PEER_UNREACHABLE') throw error
    const reason = error.message
    throw new HoldfastError({ code: 'PEER_MISBEHAVED', peer: provider, reason }, { cause: error })
  }
}

const verdict = (period: Period, faults: readonly Fault[]): DealCheck => {
  const [first] = faults
  if (first === undefined) return { state: 'shown', period }
  const missing = faults.map(({ challenge }) => challenge)
  return { state: 'wrong', period, missing, reason: first.reason }
}

/** The reason, of an error that says that something is wrong; rethrows any other. */
const saysWrong = (error: unknown): string => {
  if (!HoldfastError.is(error) || !SAYS_WRONG.has(error.code)) throw error
  return error.detail.code === 'PROOF_INVALID' ? error.detail.reason : error.message
}

/** Errors that are an answer: the provider has not what it committed to. */
const SAYS_WRONG: ReadonlySet<string> = new Set([
  'PROOF_INVALID',
  'BUNDLE_NOT_FOUND',
  'DEAL_NOT_FOUND',
  'MESSAGE_INVALID',
])

/** Before anything is hashed: as many entries as were asked for, none longer than one can be. */
const requireFitting = (
  entries: readonly BundleOpening[],
  count: number,
  answerMax: number,
): void => {
  if (entries.length !== count) {
    throw proofInvalid(`${entries.length} entries instead of ${count}`)
  }
  const most = answerMax + depthFor(BUNDLE_ENTRIES_MAX) * NODE_BYTES
  for (const { answer, path } of entries) {
    const length = answer.length + path.length
    if (length > most) throw proofInvalid(`an entry of ${length} bytes, at most ${most}`)
  }
}

const proofInvalid = (reason: string): HoldfastError =>
  new HoldfastError({ code: 'PROOF_INVALID', reason })
