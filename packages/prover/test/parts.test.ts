/** The pure parts: layout of kept layers, cutting into tasks, joining in any order, coverage. */
import { openEngine } from '@holdfast/native'
import { bytes, type SchemeId } from '@holdfast/protocol'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { planCommit, plannedTask } from '../src/commit-plan.ts'
import { Coverage } from '../src/coverage.ts'
import { Forest } from '../src/forest.ts'
import { keptLayersLength, layerGroups, PAGE_NODES } from '../src/layers.ts'
import { piecesOf, proofPlaces } from '../src/range-check.ts'
import { bytesUnder, nodesOf, treeDepth, treeLeaves } from '../src/scheme.ts'
import { noise, plainRoot } from './fixture.ts'

const scheme = fc.constantFrom<SchemeId>(1, 2)
const length = fc.bigInt({ min: 1n, max: 1n << 50n }).map(bytes)

describe('kept layers', () => {
  test('take at most 0.4 % of large payloads for sha256-1k, 0.8 % for commp', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 1n << 20n, max: 1n << 50n }), (size) => {
        expect(Number(keptLayersLength(bytes(size), 1)) / Number(size)).toBeLessThan(0.004)
        expect(Number(keptLayersLength(bytes(size), 2)) / Number(size)).toBeLessThan(0.008)
      }),
    )
  })

  test('are groups that follow each other, each a page smaller, the last one page', () => {
    fc.assert(
      fc.property(scheme, length, (id, size) => {
        const groups = layerGroups(id, size)
        let offset = 0n
        for (const [i, group] of groups.entries()) {
          expect(group.offset).toBe(offset)
          expect(group.count).toBe(nodesOf(id, size, group.level))
          const above = groups[i + 1]
          if (above) expect(above.count).toBe((group.count + 127n) / 128n)
          else expect(group.count).toBeLessThanOrEqual(BigInt(PAGE_NODES))
          offset += group.count * 32n
        }
        expect(keptLayersLength(size, id)).toBe(offset)
      }),
    )
  })
})

test('tasks cover the payload once, in order', () => {
  fc.assert(
    fc.property(scheme, fc.bigInt({ min: 1n, max: 1n << 31n }), (id, size) => {
      const plan = planCommit(id, bytes(size))
      let end = 0
      for (let index = 0n; index < plan.count; index++) {
        const task = plannedTask(plan, index)
        expect(task.offset).toBe(end)
        expect(task.length).toBeGreaterThan(0)
        expect(BigInt(task.length)).toBeLessThanOrEqual(bytesUnder(id, plan.level))
        end += task.length
      }
      expect(BigInt(end)).toBe(size)
      expect(treeLeaves(id, bytes(size))).toBeLessThanOrEqual(
        1n << BigInt(treeDepth(id, bytes(size))),
      )
    }),
  )
})

describe('a forest', () => {
  const engine = openEngine('wasm')
  const data = noise(37 * 1024)
  const leaf = (i: number): Uint8Array => {
    const out = new Uint8Array(32)
    engine.messages(data.subarray(i * 1024, (i + 1) * 1024), 1024, out)
    return out
  }

  test('gives the root whatever the order, and holds little', () => {
    const order = fc.shuffledSubarray([...Array(37).keys()], { minLength: 37 })
    fc.assert(
      fc.property(order, (indices) => {
        const forest = new Forest(engine, 1)
        for (const i of indices) forest.add({ level: 0, index: BigInt(i), node: leaf(i) })
        expect(
          forest
            .entries()
            .map(({ level }) => level)
            .sort(),
        ).toEqual([0, 2, 5])
        expect(`0x${Buffer.from(forest.root(6, 0, 37n)).toString('hex')}`).toBe(plainRoot(data))
      }),
    )
  })

  test('refuses a place twice, also inside a larger one, and a root with gaps', () => {
    const forest = new Forest(engine, 1)
    for (const i of [0, 1]) forest.add({ level: 0, index: BigInt(i), node: leaf(i) })
    expect(() => forest.add({ level: 0, index: 1n, node: leaf(1) })).toThrow(/once/)
    expect(() => forest.root(2, 0, 3n)).toThrow(/missing/)
    forest.add({ level: 0, index: 2n, node: leaf(2) })
    expect(forest.root(2, 0, 3n).length).toBe(32)
  })
})

test('coverage joins what touches and counts each byte once', () => {
  const interval = fc.tuple(fc.nat(60), fc.integer({ min: 1, max: 20 }))
  fc.assert(
    fc.property(fc.array(interval, { maxLength: 30 }), (added) => {
      const coverage = new Coverage()
      const seen = new Set<number>()
      for (const [start, size] of added) {
        for (let i = 0; i < size; i++) seen.add(start + i)
        const joined = coverage.add({ start: BigInt(start), end: BigInt(start + size) })
        for (let i = Number(joined.start); i < joined.end; i++) expect(seen.has(i)).toBe(true)
        expect(seen.has(Number(joined.end))).toBe(false)
        expect(seen.has(Number(joined.start) - 1)).toBe(false)
      }
      expect(coverage.total).toBe(BigInt(seen.size))
    }),
  )
})

test('pieces of a run and places of its proof make up the whole tree', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 1n, max: 1n << 18n }), fc.nat(), fc.nat(), (count, a, b) => {
      const [x, y] = [BigInt(a) % count, BigInt(b) % count]
      const [first, last] = (x < y ? [x, y] : [y, x]) as [never, never]
      let at: bigint = first
      for (const { level, index } of piecesOf(first, last + 1n)) {
        expect(index << BigInt(level)).toBe(at)
        at += 1n << BigInt(level)
      }
      expect(at).toBe(last + 1n)
      const shown = proofPlaces({ first, last }, count)
      for (const { level, index } of shown) {
        const [from, to] = [index << BigInt(level), (index + 1n) << BigInt(level)]
        expect(to <= first || from > last).toBe(true)
      }
    }),
  )
})
