/**
 * Openings of single leaves: every leaf of every small size opens, every mutation is refused.
 */
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { Commitment } from '../../src/deal/terms.ts'
import { root, toHex } from '../../src/ids.ts'
import { buildPath, type LeafOpening, verifyLeaf } from '../../src/merkle/proof.ts'
import { bytes, leafIndex } from '../../src/units.ts'
import { depthOf } from '../reference/payload-tree.ts'
import { expectCode } from '../support/failures.ts'
import { type Sample, sample, sampleOf } from '../support/payloads.ts'

const KIB = 1024

const flipped = (data: Uint8Array, bit: number): Uint8Array => {
  const copy = Uint8Array.from(data)
  copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7))
  return copy
}

const refused = (commitment: Commitment, opening: LeafOpening): void => {
  expectCode('PROOF_INVALID', () => verifyLeaf(commitment, opening))
}

const checkAll = ({ commitment, leaves, opening, source }: Sample): void => {
  for (let index = 0; index < leaves; index++) {
    const shown = opening(index)
    verifyLeaf(commitment, shown)
    const path = buildPath(BigInt(leaves), leafIndex(index), source)
    expect(toHex(path)).toBe(toHex(shown.path))
  }
}

describe('every leaf opens', () => {
  test('of every leaf count from 1 to 33, with full and short last leaves', () => {
    for (let leaves = 1; leaves <= 33; leaves++) {
      for (const short of [0, 1, 1023]) checkAll(sample(leaves * KIB - short))
    }
  })

  test('of medium payloads around a power of two', () => {
    for (const leaves of [63, 64, 65]) checkAll(sample(leaves * KIB - 5))
  })

  test('at random places of a payload of 1 MiB', () => {
    const big = sample(KIB * KIB - 3)
    for (const index of [0, 1, 511, 512, 777, 1023]) verifyLeaf(big.commitment, big.opening(index))
  })
})

describe('every mutation is refused', () => {
  test('of any single bit of leaf, path and root', () => {
    const { commitment, leaves, opening } = sample(13 * KIB - 100)
    fc.assert(
      fc.property(fc.nat(leaves - 1), fc.nat(), (index, pick) => {
        const good = opening(index)
        verifyLeaf(commitment, good)
        const { leaf, path } = good
        refused(commitment, { ...good, leaf: flipped(leaf, pick % (8 * leaf.length)) })
        refused(commitment, { ...good, path: flipped(path, pick % (8 * path.length)) })
        const digits = `${commitment.root.slice(0, -1)}${commitment.root.endsWith('0') ? '1' : '0'}`
        refused({ ...commitment, root: root(digits) }, good)
      }),
      { numRuns: 200 },
    )
  })

  test('of the index, to any other index', () => {
    for (const length of [2 * KIB, 5 * KIB, 8 * KIB, 21 * KIB - 7]) {
      const { commitment, leaves, opening } = sample(length)
      for (let index = 0; index < leaves; index++) {
        for (let other = 0; other < leaves + 3; other++) {
          if (other !== index) refused(commitment, { ...opening(index), index: leafIndex(other) })
        }
      }
    }
  })

  test('of the index, where nothing but the leaf count speaks against it', () => {
    const { commitment, opening } = sampleOf(Buffer.alloc(KIB))
    verifyLeaf(commitment, opening(0))
    for (const index of [1, 2, 1024]) {
      refused(commitment, { ...opening(0), index: leafIndex(index) })
    }
  })

  test('of the path: any length but the right one, and siblings out of order', () => {
    const { commitment, opening } = sample(13 * KIB)
    const good = opening(7)
    for (let length = 0; length <= good.path.length + 64; length++) {
      if (length === good.path.length) continue
      const path = new Uint8Array(length)
      path.set(good.path.subarray(0, length))
      refused(commitment, { ...good, path })
    }
    const swapped = Buffer.concat([
      good.path.subarray(32, 64),
      good.path.subarray(0, 32),
      good.path.subarray(64),
    ])
    refused(commitment, { ...good, path: swapped })
  })

  test('of the leaf: any other size', () => {
    const { commitment, opening } = sample(3 * KIB)
    for (const length of [0, 1, 64, 1023, 1025, 2048]) {
      refused(commitment, { ...opening(1), leaf: new Uint8Array(length) })
    }
  })

  test('of the length, whenever it changes the depth', () => {
    for (const leaves of [1, 2, 4, 5, 8, 9, 16]) {
      const { commitment, opening } = sample(leaves * KIB)
      for (let other = 1; other <= 40; other++) {
        if (depthOf(other) === depthOf(leaves)) continue
        const claimed = { ...commitment, length: bytes(other * KIB) }
        for (let index = 0; index < leaves; index++) refused(claimed, opening(index))
      }
    }
  })

  test('of the length, to fewer leaves of the same depth: the last true leaf is refused', () => {
    const { commitment, opening } = sample(7 * KIB)
    for (const leaves of [5, 6]) {
      const claimed = { ...commitment, length: bytes(leaves * KIB) }
      refused(claimed, opening(6))
      // Its neighbours show a subtree that should be missing.
      refused(claimed, opening(leaves - 1))
    }
  })

  test('of the length, to more leaves: nothing opens the leaf that is not there', () => {
    const { commitment, opening } = sample(5 * KIB)
    const claimed = { ...commitment, length: bytes(6 * KIB) }
    refused(claimed, { ...opening(4), index: leafIndex(5) })
    refused(claimed, { index: leafIndex(5), leaf: new Uint8Array(KIB), path: opening(4).path })
  })

  test('of the length, inside the last leaf: cut bytes show as padding that is not zero', () => {
    const { commitment, opening, payload } = sample(2 * KIB + 500)
    expect(payload[2 * KIB + 499]).not.toBe(0)
    refused({ ...commitment, length: bytes(2 * KIB + 499) }, opening(2))
  })

  test('of the scheme', () => {
    const { commitment, opening } = sample(KIB)
    refused({ ...commitment, scheme: 2 }, opening(0))
  })
})

describe('impossible lengths', () => {
  test('have codes of their own', () => {
    const { commitment, opening } = sample(KIB)
    const claim = (length: bigint) => () =>
      verifyLeaf({ ...commitment, length: bytes(length) }, opening(0))
    expectCode('PAYLOAD_EMPTY', claim(0n))
    expectCode('PAYLOAD_TOO_LARGE', claim((1n << 50n) + 1n))
  })
})

describe('errors', () => {
  test('name the leaf or the node', () => {
    const { commitment, opening } = sample(5 * KIB)
    const wrong = { ...opening(4), path: flipped(opening(4).path, 0) }
    expect(expectCode('PROOF_INVALID', () => verifyLeaf(commitment, wrong)).message).toContain(
      'node 0/5',
    )
    const other = { ...opening(3), leaf: new Uint8Array(KIB) }
    expect(expectCode('PROOF_INVALID', () => verifyLeaf(commitment, other)).message).toContain(
      'leaf 3',
    )
  })
})

describe('building a path', () => {
  test('asks the source only for nodes that have payload under them', () => {
    const shown = sample(5 * KIB)
    buildPath(5n, leafIndex(4), shown.source)
    expect(shown.asked).toEqual(['2/0'])
  })

  test('refuses a leaf outside, and a source that gives something else than a node', () => {
    const { source } = sample(5 * KIB)
    expectCode('INVARIANT', () => buildPath(5n, leafIndex(5), source))
    expectCode('INVARIANT', () => buildPath(5n, leafIndex(0), () => new Uint8Array(31)))
  })
})
