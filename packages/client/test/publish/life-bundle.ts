/** The bundle of a provider whose tree is one payload of one leaf: every answer is the same. */
import {
  BUNDLE_GLOBALS,
  type BundleOpening,
  type BundleQuestion,
  buildBundlePath,
  bundleEntryPreimage,
  bundleNodes,
  bundleRoot,
  type ChallengeContext,
  concatBytes,
  DEAL_CHALLENGES,
  type DealId,
  depthFor,
  type Hash32,
  keccak,
  type NodeSource,
} from '@holdfast/protocol'

const COUNT = BUNDLE_GLOBALS + BigInt(DEAL_CHALLENGES)

export class LifeBundle {
  readonly root: Hash32
  readonly #answer: Uint8Array
  readonly #nodes: NodeSource

  constructor(context: ChallengeContext, deal: DealId, answer: Uint8Array) {
    this.#answer = answer
    const hash = keccak(answer)
    const entries = Array.from({ length: Number(COUNT) }, (_, index) => {
      const global = index < Number(BUNDLE_GLOBALS)
      const question: BundleQuestion = global
        ? { class: 'global', i: index }
        : { class: 'deal', deal, i: index - Number(BUNDLE_GLOBALS) }
      return keccak(bundleEntryPreimage(question, BigInt(index), hash))
    })
    this.#nodes = bundleNodes(concatBytes(...entries))
    this.root = bundleRoot(context, COUNT, this.#nodes(depthFor(COUNT), 0n))
  }

  open({ class: of, i }: BundleQuestion): BundleOpening {
    const index = of === 'global' ? BigInt(i) : BUNDLE_GLOBALS + BigInt(i)
    const path = buildBundlePath(COUNT, index, this.#nodes)
    return { index, count: COUNT, answer: this.#answer, path }
  }
}
