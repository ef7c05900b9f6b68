/**
 * The streaming root against the recursive reference: every way of cutting the payload, every size
 * around a boundary, subtrees hashed apart.
 */
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { depthFor, leavesFor } from '../../src/geometry.ts'
import { toHex } from '../../src/ids.ts'
import {
  joinSubtrees,
  nodesAt,
  RootAccumulator,
  type SubtreeRoot,
} from '../../src/merkle/accumulator.ts'
import { plainHasher, type TreeHasher, zeroNode } from '../../src/merkle/hash.ts'
import { parentNodes, subtreeRoot } from '../../src/merkle/subtree.ts'
import { bytes } from '../../src/units.ts'
import { hex, payloadBytes } from '../reference/bytes.ts'
import { depthOf, leafCount, root, zero } from '../reference/payload-tree.ts'
import { cryptoHasher } from '../support/crypto-hasher.ts'
import { expectCode } from '../support/failures.ts'
import { sample } from '../support/payloads.ts'

const KIB = 1024

/** The plain hasher for what is small, a faster one where the tree is what matters. */
const rootOf = (payload: Uint8Array, cut: number): string => {
  const accumulator = new RootAccumulator(payload.length > 70_000 ? cryptoHasher : plainHasher)
  for (let at = 0; at < payload.length; at += cut) {
    accumulator.update(payload.subarray(at, at + cut))
  }
  return accumulator.finish().root
}

/** Aligned runs of 2^level leaves, hashed apart; the last may be short. */
const cutInto = (payload: Uint8Array, level: number): readonly SubtreeRoot[] => {
  const width = KIB << level
  return Array.from({ length: Math.ceil(payload.length / width) }, (_, i) => {
    const run = payload.subarray(i * width, (i + 1) * width)
    return { level, node: subtreeRoot(run, level, cryptoHasher), bytesUnder: bytes(run.length) }
  })
}

describe('the streaming root', () => {
  test('agrees with the reference around every power of two of leaves up to 1 MiB', () => {
    for (let level = 0; level <= 10; level++) {
      for (const off of [-1025, -1024, -1, 0, 1, 1024, 1025]) {
        const length = (KIB << level) + off
        if (length < 1) continue
        const payload = payloadBytes(20, length)
        expect([length, rootOf(payload, 65_521)]).toEqual([length, hex(root(payload))])
      }
    }
  })

  test('agrees with the reference at a few MiB', () => {
    for (const length of [2 * KIB * KIB + 1, 3 * KIB * KIB + 777]) {
      const payload = payloadBytes(1, length)
      expect(rootOf(payload, 1_000_003)).toBe(hex(root(payload)))
    }
  })

  test('does not depend on how the bytes are cut', () => {
    const payload = payloadBytes(2, 200_001)
    const expected = hex(root(payload))
    for (const cut of [97, 1023, 1024, 1025, 65_535, 65_536, 65_537, 131_072, 300_000]) {
      expect([cut, rootOf(payload, cut)]).toEqual([cut, expected])
    }
  })

  test('agrees with the reference for random lengths and cuts', () => {
    const cuts = fc.array(fc.integer({ min: 0, max: 90_000 }), { maxLength: 8 })
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 250_000 }), cuts, fc.nat(3), (length, at, seed) => {
        const payload = payloadBytes(seed, length)
        const accumulator = new RootAccumulator(cryptoHasher)
        let from = 0
        for (const width of at) {
          accumulator.update(payload.subarray(from, from + width))
          from = Math.min(length, from + width)
        }
        accumulator.update(payload.subarray(from))
        expect(accumulator.length).toBe(BigInt(length))
        expect(accumulator.finish().root).toBe(hex(root(payload)))
      }),
      { numRuns: 40 },
    )
  })

  test('names the true length and the scheme, and may be asked twice', () => {
    const accumulator = new RootAccumulator(plainHasher)
    accumulator.update(payloadBytes(1, 1500))
    expect(accumulator.finish()).toEqual(sample(1500, 1).commitment)
    expect(accumulator.finish()).toBe(accumulator.finish())
  })

  test('ignores empty chunks and refuses an empty payload', () => {
    const accumulator = new RootAccumulator(plainHasher)
    accumulator.update(new Uint8Array(0))
    expectCode('PAYLOAD_EMPTY', () => accumulator.finish())
  })

  test('refuses bytes after the end', () => {
    const accumulator = new RootAccumulator(plainHasher)
    accumulator.update(Uint8Array.of(1))
    accumulator.finish()
    expectCode('INVARIANT', () => accumulator.update(Uint8Array.of(1)))
  })

  test('refuses more than 2^50 bytes', () => {
    const accumulator = new RootAccumulator(plainHasher)
    accumulator.appendSubtree(40, zeroNode(40), bytes(1n << 50n))
    const error = expectCode('PAYLOAD_TOO_LARGE', () => accumulator.update(Uint8Array.of(1)))
    expect(error.detail).toMatchObject({ limit: 1n << 50n, actual: (1n << 50n) + 1n })
  })

  test('does not change the bytes it is given, nor keep them', () => {
    const payload = Buffer.from(payloadBytes(3, 10_000))
    const copy = Buffer.from(payload)
    const accumulator = new RootAccumulator(plainHasher)
    accumulator.update(payload)
    expect(payload.equals(copy)).toBe(true)
    payload.fill(0)
    expect(accumulator.finish().root).toBe(hex(root(copy)))
  })
})

describe('subtrees hashed apart', () => {
  test('join to the same root at every level that fits', () => {
    for (const length of [5 * KIB, 64 * KIB, 64 * KIB + 1, 100_000, 256 * KIB + 5]) {
      const payload = payloadBytes(length, length)
      for (let level = 0; level <= depthOf(leafCount(length)); level++) {
        const joined = joinSubtrees(cutInto(payload, level), cryptoHasher)
        expect([length, level, joined.root]).toEqual([length, level, hex(root(payload))])
        expect(joined.length).toBe(BigInt(length))
      }
    }
  })

  test('mix with bytes in any aligned order', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 250_000 }),
        fc.array(fc.integer({ min: -1, max: 7 }), { minLength: 1, maxLength: 60 }),
        (length, plan) => {
          const payload = payloadBytes(9, length)
          const accumulator = new RootAccumulator(cryptoHasher)
          let at = 0
          for (const level of plan) {
            const width = level < 0 ? 3 * KIB : KIB << level
            if (at % width !== 0 && level >= 0) continue
            const run = payload.subarray(at, at + width)
            if (run.length < width) break
            if (level < 0) accumulator.update(run)
            else
              accumulator.appendSubtree(
                level,
                subtreeRoot(run, level, cryptoHasher),
                bytes(run.length),
              )
            at += width
          }
          accumulator.update(payload.subarray(at))
          expect(accumulator.finish().root).toBe(hex(root(payload)))
        },
      ),
      { numRuns: 40 },
    )
  })

  test('are copied: a caller may use its buffer again', () => {
    const payload = payloadBytes(6, 3 * KIB)
    const accumulator = new RootAccumulator(plainHasher)
    const node = new Uint8Array(32)
    for (let leaf = 0; leaf < 3; leaf++) {
      node.set(subtreeRoot(payload.subarray(leaf * KIB, (leaf + 1) * KIB), 0, plainHasher))
      accumulator.appendSubtree(0, node, bytes(KIB))
    }
    node.fill(0)
    expect(accumulator.finish().root).toBe(hex(root(payload)))
  })

  test('a node of one level is the reference node with missing leaves', () => {
    const payload = payloadBytes(4, 5 * KIB)
    expect(toHex(subtreeRoot(payload, 3, plainHasher))).toBe(hex(root(payload)))
    const above = parentNodes(subtreeRoot(payload, 3, plainHasher), 3, plainHasher)
    expect(toHex(subtreeRoot(payload, 4, plainHasher))).toBe(toHex(above))
  })

  test('are refused where they are not aligned, too wide, empty, or after the end', () => {
    const node = zeroNode(0)
    const fresh = (): RootAccumulator => new RootAccumulator(plainHasher)
    const after = (leaves: number): RootAccumulator => {
      const accumulator = fresh()
      accumulator.update(new Uint8Array(leaves * KIB))
      return accumulator
    }
    expectCode('INVARIANT', () => after(1).appendSubtree(1, node, bytes(2 * KIB)))
    expectCode('INVARIANT', () => after(6).appendSubtree(2, node, bytes(KIB)))
    expectCode('INVARIANT', () => fresh().appendSubtree(0, node, bytes(KIB + 1)))
    expectCode('INVARIANT', () => fresh().appendSubtree(0, node, bytes(0)))
    expectCode('INVARIANT', () => fresh().appendSubtree(0, node.subarray(1), bytes(1)))
    const inside = fresh()
    inside.update(Uint8Array.of(1))
    expectCode('INVARIANT', () => inside.appendSubtree(0, node, bytes(1)))
    const ended = fresh()
    ended.appendSubtree(3, node, bytes(KIB))
    expectCode('INVARIANT', () => ended.update(Uint8Array.of(1)))
    expectCode('INVARIANT', () => ended.appendSubtree(0, node, bytes(1)))
    // Alone, and hashed above the payload's own depth: the root is inside it and cannot be had.
    expectCode('INVARIANT', () => ended.finish())
  })
})

describe('the plain hasher and the zero nodes', () => {
  test('agree with the reference at every level of the fixed range', () => {
    for (let level = 0; level <= 40; level++) expect(toHex(zeroNode(level))).toBe(hex(zero(level)))
    expectCode('INVARIANT', () => zeroNode(41))
    expectCode('INVARIANT', () => zeroNode(-1))
  })

  test('zero nodes are fresh copies', () => {
    zeroNode(3).fill(1)
    expect(toHex(zeroNode(3))).toBe(hex(zero(3)))
  })

  test('refuses input that is not whole preimages', () => {
    expectCode('INVARIANT', () => plainHasher.leaves(new Uint8Array(1000), new Uint8Array(32)))
    expectCode('INVARIANT', () => plainHasher.pairs(new Uint8Array(64), new Uint8Array(64)))
  })

  test('hashing stays inside the batch port: k leaves and k pairs at a time', () => {
    const calls: number[] = []
    const spy: TreeHasher = {
      name: 'spy',
      leaves: (payload, out) => {
        calls.push(payload.length / KIB)
        plainHasher.leaves(payload, out)
      },
      pairs: (nodes, out) => plainHasher.pairs(nodes, out),
    }
    const accumulator = new RootAccumulator(spy)
    accumulator.update(payloadBytes(1, 129 * KIB))
    accumulator.finish()
    expect(calls).toEqual([64, 64, 1])
  })
})

describe('geometry', () => {
  test('counts leaves, depth and nodes as the reference does', () => {
    for (const length of [1, 1023, 1024, 1025, 4096, 4097, 1 << 20, (1 << 20) + 1]) {
      const leaves = leavesFor(bytes(length))
      expect(leaves).toBe(BigInt(leafCount(length)))
      expect(depthFor(leaves)).toBe(depthOf(leafCount(length)))
    }
    expect(nodesAt(5n, 1)).toBe(3n)
    expect(nodesAt(5n, 3)).toBe(1n)
  })
})
