/**
 * What a block's state says about a committed period, from its header and proofs of storage of the
 * ProofLedger: the bundle's root, and the tree that the period is judged by. The slots are those of
 * contracts/layout/ProofLedger.json; the rules those of `snapshotAt`. Pure: a third party runs it on a
 * file, whoever makes the file runs it to find out which slots to ask for.
 */
import {
  type Address,
  bytesUint,
  concatBytes,
  fromHex,
  type Hash32,
  HoldfastError,
  hash32,
  keccak,
  leaves,
  type Period,
  type ProviderId,
  RING_PERIODS,
  type Timestamp,
  timestamp,
  toHex,
  uintBytes,
} from '@holdfast/protocol'
import type { TreeSnapshot } from '../ledger.ts'
import { bytesOf, decodeRlp, listOf } from './rlp.ts'
import { provenValue } from './trie.ts'

const TREES_SLOT = 0n
const RING_SLOT = 1n
const BUNDLES_SLOT = 3n
const WORDS_PER_TREE = 2n
const UINT32 = 0xffff_ffffn
const HEADER_BYTES_MAX = 1200

/** A word of the ledger's storage. */
export type ReadWord = (slot: Hash32) => bigint

export interface CommittedState {
  readonly root: Hash32
  readonly tree: TreeSnapshot
}

const invalid = (reason: string): HoldfastError =>
  new HoldfastError({ code: 'PROOF_INVALID', reason })

/** Where a mapping keeps what belongs to an address. */
const slotFor = (owner: Address, mapping: bigint): bigint =>
  bytesUint(keccak(concatBytes(new Uint8Array(12), fromHex(owner)), uintBytes(mapping, 32)))

const WORDS = 1n << 256n
const slotAt = (slot: bigint): Hash32 => hash32(toHex(uintBytes(slot % WORDS, 32)))

interface StoredTree extends TreeSnapshot {
  readonly inForceFrom: bigint
  readonly snapshots: bigint
}

/** weight 64 | depth 8 | slotCount 40 | inForceFrom 32 | snapshots 32, lowest first. */
const treeAt = (read: ReadWord, slot: bigint): StoredTree => {
  const rest = read(slotAt(slot + 1n))
  return {
    root: hash32(toHex(uintBytes(read(slotAt(slot)), 32))),
    weight: leaves(rest & 0xffff_ffff_ffff_ffffn),
    depth: Number((rest >> 64n) & 0xffn),
    inForceFrom: (rest >> 112n) & UINT32,
    snapshots: (rest >> 144n) & UINT32,
  }
}

/**
 * @throws HoldfastError `PROOF_INVALID` when the state does not hold the period any more, and what
 *   `read` throws.
 */
export const committedStateOf = (
  read: ReadWord,
  provider: ProviderId,
  period: Period,
): CommittedState => {
  const bundles = slotFor(provider, BUNDLES_SLOT)
  const committed = read(slotAt(bundles + (period % BigInt(RING_PERIODS))))
  if (committed <= 1n) throw invalid('the state holds no bundle for the period')
  const root = hash32(toHex(uintBytes(committed, 32)))
  const now = treeAt(read, slotFor(provider, TREES_SLOT))
  const ring = BigInt(RING_PERIODS)
  const kept = now.snapshots < ring ? now.snapshots : ring
  let tree: StoredTree = now
  for (let back = 1n; period < tree.inForceFrom; back++) {
    if (back > kept) throw invalid('the state does not hold the tree of the period any more')
    const place = (now.snapshots - back) % ring
    tree = treeAt(read, slotFor(provider, RING_SLOT) + WORDS_PER_TREE * place)
  }
  const { root: treeRoot, weight, depth } = tree
  return { root, tree: { root: treeRoot, weight, depth } }
}

export interface HeaderFacts {
  readonly hash: Hash32
  readonly number: bigint
  readonly timestamp: Timestamp
  readonly stateRoot: Uint8Array
}

/** @throws HoldfastError `PROOF_INVALID` for bytes that are no header. */
export const readHeader = (header: Uint8Array): HeaderFacts => {
  if (header.length > HEADER_BYTES_MAX) throw invalid('a header that is too long')
  const fields = listOf(decodeRlp(header))
  const stateRoot = bytesOf(fields[3], 32)
  if (stateRoot.length !== 32) throw invalid('a header without a state root')
  return {
    hash: hash32(toHex(keccak(header))),
    number: bytesUint(bytesOf(fields[8], 8)),
    timestamp: timestamp(bytesUint(bytesOf(fields[11], 8))),
    stateRoot,
  }
}

/** Words of one contract's storage with the nodes that show them; the account's own first. */
export interface StorageProof {
  readonly account: readonly Uint8Array[]
  readonly words: ReadonlyMap<Hash32, readonly Uint8Array[]>
}

/**
 * Reads words out of a proof. Every word asked for is checked; `unread` says which were never asked for.
 * @throws HoldfastError `PROOF_INVALID`.
 */
export const openStorage = (
  stateRoot: Uint8Array,
  contract: Address,
  { account, words }: StorageProof,
): { readonly read: ReadWord; readonly unread: () => number } => {
  const [, , storageRoot] = listOf(decodeRlp(provenValue(stateRoot, fromHex(contract), account)))
  const asked = new Set<Hash32>()
  const read: ReadWord = (slot) => {
    const nodes = words.get(slot)
    if (nodes === undefined) throw invalid(`the word ${slot} of the state is not shown`)
    asked.add(slot)
    const value = decodeRlp(provenValue(bytesOf(storageRoot, 32), fromHex(slot), nodes))
    return bytesUint(bytesOf(value, 32))
  }
  return { read, unread: () => words.size - asked.size }
}
