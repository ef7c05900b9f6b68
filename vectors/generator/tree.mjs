/**
 * Provider trees step by step, challenges, seeds, and answers good and spoilt.
 */
import { account, bytes, challenge, payloadTree, providerTree, value32 } from './reference.mjs'

const { hex, payloadBytes } = bytes

/** Weights from one leaf to a full 1 PiB payload. */
const LEAVES = [1n, 2n, 5n, 1024n, 1_048_576n, 1_048_577n, 999_999_999n, 1n << 40n]

const slotOf = (n) => ({
  deal: value32('deal', n),
  scheme: 1,
  root: value32('root', n),
  leaves: LEAVES[n % LEAVES.length],
})

/** Fills 9 slots (growing at 1, 2, 4, 8), frees some, reuses, frees all, fills again. */
const SCRIPT = [
  ...[0, 1, 2, 3, 4, 5, 6, 7, 8].map((slot) => ({ op: 'fill', slot })),
  ...[3, 0, 8].map((slot) => ({ op: 'free', slot })),
  ...[0, 3, 8, 9, 10].map((slot) => ({ op: 'fill', slot })),
  ...[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((slot) => ({ op: 'free', slot })),
  ...[0, 10, 11, 5].map((slot) => ({ op: 'fill', slot })),
]

/** A provider with one slot, used again and again: the tree never grows. */
const LONE = [
  { op: 'fill', slot: 0 },
  { op: 'free', slot: 0 },
  { op: 'fill', slot: 0 },
]

const walk = (name, script) => {
  const tree = new providerTree.ContractTree()
  return script.map(({ op, slot }, step) => {
    const before = { ...tree.top, depth: tree.depth, slots: tree.slots.length }
    const held = tree.slots[slot]
    const leaf = op === 'fill' ? slotOf(100 * script.length + step) : held
    tree.put(slot, op === 'fill' ? leaf : undefined)
    const siblings = providerTree.siblings(tree.slots, tree.depth, slot)
    const { hash, weight } = tree.top
    return {
      tree: name,
      step,
      op,
      slot,
      deal: leaf.deal,
      scheme: leaf.scheme,
      payloadRoot: leaf.root,
      leaves: String(leaf.leaves),
      slotHash: hex(providerTree.slotSum(leaf).hash),
      path: hex(challenge.packPath(siblings)),
      siblingHashes: siblings.map((sibling) => hex(sibling.hash)),
      siblingWeights: siblings.map((sibling) => String(sibling.weight)),
      rootBefore: hex(before.hash),
      weightBefore: String(before.weight),
      depthBefore: before.depth,
      slotsBefore: before.slots,
      root: hex(hash),
      weight: String(weight),
      depth: tree.depth,
      slots: tree.slots.length,
    }
  })
}

export const providerTrees = () => [...walk('eleven slots', SCRIPT), ...walk('one slot', LONE)]

export const emptyNodes = () =>
  Array.from({ length: 33 }, (_, level) => ({ level })).map(({ level }) => {
    let node = providerTree.slotSum(undefined)
    for (let at = 0; at < level; at++) node = providerTree.join(node, node)
    return { level, hash: hex(node.hash) }
  })

const CONTEXTS = [0, 1, 2].map((n) => ({
  chainId: [1n, 31_337n, (1n << 63n) + 5n][n],
  proofs: account('proofs', n),
  provider: account('provider', n),
  period: [0n, 19n, (1n << 32n) + 7n][n],
  seed: value32('seed', n),
}))

const contextFields = (context) => ({
  chainId: String(context.chainId),
  proofs: context.proofs,
  provider: context.provider,
  period: String(context.period),
  seed: context.seed,
})

export const challenges = () =>
  CONTEXTS.flatMap((context, n) =>
    [1n, 10n, 1_048_577n, (1n << 40n) - 3n, (1n << 63n) + 1n].map((weight) => {
      const leaves = weight > 1n << 40n ? 1n << 40n : weight
      const deal = value32('challenged deal', n)
      const draw = (count, one) => Array.from({ length: count }, (_, i) => String(one(i)))
      return {
        ...contextFields(context),
        base: hex(challenge.base(context)),
        weight: String(weight),
        positions: draw(12, (i) => challenge.globalPosition(context, i, weight)),
        deal,
        leaves: String(leaves),
        indices: draw(5, (i) => challenge.dealIndex(context, deal, { i, leaves })),
      }
    }),
  )

export const seeds = () =>
  CONTEXTS.map((context, n) => {
    const input = {
      chainId: context.chainId,
      beacon: account('beacon', n),
      round: [1n, 12_345_678n, (1n << 64n) - 1n][n],
      signature:
        value32('sig', n, 0) + [1, 2, 3].map((i) => value32('sig', n, i).slice(2)).join(''),
    }
    return {
      chainId: String(input.chainId),
      beacon: input.beacon,
      round: String(input.round),
      signature: input.signature,
      seed: hex(challenge.seed(input)),
    }
  })

const PAYLOADS = [5000, 1, 20_000, 1024].map((length, n) => payloadBytes(50 + n, length))

const dealSlot = (payload, n) => ({
  deal: value32('answer deal', n),
  scheme: 1,
  root: hex(payloadTree.root(payload)),
  leaves: BigInt(payloadTree.leafCount(payload.length)),
})

/** A tree of these payloads by slot, undefined for none. Deals differ even where payloads do not. */
export const dealTree = (layout) => {
  const tree = new providerTree.ContractTree()
  layout.forEach((n, slot) => {
    const held = n === undefined ? undefined : dealSlot(PAYLOADS[n], n)
    tree.put(slot, held && { ...held, deal: value32('bundle deal', slot) })
  })
  return { tree, payloads: layout.map((n) => PAYLOADS[n]) }
}

/** The answer to a position, found by walking the slots from the left. */
export const answerAt = (tree, payloads, position) => {
  let before = 0n
  const slotIndex = tree.slots.findIndex((slot) => {
    const here = slot !== undefined && position < before + slot.leaves
    if (!here) before += slot?.leaves ?? 0n
    return here
  })
  const index = Number(position - before)
  return challenge.answer({
    slot: tree.slots[slotIndex],
    slotIndex,
    siblings: providerTree.siblings(tree.slots, tree.depth, slotIndex),
    leaf: payloadTree.leaf(payloads[slotIndex], index),
    path: payloadTree.path(payloads[slotIndex], index),
  })
}

const flip = (data, at) => {
  const copy = Buffer.from(data)
  copy[at] ^= 1
  return copy
}

const fill = (data, at, length) => Buffer.from(data).fill(0xff, at, at + length)

const spoiltAnswers = (data, depth) => {
  const tail = 77 + 40 * depth
  return [
    ['deal', flip(data, 0)],
    ['scheme', flip(data, 32)],
    ['scheme 2', Buffer.concat([data.subarray(0, 32), Buffer.from([2]), data.subarray(33)])],
    ['payload root', flip(data, 40)],
    ['leaves', flip(data, 72)],
    ['leaves zero', Buffer.concat([data.subarray(0, 65), Buffer.alloc(8), data.subarray(73)])],
    ['leaves huge', flip(data, 65)],
    ['slot', flip(data, 76)],
    ['slot outside', flip(data, 73)],
    ...(depth > 0
      ? [
          ['sibling hash', flip(data, 77)],
          ['sibling weight', flip(data, 77 + 39)],
          ['sibling weight huge', flip(data, 77 + 32)],
          ['sibling last', flip(data, tail - 1)],
          ['sibling weight at 2^64 - 1', fill(data, 77 + 32, 8)],
        ]
      : []),
    ['leaf bytes', flip(data, tail)],
    ['leaf last byte', flip(data, tail + 1023)],
    ...(data.length > tail + 1024 ? [['payload sibling', flip(data, data.length - 1)]] : []),
    ['a byte short', data.subarray(0, -1)],
    ['a byte long', Buffer.concat([data, Buffer.alloc(1)])],
    ['a sibling long', Buffer.concat([data, Buffer.alloc(32)])],
    ['empty', Buffer.alloc(0)],
  ]
}

export const answers = () => {
  const cases = []
  const add = (tree, position, data, valid, reason) =>
    cases.push({
      treeRoot: hex(tree.top.hash),
      treeWeight: String(tree.top.weight),
      treeDepth: tree.depth,
      position: String(position),
      answer: hex(data),
      valid,
      reason,
    })
  for (const layout of [[0], [0, undefined, 1, 2, 3], [undefined, 2]]) {
    const tree = new providerTree.ContractTree()
    layout.forEach((n, slot) => {
      tree.put(slot, n === undefined ? undefined : dealSlot(PAYLOADS[n], n))
    })
    const payloads = layout.map((n) => PAYLOADS[n])
    const last = tree.top.weight - 1n
    for (const position of new Set([0n, 4n, last / 2n, last])) {
      add(tree, position, answerAt(tree, payloads, position), true, '')
    }
    const good = answerAt(tree, payloads, last)
    add(tree, last + 1n, good, false, 'position after the deal')
    if (last > 0n) add(tree, last - 1n, good, false, 'position of another leaf or deal')
    for (const [reason, bad] of spoiltAnswers(good, tree.depth)) add(tree, last, bad, false, reason)
  }
  return cases
}
