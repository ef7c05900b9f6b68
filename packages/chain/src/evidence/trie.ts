/**
 * What a state root says of one key, shown by the nodes on the way to it (`eth_getProof`). Every node
 * is held against the hash that names it, so nothing but the keeper of the root could have made them.
 */
import { equalBytes, HoldfastError, keccak } from '@holdfast/protocol'
import { bytesOf, decodeRlp, listOf, type RlpItem } from './rlp.ts'

const KEY_NIBBLES = 64
/** A branch of hashes, with heads. */
const NODE_BYTES_MAX = 600
/** The longest value: an account. */
const VALUE_BYTES_MAX = 200

const invalid = (reason: string): HoldfastError =>
  new HoldfastError({ code: 'PROOF_INVALID', reason: `state proof: ${reason}` })

const nibblesOf = (data: Uint8Array): readonly number[] =>
  [...data].flatMap((byte) => [byte >> 4, byte & 15])

/** The nibbles of a leaf's or an extension's path, and which of the two it is. */
const compactPath = (
  encoded: Uint8Array,
): { readonly nibbles: readonly number[]; readonly isLeaf: boolean } => {
  const [flag = 16, ...rest] = nibblesOf(encoded)
  const isOdd = (flag & 1) === 1
  if (flag > 3 || (!isOdd && rest[0] !== 0)) throw invalid('a path in a form there is not')
  return { nibbles: isOdd ? rest : rest.slice(1), isLeaf: flag >= 2 }
}

type Step = { readonly value: Uint8Array } | { readonly next: RlpItem; readonly used: number }

/** From one node one step down the path. */
const step = (node: RlpItem, path: readonly number[], at: number): Step => {
  const items = listOf(node)
  if (items.length === 17) {
    const nibble = path[at]
    const next = nibble === undefined ? undefined : items[nibble]
    if (next === undefined || next.length === 0) throw invalid('there is nothing at this key')
    return { next, used: 1 }
  }
  const [encoded, rest] = items
  if (items.length !== 2 || rest === undefined) throw invalid('a node that is neither')
  const { nibbles, isLeaf } = compactPath(bytesOf(encoded, KEY_NIBBLES))
  if (nibbles.some((nibble, i) => nibble !== path[at + i])) {
    throw invalid('there is nothing at this key')
  }
  if (!isLeaf) return { next: rest, used: nibbles.length }
  if (at + nibbles.length !== KEY_NIBBLES) throw invalid('a leaf at half of the way')
  return { value: bytesOf(rest, VALUE_BYTES_MAX) }
}

/**
 * The value at a key, RLP as the trie holds it. All nodes have to be on the way.
 * @throws HoldfastError `PROOF_INVALID` when the nodes do not show one.
 */
export const provenValue = (
  root: Uint8Array,
  key: Uint8Array,
  nodes: readonly Uint8Array[],
): Uint8Array => {
  const path = nibblesOf(keccak(key))
  let next: RlpItem = root
  let at = 0
  for (const [i, encoded] of nodes.entries()) {
    if (encoded.length > NODE_BYTES_MAX) throw invalid('a node that is too long')
    if (!(next instanceof Uint8Array) || !equalBytes(keccak(encoded), next)) {
      throw invalid('a node that its parent does not name')
    }
    let node: RlpItem = decodeRlp(encoded)
    for (;;) {
      const found: Step = step(node, path, at)
      if ('value' in found) {
        if (i !== nodes.length - 1) throw invalid('nodes after the value')
        return found.value
      }
      at += found.used
      next = found.next
      if (next instanceof Uint8Array) break
      // A node of fewer than 32 bytes stands in its parent itself.
      node = next
    }
  }
  throw invalid('it ends before the value')
}
