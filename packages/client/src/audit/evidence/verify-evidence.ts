/**
 * What a file of evidence proves, found out without a chain, a provider or any network: given only the
 * network file, which holds drand's key, the chain's id and the contracts. Pure.
 *
 * What it rests on besides: that the block whose header is in the file is part of the chain. Its hash
 * is told; a hash that the verifier has from elsewhere can be given, then nothing is left open.
 */
import {
  committedStateOf,
  compressedSignature,
  type NetworkParams,
  openStorage,
  readHeader,
  signingDomain,
  verifyRound,
} from '@holdfast/chain'
import {
  type BundleOpening,
  type CommittedBundle,
  type DealId,
  dealChallenge,
  dealIdOf,
  type Hash32,
  HoldfastError,
  type LeafIndex,
  leavesFor,
  type Period,
  type ProviderId,
  periodAt,
  RING_PERIODS,
  roundFor,
  seedOf,
  verifyBundleEntry,
} from '@holdfast/protocol'
import type { Evidence } from './evidence-file.ts'
import { isInBundle } from './in-bundle.ts'

export interface EntryVerdict {
  readonly challenge: number
  /** The leaf of the payload that was asked for. */
  readonly leaf: LeafIndex
  /** `right`: shown before the deadline. `wrong`: something else was committed to in its place. */
  readonly state: 'right' | 'wrong'
  readonly reason?: string
}

export interface Verdict {
  /** `shown`: all five leaves. `wrong`: the provider committed to what is not the data. */
  readonly verdict: 'shown' | 'wrong'
  readonly deal: DealId
  readonly provider: ProviderId
  readonly period: Period
  readonly round: bigint
  readonly seed: Hash32
  readonly bundle: Hash32
  readonly block: { readonly number: bigint; readonly hash: Hash32; readonly timestamp: bigint }
  /** The block's hash is one that the verifier gave. */
  readonly anchored: boolean
  readonly entries: readonly EntryVerdict[]
}

/** A G1 point as EIP-2537 has it. */
const SIGNATURE_BYTES = 128

const invalid = (reason: string): HoldfastError =>
  new HoldfastError({ code: 'PROOF_INVALID', reason: `evidence: ${reason}` })

/** Drand's key has signed the round that the period's seed is made from. */
const checkRound = (network: NetworkParams, { signature }: Evidence, round: bigint): void => {
  let compressed: Uint8Array
  try {
    compressed = compressedSignature(signature)
  } catch {
    throw invalid('its drand signature is no point of the group')
  }
  if (!verifyRound(network.drand.publicKey, { round, signature: compressed })) {
    throw invalid(`its drand signature is not that of round ${round}`)
  }
}

/** What the block's state says; every part of the proof has to be used. */
const stateFrom = (network: NetworkParams, evidence: Evidence) => {
  const { provider, period, account, words } = evidence
  const header = readHeader(evidence.header)
  const at = periodAt(network, header.timestamp)
  if (at < period || at >= period + BigInt(RING_PERIODS)) {
    throw invalid(
      `its block is of period ${at}, which cannot hold what was committed for ${period}`,
    )
  }
  const proof = { account, words: new Map(words.map(({ slot, nodes }) => [slot, nodes])) }
  if (proof.words.size !== words.length) throw invalid('a word of the state stands in it twice')
  const storage = openStorage(header.stateRoot, network.contracts.proofs, proof)
  const state = committedStateOf(storage.read, provider, period)
  if (storage.unread() > 0) throw invalid('it holds words of the state that nobody needs')
  return { header, state }
}

const judge = (
  bundle: CommittedBundle,
  deal: DealId,
  leaves: ReturnType<typeof leavesFor>,
  entry: BundleOpening,
  challenge: number,
): EntryVerdict => {
  const question = { class: 'deal', deal, i: challenge } as const
  const leaf = dealChallenge(bundle.context, deal, challenge, leaves)
  try {
    verifyBundleEntry(bundle, question, entry)
    return { challenge, leaf, state: 'right' }
  } catch (error) {
    if (!HoldfastError.is(error) || error.detail.code !== 'PROOF_INVALID') throw error
    const { reason } = error.detail
    // Only what the provider committed to can be held against it.
    if (!isInBundle(bundle, question, entry)) throw invalid(`entry ${challenge}: ${reason}`)
    return { challenge, leaf, state: 'wrong', reason }
  }
}

/**
 * @param known hashes of blocks that the verifier knows to be on the chain; none tells the hash only.
 * @throws HoldfastError `PROOF_INVALID` naming what does not fit.
 */
export const verifyEvidence = (
  network: NetworkParams,
  evidence: Evidence,
  known: readonly Hash32[] = [],
): Verdict => {
  try {
    return verdictOf(network, evidence, known)
  } catch (error) {
    if (!HoldfastError.is(error) || error.code === 'PROOF_INVALID') throw error
    // A figure that no unit allows, a time before the network: the file is no evidence either.
    throw invalid(error.message)
  }
}

const verdictOf = (
  network: NetworkParams,
  evidence: Evidence,
  known: readonly Hash32[],
): Verdict => {
  const { provider, period, terms } = evidence
  if (evidence.chainId !== network.chainId) {
    throw invalid(`it is of chain ${evidence.chainId}, the network file of ${network.chainId}`)
  }
  if (terms.provider !== provider) throw invalid('its terms are signed with another provider')
  const { chainId, contracts } = network
  const { signature } = evidence
  if (signature.length !== SIGNATURE_BYTES) throw invalid('its drand signature has another length')
  const round = roundFor(network, period)
  const seed = seedOf({ chainId, beacon: contracts.beacon, round, signature })
  const { header, state } = stateFrom(network, evidence)
  const { hash, number, timestamp } = header
  if (known.length > 0 && !known.includes(hash)) {
    throw invalid(`its block has hash ${hash}, which is none of those given`)
  }
  const deal = dealIdOf(terms, signingDomain(network))
  const context = { chainId, proofs: contracts.proofs, provider, period, seed }
  const bundle = { root: state.root, context, tree: state.tree }
  const leaves = leavesFor(terms.length)
  const entries = evidence.entries.map((entry, i) => judge(bundle, deal, leaves, entry, i))
  // Last, because it is dear: everything else hangs together already.
  checkRound(network, evidence, round)
  const isWrong = entries.some(({ state: one }) => one === 'wrong')
  return {
    verdict: isWrong ? 'wrong' : 'shown',
    ...{ deal, provider, period, round, seed, bundle: state.root },
    block: { number, hash, timestamp },
    anchored: known.length > 0,
    entries,
  }
}

/** What a verdict says, and what it does not, in sentences. */
export const meaningOf = ({
  verdict,
  period,
  block,
  anchored,
}: Verdict): { readonly proves: readonly string[]; readonly doesNotProve: readonly string[] } => {
  const shown = [
    `that the five leaves drand drew for the deal in period ${period} could be answered by the provider before the period's deadline`,
    'that they belong to the payload under the root that both parties signed, at the deal’s place in the provider’s tree',
  ]
  const wrong = [
    `that the provider committed, for period ${period}, to something else than the challenged leaves of the deal`,
  ]
  return {
    proves: [
      ...(verdict === 'shown' ? shown : wrong),
      'that nobody chose the leaves: they follow from a round of drand that its key has signed',
    ],
    doesNotProve: [
      ...(anchored
        ? []
        : [
            `that block ${block.number} with hash ${block.hash} is on the chain: compare it with a node you trust, or give --block`,
          ]),
      'that leaves which were not drawn are there, or that the bytes are there now',
      'that the period was paid, or is still marked: a dispute may have taken the mark back',
      'that the provider gives the bytes out to whoever asks',
    ],
  }
}
