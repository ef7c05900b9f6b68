/**
 * A period's bundle, whole in memory, of whatever entries it is given: the right ones, or those a
 * cheating provider would commit to. Slow, small, and without the builder's checks.
 */
import {
  type BundleOpening,
  type BundleQuestion,
  buildBundlePath,
  bundleEntryHash,
  bundleNodes,
  bundleOrder,
  bundleRoot,
  type ChallengeContext,
  concatBytes,
  DEAL_CHALLENGES,
  type DealId,
  dealChallenges,
  depthFor,
  GLOBAL_CHALLENGES,
  globalChallenges,
  type Hash32,
  type LeafIndex,
  type NodeSource,
  type ProviderTree,
} from '@holdfast/protocol'
import type { Payload } from './payload.ts'

export interface Entry {
  readonly question: BundleQuestion
  readonly answer: Uint8Array
  /** The leaf that is asked for, in its own payload. */
  readonly leaf: LeafIndex
}

/** Every entry of a period as docs/spec/bundles.md wants them. */
export const rightEntries = (
  context: ChallengeContext,
  tree: ProviderTree,
  payloads: ReadonlyMap<DealId, Payload>,
): readonly Entry[] => {
  const payload = (deal: DealId): Payload => {
    const found = payloads.get(deal)
    if (found === undefined) throw new Error(`no payload for deal ${deal}`)
    return found
  }
  const globals = globalChallenges(context, GLOBAL_CHALLENGES, tree.weight).map((position, i) => {
    const { slot, leaf, index } = tree.locate(position)
    const answer = payload(leaf.deal).answer(leaf.deal, tree.path(slot), index)
    return { question: { class: 'global' as const, i }, answer, leaf: index }
  })
  const deals = bundleOrder(tree).flatMap(({ slot, deal }) => {
    const of = payload(deal)
    const path = tree.path(slot)
    return dealChallenges(context, deal, DEAL_CHALLENGES, of.leaves).map((index, i) => ({
      question: { class: 'deal' as const, deal, i },
      answer: of.answer(deal, path, index),
      leaf: index,
    }))
  })
  return [...globals, ...deals]
}

export class Bundle {
  readonly root: Hash32
  readonly entries: readonly Entry[]
  /** What the entries are shown as answers to; of a replayed bundle not what they are. */
  readonly #shownAs: readonly Pick<Entry, 'question'>[]
  readonly #nodes: NodeSource

  constructor(
    context: ChallengeContext,
    entries: readonly Entry[],
    shownAs: readonly Pick<Entry, 'question'>[] = entries,
  ) {
    this.entries = entries
    this.#shownAs = shownAs
    const hashes = entries.map(({ question, answer }, index) =>
      bundleEntryHash(question, BigInt(index), answer),
    )
    this.#nodes = bundleNodes(concatBytes(...hashes))
    const top = this.#nodes(depthFor(this.#count), 0n)
    this.root = bundleRoot(context, this.#count, top)
  }

  get #count(): bigint {
    return BigInt(this.entries.length)
  }

  at(index: bigint): BundleOpening {
    const entry = this.entries[Number(index)]
    if (entry === undefined) throw new Error(`a bundle has an entry ${index}`)
    const path = buildBundlePath(this.#count, index, this.#nodes)
    return { index, count: this.#count, answer: entry.answer, path }
  }

  opening(question: BundleQuestion): BundleOpening {
    const index = this.#shownAs.findIndex(({ question: of }) => same(of, question))
    if (index === -1) throw new Error('the bundle has no such entry')
    return this.at(BigInt(index))
  }

  ofDeal(deal: DealId): readonly BundleOpening[] {
    return this.#shownAs.flatMap(({ question }, index) =>
      question.class === 'deal' && question.deal === deal ? [this.at(BigInt(index))] : [],
    )
  }
}

const same = (a: BundleQuestion, b: BundleQuestion): boolean =>
  a.i === b.i &&
  (a.class === 'global' ? b.class === 'global' : b.class === 'deal' && a.deal === b.deal)
