/**
 * A provider with deals over payloads on disk, its period, and the slow way to its bundle: every
 * answer made and encoded one by one and fed to the protocol's builder.
 */
import {
  address,
  BundleBuilder,
  type BundlePlace,
  type BundleQuestion,
  bundleCount,
  bundleEntryAt,
  bundleOrder,
  type ChallengeContext,
  type CommittedBundle,
  dealChallenge,
  dealId,
  encodeAnswer,
  globalChallenge,
  type Hash32,
  hash32,
  type LocatedLeaf,
  leavesFor,
  ProviderTree,
  period,
  type Root,
} from '@holdfast/protocol'
import type { KeptPayload } from '../src/kept-payload.ts'
import type { Prover } from '../src/prover.ts'

export const CONTEXT: ChallengeContext = {
  chainId: 31_337n,
  proofs: address(`0x${'11'.repeat(20)}`),
  provider: address(`0x${'22'.repeat(20)}`),
  period: period(7),
  seed: hash32(`0x${'33'.repeat(32)}`),
}

/** A deal id that says nothing about its slot's order. */
const dealOf = (slot: number): string =>
  `0x${((slot * 40_503 + 7) % 65_536).toString(16).padStart(4, '0').padEnd(64, 'a')}`

/** The tree whose slots hold these payloads, or nothing. */
export const treeOver = (slots: readonly (KeptPayload | undefined)[]): ProviderTree =>
  ProviderTree.of(
    slots.map((kept, slot) => {
      if (kept === undefined) return undefined
      const { root, scheme, length } = kept.commitment
      return { deal: dealId(dealOf(slot)), scheme, root, leaves: leavesFor(length) }
    }),
  )

/** The leaf that an entry asks for. */
const locate = (tree: ProviderTree, place: BundlePlace): LocatedLeaf => {
  if (place.class === 'global') return tree.locate(globalChallenge(CONTEXT, place.i, tree.weight))
  const leaf = tree.get(place.slot)
  if (leaf === undefined) throw new Error(`slot ${place.slot} is empty`)
  const { deal, leaves } = leaf
  return { slot: place.slot, leaf, index: dealChallenge(CONTEXT, deal, place.i, leaves) }
}

export interface SlowBundle {
  readonly root: Hash32
  /** In bundle order; empty where `answers` could not be made. */
  readonly answers: readonly Uint8Array[]
  readonly questions: readonly BundleQuestion[]
}

/** Every answer by itself; undefined payloads and damaged leaves leave theirs out. */
export const slowBundle = async (
  prover: Prover,
  tree: ProviderTree,
  payloadOf: (root: Root) => KeptPayload | undefined,
): Promise<SlowBundle> => {
  const order = bundleOrder(tree)
  const builder = new BundleBuilder(CONTEXT)
  const answers: Uint8Array[] = []
  const questions: BundleQuestion[] = []
  for (let index = 0n; index < bundleCount(order); index++) {
    const place = bundleEntryAt(order, index)
    const { slot, leaf, index: wanted } = locate(tree, place)
    const kept = payloadOf(leaf.root)
    const [outcome] = kept ? await prover.answer([{ ...kept, indices: [wanted] }]) : []
    const proof = outcome?.ok ? outcome.proofs[0] : undefined
    questions.push(place)
    if (proof === undefined) {
      builder.addAbsent(place.class === 'deal' ? place : undefined)
      answers.push(new Uint8Array(0))
    } else {
      answers.push(encodeAnswer({ slot: tree.path(slot), leaf, opening: proof }))
      builder.add(answers.at(-1) ?? new Uint8Array(0))
    }
  }
  return { root: builder.finish().root, answers, questions }
}

export const committed = (root: Hash32, tree: ProviderTree): CommittedBundle => ({
  root,
  context: CONTEXT,
  tree: { root: tree.root, weight: tree.weight, depth: tree.depth },
})
