/**
 * The provider tree against the recursive reference and the contract's rule: growth, reuse, paths,
 * positions.
 */
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { dealId, root, toHex } from '../src/ids.ts'
import { ProviderTree } from '../src/provider-tree.ts'
import {
  EMPTY_SLOT,
  emptyNode,
  parentNode,
  pathRoot,
  type SlotLeaf,
  slotNode,
  slotPathBytes,
  weightBefore,
} from '../src/sum-node.ts'
import { leaves, slotIndex } from '../src/units.ts'
import { hex, keccakText } from './reference/bytes.ts'
import { packPath } from './reference/challenge.ts'
import { ContractTree, siblings } from './reference/provider-tree.ts'
import { expectCode } from './support/failures.ts'

const leafOf = (label: number): SlotLeaf => ({
  deal: dealId(hex(keccakText(`deal ${label}`))),
  scheme: 1,
  root: root(hex(keccakText(`root ${label}`))),
  leaves: leaves(1 + ((label * 7919) % 1000)),
})

const expectSame = (tree: ProviderTree, contract: ContractTree): void => {
  const { hash, weight } = contract.top
  expect({
    depth: tree.depth,
    slots: tree.slots,
    root: tree.root as string,
    weight: tree.weight as bigint,
  }).toEqual({ depth: contract.depth, slots: contract.slots.length, root: hex(hash), weight })
}

const treeOf = (count: number): ProviderTree =>
  ProviderTree.of(Array.from({ length: count }, (_, i) => leafOf(i)))

/** Fill (true) or free (false) the slot that `pick` names among those where that is possible. */
type Step = readonly [fill: boolean, pick: number]

const apply = (tree: ProviderTree, contract: ContractTree, [fill, pick]: Step): void => {
  const places = Array.from({ length: tree.slots + 1 }, (_, i) => i).filter(
    (i) => (tree.get(slotIndex(i)) === undefined) === fill && (fill || i < tree.slots),
  )
  const slot = places[pick % places.length]
  if (slot === undefined) return
  const leaf = fill ? leafOf(pick) : undefined
  const before = tree.root
  const path = tree.path(slotIndex(slot))
  tree.set(slotIndex(slot), leaf)
  contract.put(slot, leaf)
  expect(pathRoot(slotNode(leaf), path)).toEqual({ hash: tree.root, weight: tree.weight })
  expect(toHex(slotPathBytes(path))).toBe(
    hex(packPath(siblings(contract.slots, contract.depth, slot))),
  )
  if (path.siblings.length > 0) expect(tree.root).not.toBe(before)
}

describe('the tree', () => {
  test('of a new provider is zero, without weight', () => {
    const tree = new ProviderTree()
    expectSame(tree, new ContractTree())
    expect(tree.path(slotIndex(0)).siblings).toEqual([])
    expect(tree.freeSlot()).toBe(0n)
    expectCode('INVARIANT', () => tree.locate(0n))
  })

  test('grows by a level exactly when the slot after the last is needed', () => {
    const tree = new ProviderTree()
    const contract = new ContractTree()
    const depths: number[] = []
    for (let slot = 0; slot < 17; slot++) {
      tree.set(slotIndex(slot), leafOf(slot))
      contract.put(slot, leafOf(slot))
      expectSame(tree, contract)
      depths.push(tree.depth)
    }
    expect(depths).toEqual([0, 1, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4, 5])
  })

  test('follows the contract through any filling and freeing', () => {
    const steps = fc.array(
      fc.tuple(
        fc.nat(3).map((die) => die > 0),
        fc.nat(10_000),
      ),
      { maxLength: 40 },
    )
    fc.assert(
      fc.property(steps, (plan) => {
        const tree = new ProviderTree()
        const contract = new ContractTree()
        for (const step of plan) apply(tree, contract, step)
        expectSame(tree, contract)
        expectSame(ProviderTree.of(contract.slots as SlotLeaf[]), contract)
      }),
      { numRuns: 60 },
    )
  })

  test('keeps depth and slot count when everything is freed, and is empty then', () => {
    const tree = treeOf(5)
    for (let slot = 0; slot < 5; slot++) tree.set(slotIndex(slot), undefined)
    expect([tree.depth, tree.slots, tree.weight]).toEqual([3, 5, 0n])
    expect(tree.root).toBe(emptyNode(3).hash)
  })

  test('replaces what a slot holds', () => {
    const tree = treeOf(3)
    tree.set(slotIndex(1), leafOf(9))
    expect(tree.root).toBe(ProviderTree.of([leafOf(0), leafOf(9), leafOf(2)]).root)
  })

  test('clones without ties', () => {
    const tree = treeOf(3)
    const copy = tree.clone()
    tree.set(slotIndex(3), leafOf(3))
    tree.set(slotIndex(4), leafOf(4))
    tree.set(slotIndex(0), undefined)
    expect([copy.slots, copy.root, copy.depth]).toEqual([3, treeOf(3).root, 2])
    expect(copy.get(slotIndex(0))).toEqual(leafOf(0))
  })

  test('refuses slots beyond the next, and freeing the next', () => {
    const tree = treeOf(3)
    expectCode('INVARIANT', () => tree.set(slotIndex(4), leafOf(4)))
    expectCode('INVARIANT', () => tree.set(slotIndex(3), undefined))
    expectCode('INVARIANT', () => tree.path(slotIndex(4)))
    expect(tree.get(slotIndex(3))).toBeUndefined()
  })
})

describe('the lowest free slot', () => {
  test('is found among holes, else after the last', () => {
    const steps = fc.array(fc.nat(40), { maxLength: 30 })
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), steps, (count, holes) => {
        const tree = treeOf(count)
        for (const hole of holes) if (hole < count) tree.set(slotIndex(hole), undefined)
        const free = Array.from({ length: count + 1 }, (_, i) => i).find(
          (i) => tree.get(slotIndex(i)) === undefined,
        )
        expect(tree.freeSlot()).toBe(BigInt(free ?? -1))
      }),
      { numRuns: 100 },
    )
  })
})

describe('positions', () => {
  test('every position of the weight names one leaf, in slot order', () => {
    const tree = ProviderTree.of([leafOf(1), undefined, leafOf(2), leafOf(3)])
    let position = 0n
    for (const [slot, leaf] of [
      [0n, leafOf(1)],
      [2n, leafOf(2)],
      [3n, leafOf(3)],
    ] as const) {
      expect(weightBefore(tree.path(slotIndex(slot)))).toBe(position)
      for (const index of [0n, leaf.leaves / 2n, leaf.leaves - 1n]) {
        expect(tree.locate(position + index)).toEqual({ slot, leaf, index })
      }
      position += leaf.leaves
    }
    expect(position).toBe(tree.weight)
    expectCode('INVARIANT', () => tree.locate(position))
    expectCode('INVARIANT', () => tree.locate(-1n))
  })
})

describe('65,536 slots', () => {
  test('are built, changed, searched and outgrown in a moment', () => {
    const count = 65_536
    const big = ProviderTree.of(
      Array.from({ length: count }, (_, i) => (i % 16 === 0 ? leafOf(i) : undefined)),
    )
    expect([big.depth, big.slots, big.freeSlot()]).toEqual([16, count, 1n])
    for (let slot = 0; slot < 200; slot++) big.set(slotIndex(slot), leafOf(slot))
    expect(big.freeSlot()).toBe(200n)
    const path = big.path(slotIndex(48))
    expect(pathRoot(slotNode(leafOf(48)), path)).toEqual({ hash: big.root, weight: big.weight })
    big.set(slotIndex(count), leafOf(count))
    expect([big.depth, big.slots]).toEqual([17, count + 1])
    expect(big.locate(big.weight - 1n).slot).toBe(BigInt(count))
  })
})

describe('nodes', () => {
  test('empty ones are (0, 0) and their joins', () => {
    expect(emptyNode(0)).toEqual(EMPTY_SLOT)
    expect(emptyNode(1)).toEqual(parentNode(EMPTY_SLOT, EMPTY_SLOT))
    expectCode('INVARIANT', () => emptyNode(33))
  })

  test('refuse weights beyond 64 bits', () => {
    const heavy = { hash: EMPTY_SLOT.hash, weight: leaves((1n << 64n) - 1n) }
    expectCode('UNIT_INVALID', () => parentNode(heavy, { ...heavy, weight: leaves(1) }))
    expect(parentNode(heavy, EMPTY_SLOT).weight).toBe((1n << 64n) - 1n)
  })

  test('depend on side, weight and hash', () => {
    const a = slotNode(leafOf(1))
    const b = slotNode(leafOf(2))
    const hashes = [
      parentNode(a, b),
      parentNode(b, a),
      parentNode({ ...a, weight: leaves(a.weight + 1n) }, b),
      parentNode(a, { ...b, weight: leaves(b.weight + 1n) }),
      parentNode({ ...a, hash: b.hash }, b),
    ].map((node) => node.hash)
    expect(new Set(hashes).size).toBe(hashes.length)
  })
})
