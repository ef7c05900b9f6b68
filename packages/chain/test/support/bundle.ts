/** A provider's bundle of one period, whole in memory: slow, small, obviously right, or wrong as told. */
import {
  BundleBuilder,
  type BundleOpening,
  type BundleQuestion,
  buildBundlePath,
  bundleIndexOf,
  bundleNodes,
  bundleOrder,
  type ChallengeContext,
  concatBytes,
  DEAL_CHALLENGES,
  type DealId,
  dealChallenges,
  GLOBAL_CHALLENGES,
  globalChallenges,
  type Hash32,
  type NodeSource,
  type ProviderTree,
} from '@holdfast/protocol'
import type { Payload } from './payload.ts'

/** Every answer of a period, in the order of the bundle. */
const answersOf = (
  context: ChallengeContext,
  tree: ProviderTree,
  payloads: ReadonlyMap<DealId, Payload>,
): readonly Uint8Array[] => {
  const payload = (deal: DealId): Payload => {
    const found = payloads.get(deal)
    if (found === undefined) throw new Error(`no payload for deal ${deal}`)
    return found
  }
  const globals = globalChallenges(context, GLOBAL_CHALLENGES, tree.weight).map((position) => {
    const { slot, leaf, index } = tree.locate(position)
    return payload(leaf.deal).answer(leaf.deal, tree.path(slot), index)
  })
  const deals = bundleOrder(tree).flatMap(({ slot, deal }) => {
    const of = payload(deal)
    const path = tree.path(slot)
    const leaves = dealChallenges(context, deal, DEAL_CHALLENGES, of.leaves)
    return leaves.map((index) => of.answer(deal, path, index))
  })
  return [...globals, ...deals]
}

export class Bundle {
  readonly root: Hash32
  readonly #count: bigint
  readonly #tree: ProviderTree
  readonly #answers: readonly Uint8Array[]
  readonly #nodes: NodeSource

  /** @param spoilt indexes of answers whose last byte is wrong. */
  constructor(
    context: ChallengeContext,
    tree: ProviderTree,
    payloads: ReadonlyMap<DealId, Payload>,
    spoilt: ReadonlySet<bigint> = new Set(),
  ) {
    this.#tree = tree.clone()
    this.#answers = answersOf(context, tree, payloads).map((answer, index) =>
      spoilt.has(BigInt(index)) ? spoil(answer) : answer,
    )
    const builder = new BundleBuilder(context)
    const hashes = this.#answers.map((answer) => builder.add(answer).hash)
    this.#nodes = bundleNodes(concatBytes(...hashes))
    const { root, count } = builder.finish()
    this.root = root
    this.#count = count
  }

  opening(question: BundleQuestion): BundleOpening {
    const index = indexOf(this.#tree, question)
    const answer = this.#answers[Number(index)]
    if (answer === undefined) throw new Error(`a bundle has an answer ${index}`)
    const path = buildBundlePath(this.#count, index, this.#nodes)
    return { index, count: this.#count, answer, path }
  }

  /** Global entries 0 .. count - 1: what an audit shows. */
  audit(count: number): readonly BundleOpening[] {
    return Array.from({ length: count }, (_, i) => this.opening({ class: 'global', i }))
  }
}

/** In the last byte, which belongs to the path, or to the leaf of a payload of one leaf. */
const spoil = (answer: Uint8Array): Uint8Array => {
  const wrong = answer.slice()
  wrong[wrong.length - 1] = (wrong.at(-1) ?? 0) ^ 1
  return wrong
}

/** Where the entry of a question stands in the bundle over a tree. */
export const indexOf = (tree: ProviderTree, question: BundleQuestion): bigint => {
  if (question.class === 'global') return BigInt(question.i)
  const order = bundleOrder(tree)
  const held = order.find(({ deal }) => deal === question.deal)
  if (held === undefined) throw new Error(`deal ${question.deal} is in no slot`)
  return bundleIndexOf(order, { class: 'deal', slot: held.slot, i: question.i })
}
