/**
 * Performs a prove duty in direct mode: from the period's seed to the transaction. Every answer is checked with the
 * contracts' own rule before gas is spent.
 */
import type { NetworkParams, ProviderLedger, SendOptions, TxReceipt } from '@holdfast/chain'
import {
  type CallOptions,
  type Commitment,
  encodeAnswer,
  globalChallenges,
  HoldfastError,
  type LeafIndex,
  type LocatedLeaf,
  type Logger,
  leafIndex,
  type ProviderId,
  type ProviderTree,
  type Root,
  verifyAnswer,
} from '@holdfast/protocol'
import type { AnswerJob, LeafProof, Prover } from '@holdfast/prover'
import type { ChainState } from '../follow/chain-state.ts'
import type { Holdings } from '../holdings.ts'
import type { PromiseBook } from '../journal/promise-book.ts'
import type { DutyOf } from './duty.ts'

export interface ProvingDependencies {
  readonly ledger: Pick<ProviderLedger, 'provePeriod' | 'network'>
  readonly prover: Pick<Prover, 'answer'>
  readonly holdings: Holdings
  readonly book: PromiseBook
  readonly logger: Logger
}

type ProveDuty = DutyOf<'prove'>

/** A challenge of the period with the leaf it names. */
interface Challenge {
  readonly position: bigint
  readonly located: LocatedLeaf
}

/**
 * Proves one period.
 * @returns the mined transaction; undefined when challenged bytes are damaged, which is then noted.
 * @throws HoldfastError what the ledger throws: `WINDOW_CLOSED`, `TX_REVERTED` …
 */
export const provePeriod = async (
  dependencies: ProvingDependencies,
  input: { readonly state: ChainState; readonly provider: ProviderId; readonly duty: ProveDuty },
  options: SendOptions = {},
): Promise<TxReceipt | undefined> => {
  const { ledger, book } = dependencies
  const { period } = input.duty
  const tree = input.state.treeAt(period)
  const challenges = challengesOf(ledger.network, input, tree)
  const proofs = await answerAll(dependencies, input.state, challenges, options)
  if (proofs === undefined) return undefined
  const answers = challenges.map((challenge, i) => answerOf(tree, challenge, proofs[i]))
  await book.record({ kind: 'proof-sending', period })
  const receipt = await ledger.provePeriod({ provider: input.provider, period, answers }, options)
  await book.record({ kind: 'proof-sent', period, transaction: receipt.transaction })
  return receipt
}

const challengesOf = (
  network: NetworkParams,
  { provider, duty }: { readonly provider: ProviderId; readonly duty: ProveDuty },
  tree: ProviderTree,
): readonly Challenge[] => {
  const { chainId, contracts, directChallenges } = network
  const { period, seed } = duty
  const context = { chainId, proofs: contracts.proofs, provider, period, seed }
  return globalChallenges(context, directChallenges, tree.weight).map((position) => ({
    position,
    located: tree.locate(position),
  }))
}

/** One proof per challenge, in order; undefined when any payload is damaged. */
const answerAll = async (
  { prover, holdings }: ProvingDependencies,
  state: ChainState,
  challenges: readonly Challenge[],
  options: CallOptions,
): Promise<readonly (LeafProof | undefined)[] | undefined> => {
  const byRoot = new Map<Root, LeafIndex[]>()
  for (const { located } of challenges) {
    byRoot.set(located.leaf.root, [...(byRoot.get(located.leaf.root) ?? []), located.index])
  }
  const roots = [...byRoot.keys()]
  const jobs = roots.map((root) => jobFor(holdings, root, byRoot.get(root) ?? []))
  const whole = jobs.filter((job) => job !== undefined)
  if (whole.length < jobs.length) {
    for (const root of roots) if (!holdings.find(root)) await noteMissing(holdings, state, root)
    return undefined
  }
  const outcomes = await prover.answer(whole, options)
  const proofs = new Map<string, LeafProof>()
  let damaged = false
  for (const [i, outcome] of outcomes.entries()) {
    const root = roots[i]
    if (root === undefined) continue
    if (outcome.ok) for (const proof of outcome.proofs) proofs.set(keyOf(root, proof.index), proof)
    else {
      damaged = true
      await holdings.suspect(root, outcome, options)
    }
  }
  if (damaged) return undefined
  return challenges.map(({ located }) => proofs.get(keyOf(located.leaf.root, located.index)))
}

const keyOf = (root: Root, index: LeafIndex): string => `${root}/${index}`

const jobFor = (
  holdings: Holdings,
  root: Root,
  indices: readonly LeafIndex[],
): AnswerJob | undefined => {
  const stored = holdings.find(root)
  if (stored === undefined) return undefined
  const { payload, layers, commitment } = stored
  return { payload, layers, commitment, indices }
}

/** A payload in the tree that the store does not know at all is damage too. */
const noteMissing = async (holdings: Holdings, state: ChainState, root: Root): Promise<void> => {
  if (holdings.damageOf(root) !== undefined || state.dealsOf(root).length === 0) return
  await holdings.noteDamage(root, { leaf: leafIndex(0), what: 'the payload is not in the store' })
}

const answerOf = (
  tree: ProviderTree,
  { position, located }: Challenge,
  proof: LeafProof | undefined,
): Uint8Array => {
  if (proof === undefined) {
    const sentence = `the prover gave no proof of leaf ${located.index} of ${located.leaf.root}`
    throw new HoldfastError({ code: 'INVARIANT', sentence })
  }
  const slot = tree.path(located.slot)
  const answer = encodeAnswer({ slot, leaf: located.leaf, opening: proof })
  verifyAnswer({ root: tree.root, weight: tree.weight, depth: tree.depth }, position, answer)
  return answer
}

/** The answers to a deal's own challenges of a period, for its client to check. */
export const answerDeal = async (
  { prover, holdings }: Pick<ProvingDependencies, 'prover' | 'holdings'>,
  commitment: Commitment,
  indices: readonly LeafIndex[],
  options: CallOptions = {},
): Promise<readonly LeafProof[]> => {
  const { root } = commitment
  const distinct = [...new Set(indices)]
  const job = jobFor(holdings, root, distinct)
  if (job === undefined) {
    const damage = holdings.damageOf(root)
    throw damage === undefined
      ? new HoldfastError({ code: 'PAYLOAD_NOT_FOUND', root })
      : new HoldfastError({ code: 'PAYLOAD_CORRUPT', root, leaf: damage.leaf, what: damage.what })
  }
  const [outcome] = await prover.answer([job], options)
  if (outcome === undefined) throw new HoldfastError({ code: 'PAYLOAD_NOT_FOUND', root })
  if (!outcome.ok) {
    await holdings.suspect(root, outcome, options)
    const { leaf, what } = outcome
    throw new HoldfastError({ code: 'PAYLOAD_CORRUPT', root, leaf, what })
  }
  const byIndex = new Map(outcome.proofs.map((proof) => [proof.index, proof]))
  return indices.flatMap((index) => byIndex.get(index) ?? [])
}
