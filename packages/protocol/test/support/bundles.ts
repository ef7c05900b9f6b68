/**
 * A provider of few small payloads with its whole bundle of a period, from the references.
 */
import { encodeAnswer, type TreeRoot } from '../../src/answer.ts'
import type { BundleQuestion } from '../../src/bundle/entry.ts'
import { buildBundlePath, bundleNodes } from '../../src/bundle/path.ts'
import type { CommittedBundle } from '../../src/bundle/verify.ts'
import type { ChallengeContext } from '../../src/challenge.ts'
import { address, dealId, hash32 } from '../../src/ids.ts'
import { ProviderTree } from '../../src/provider-tree.ts'
import { weightBefore } from '../../src/sum-node.ts'
import { leaves, period, slotIndex } from '../../src/units.ts'
import { type Entry, entryHash, questions, root } from '../reference/bundle.ts'
import { hex, keccakText } from '../reference/bytes.ts'
import { dealIndex, globalPosition } from '../reference/challenge.ts'
import { type Sample, sample } from './payloads.ts'

export const CONTEXT: ChallengeContext = {
  chainId: 31_337n,
  proofs: address(`0x${'a1'.repeat(20)}`),
  provider: address(`0x${'b2'.repeat(20)}`),
  period: period(77),
  seed: hash32(`0x${'c3'.repeat(32)}`),
}

/** Any deal id, the same for the same number. */
export const dealNumber = (n: number) => dealId(hex(keccakText(`deal ${n}`)))

export interface Bundled {
  readonly tree: ProviderTree
  readonly snapshot: TreeRoot
  readonly entries: readonly Entry[]
  readonly hashes: readonly Buffer[]
  readonly committed: CommittedBundle
  path(index: number): Uint8Array
}

export const questionOf = (entry: Omit<Entry, 'answer'>): BundleQuestion =>
  entry.class === 0
    ? { class: 'global', i: entry.i }
    : { class: 'deal', deal: dealId(entry.deal), i: entry.i }

const answerer = (tree: ProviderTree, layout: readonly (Sample | undefined)[]) => {
  const shown = (position: bigint): Buffer => {
    const { slot, leaf, index } = tree.locate(position)
    const payload = layout[Number(slot)]
    if (payload === undefined) throw new Error('an empty slot was located')
    const opening = payload.opening(Number(index))
    return Buffer.from(encodeAnswer({ slot: tree.path(slot), leaf, opening }))
  }
  return (question: Omit<Entry, 'answer'>): Buffer => {
    if (question.class === 0) return shown(globalPosition(CONTEXT, question.i, tree.weight))
    const slot = slotIndex(layout.findIndex((_, n) => dealNumber(n) === question.deal))
    const held = tree.get(slot)
    if (held === undefined) throw new Error(`slot ${slot} is empty`)
    const asked = { i: question.i, leaves: held.leaves }
    return shown(weightBefore(tree.path(slot)) + dealIndex(CONTEXT, question.deal, asked))
  }
}

/** The bundle over payloads of these lengths; 0 leaves a slot empty. */
export const bundled = (...lengths: readonly number[]): Bundled => {
  const layout = lengths.map((length) => (length === 0 ? undefined : sample(length)))
  const slots = layout.map((shown, n) =>
    shown === undefined
      ? undefined
      : ({
          deal: dealNumber(n),
          scheme: 1,
          root: shown.commitment.root,
          leaves: leaves(shown.leaves),
        } as const),
  )
  const tree = ProviderTree.of(slots)
  const answerTo = answerer(tree, layout)
  const entries = questions(slots.map((slot) => slot?.deal)).map((question) => ({
    ...question,
    answer: answerTo(question),
  }))
  const hashes = entries.map(entryHash)
  const nodes = bundleNodes(Buffer.concat(hashes))
  const snapshot = { root: tree.root, weight: tree.weight, depth: tree.depth }
  return {
    tree,
    snapshot,
    entries,
    hashes,
    committed: { root: hash32(hex(root(CONTEXT, hashes))), context: CONTEXT, tree: snapshot },
    path: (index) => buildBundlePath(BigInt(hashes.length), BigInt(index), nodes),
  }
}
