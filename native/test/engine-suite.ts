/**
 * What every engine must do, as tests that take an engine: agreement with the reference on sizes
 * around every border, unaligned and shared views, and refusal of every wrong length.
 */
import {
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statfsSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import {
  capacityAt,
  type Engine,
  nodesUnder,
  type SubtreeShape,
  type TreeScheme,
  towerBytes,
} from '../src/engine.ts'
import { foldNodes, holeNodes } from '../src/nodes.ts'
import { crc32cOf, fr32Of, keccaksOf, messagesOf, nodeOf } from './reference/tree.ts'
import { refusalOf, refusals } from './refusals.ts'

/** Bytes that repeat for nobody: a 32-bit generator, seeded. */
export const noise = (length: number, seed = 1): Uint8Array => {
  const out = new Uint8Array(length)
  let state = (seed * 2654435761 + 12345) | 0
  for (let i = 0; i < length; i++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    out[i] = state >>> 16
  }
  return out
}

const references = new Map<string, ReturnType<typeof nodeOf>>()

/** The reference tree over `noise(length, length)`: slow, so made once for all engines. */
const reference = (scheme: TreeScheme, input: Uint8Array): ReturnType<typeof nodeOf> => {
  const key = `${scheme}:${input.length}`
  const found = references.get(key) ?? nodeOf(scheme, input)
  references.set(key, found)
  return found
}

const levelFor = (scheme: TreeScheme, length: number): number => {
  let level = scheme === 1 ? 0 : 2
  while (capacityAt(scheme, level) < length) level++
  return level
}

const subtree = (engine: Engine, input: Uint8Array, shape: SubtreeShape) => {
  const count =
    shape.keptLevel <= shape.level ? nodesUnder(shape.scheme, input.length, shape.keptLevel) : 0
  const kept = new Uint8Array(count * 32)
  const root = new Uint8Array(32)
  engine.subtree(input, shape, { kept, root })
  return { kept, root }
}

const KEPT = { 1: 4, 2: 7 } as const
const UNIT = { 1: 1024, 2: 127 } as const
/** Around one leaf, one block, one tile (64 leaves; 512 quads), one batch of tiles. */
const UNITS = [1, 2, 3, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 129]
const MORE_QUADS = [511, 512, 513, 1025]

export const engineSuite = (engine: Engine): void => {
  describe(`engine ${engine.name}`, () => {
    let folder: string
    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), 'holdfast-native-'))
    })
    afterAll(() => rmSync(folder, { recursive: true }))

    test.each([
      1, 3, 55, 56, 57, 63, 64, 65, 119, 120, 128, 1000, 1024, 4096, 16_384, 16_385, 40_000,
    ])('hashes messages of %i bytes, any number of them, from any address', (size) => {
      for (const count of [1, 2, 3, 4, 5, 7, 8, 9, 17]) {
        const bytes = noise(size * count + 1, size + count)
        for (const start of [0, 1]) {
          const input = bytes.subarray(start, start + size * count)
          const out = new Uint8Array(count * 32 + 3).subarray(3)
          engine.messages(input, size, out)
          expect(out).toEqual(messagesOf(input, size))
        }
      }
    })

    test('keccak-256 of messages around its block, its tile and beyond', () => {
      for (const size of [
        1, 31, 64, 109, 134, 135, 136, 137, 271, 272, 273, 2048, 65_416, 140_001,
      ]) {
        for (const count of size > 3000 ? [1, 2] : [1, 2, 5, 70]) {
          const input = noise(size * count + 1, size + count).subarray(1)
          const out = new Uint8Array(count * 32 + 3).subarray(3)
          engine.keccak(input, size, out)
          expect(Buffer.compare(out, keccaksOf(input, size))).toBe(0)
        }
      }
    })

    test('hashes pairs apart and in place, whole and truncated', () => {
      for (const count of [1, 2, 3, 4, 5, 6, 7, 8, 9, 31, 33, 1023, 1025, 2050]) {
        const input = noise(count * 64, count)
        const wanted = messagesOf(input, 64)
        const out = new Uint8Array(count * 32)
        engine.pairs(input, out)
        expect(Buffer.compare(out, wanted)).toBe(0)
        for (let i = 31; i < wanted.length; i += 32) wanted[i] = (wanted[i] ?? 0) & 0x3f
        engine.pairs254(input, input.subarray(0, count * 32))
        expect(Buffer.compare(input.subarray(0, count * 32), wanted)).toBe(0)
      }
    })

    test('expands Fr32 and sums CRC32C as their definitions say', () => {
      for (const quads of [1, 2, 5, 511, 512, 513]) {
        const input = noise(quads * 127 + 1, quads).subarray(1)
        const out = new Uint8Array(quads * 128)
        engine.fr32(input, out)
        expect(Buffer.compare(out, fr32Of(input))).toBe(0)
      }
      expect(engine.crc32c(0, Buffer.from('123456789'))).toBe(0xe3069283)
      for (const length of [0, 1, 7, 8, 9, 100, 65_536, 70_001]) {
        const input = noise(length + 1, length).subarray(1)
        expect(engine.crc32c(0x12345678, input)).toBe(crc32cOf(0x12345678, input))
      }
      const [all, rest] = [noise(1000), noise(1000).subarray(333)]
      expect(engine.crc32c(engine.crc32c(0, all.subarray(0, 333)), rest)).toBe(
        engine.crc32c(0, all),
      )
    })

    test.each([1, 2] as const)('scheme %i: roots and kept nodes around every border', (scheme) => {
      const units = scheme === 1 ? UNITS : [...UNITS, ...MORE_QUADS]
      for (const count of units) {
        for (const extra of [-1, 0, 1]) {
          const length = count * UNIT[scheme] + extra
          const input = noise(length, length)
          const node = reference(scheme, input)
          const level = levelFor(scheme, length)
          const shape = { scheme, level, keptLevel: KEPT[scheme] }
          const { kept, root } = subtree(engine, input, shape)
          expect(Buffer.compare(root, node(level, 0))).toBe(0)
          for (let i = 0; i < kept.length / 32; i++) {
            expect(Buffer.compare(kept.subarray(i * 32, i * 32 + 32), node(KEPT[scheme], i))).toBe(
              0,
            )
          }
        }
      }
    })

    test.each([1, 2] as const)(
      'scheme %i: a subtree above the payload, and kept leaves',
      (scheme) => {
        const input = noise(3 * UNIT[scheme] + 5, 9)
        const node = nodeOf(scheme, input)
        const { kept, root } = subtree(engine, input, { scheme, level: 9, keptLevel: 0 })
        expect(Buffer.compare(root, node(9, 0))).toBe(0)
        expect(Buffer.compare(kept.subarray(32, 64), node(0, 1))).toBe(0)
      },
    )

    test.each([1, 2] as const)(
      'scheme %i: a file, shared memory and plain memory agree',
      (scheme) => {
        const input = noise(700_001, 5)
        const path = join(folder, `file-${scheme}`)
        writeFileSync(path, Buffer.concat([new Uint8Array(77), input]))
        const shape = { scheme, level: levelFor(scheme, input.length), keptLevel: KEPT[scheme] }
        const plain = subtree(engine, input, shape)
        const shared = new Uint8Array(new SharedArrayBuffer(input.length + 1)).subarray(1)
        shared.set(input)
        expect(subtree(engine, shared, shape)).toEqual(plain)
        const fd = openSync(path, 'r')
        const output = { kept: new Uint8Array(plain.kept.length), root: new Uint8Array(32) }
        const range = { fd, offset: 77, length: input.length }
        const flag = new Int32Array(new SharedArrayBuffer(4))
        expect(engine.fileSubtree(range, shape, output, flag)).toBe(true)
        expect(output).toEqual(plain)
        flag[0] = 1
        expect(engine.fileSubtree(range, shape, output, flag)).toBe(false)
        const longer = { ...range, offset: 78 }
        expect(() => engine.fileSubtree(longer, shape, output)).toThrow(/ENODATA/)
        closeSync(fd)
        expect(() => engine.fileSubtree(range, shape, output)).toThrow(/EBADF/)
      },
    )

    test('reads many runs at once, and says for each what it got', () => {
      const path = join(folder, 'runs')
      const data = noise(100_000, 3)
      writeFileSync(path, data)
      const fd = openSync(path, 'r')
      const wanted = Float64Array.of(fd, 0, 10, fd, 99_995, 10, 99_999_999, 0, 5, fd, 4096, 8192)
      const out = new Uint8Array(10 + 10 + 5 + 8192)
      const got = new Int32Array(4)
      engine.readMany(wanted, out, got)
      closeSync(fd)
      expect([got[0], got[1], got[3]]).toEqual([10, 5, 8192])
      expect(got[2]).toBeLessThan(0)
      expect(out.subarray(0, 10)).toEqual(data.subarray(0, 10))
      expect(Buffer.compare(out.subarray(25), data.subarray(4096, 4096 + 8192))).toBe(0)
      expect(refusalOf(() => engine.readMany(wanted, out.subarray(1), got))).toBe('RangeError')
      expect(refusalOf(() => engine.readMany(wanted.subarray(1), out, got))).toBe('RangeError')
    })

    test('a file is locked by one descriptor, until that is closed', () => {
      const path = join(folder, 'locked')
      writeFileSync(path, '')
      const first = openSync(path, 'r+')
      const second = openSync(path, 'r+')
      const can = engine.name !== 'wasm'
      expect(engine.lockFile(first)).toBe(can ? true : undefined)
      expect(engine.lockFile(second)).toBe(can ? false : undefined)
      closeSync(first)
      expect(engine.lockFile(second)).toBe(can ? true : undefined)
      closeSync(second)
      if (can) expect(() => engine.lockFile(second)).toThrow(/EBADF/)
    })

    test('asks for overwriting in place where that must be asked for, and nowhere else', () => {
      const fd = openSync(join(folder, 'in-place'), 'w+')
      const isBtrfs = statfsSync(folder).type === 0x9123683e
      expect(engine.overwriteInPlace(fd)).toBe(isBtrfs && engine.name !== 'wasm')
      for (const seed of [1, 2]) {
        const data = noise(10_000, seed)
        expect(writeSync(fd, data, 0, data.length, 0)).toBe(data.length)
        expect(new Uint8Array(readFileSync(join(folder, 'in-place')))).toEqual(data)
      }
      closeSync(fd)
      expect(engine.overwriteInPlace(fd)).toBe(false)
    })

    test.each([1, 2] as const)(
      'scheme %i: folds, towers and holes agree with the tree',
      (scheme) => {
        const input = noise(37 * UNIT[scheme], 4)
        const node = nodeOf(scheme, input)
        const level = levelFor(scheme, input.length)
        const leaves = subtree(engine, input, { scheme, level, keptLevel: 0 }).kept
        const count = leaves.length / 32
        const buffer = new Uint8Array(leaves.length + 32)
        buffer.set(leaves)
        expect(foldNodes(engine, buffer, count, { scheme, from: 0, to: level })).toBe(1)
        expect(Buffer.compare(buffer.subarray(0, 32), node(level, 0))).toBe(0)
        const tower = new Uint8Array(towerBytes(count, level))
        engine.tower(leaves, { scheme, from: 0, to: level }, tower)
        expect(Buffer.compare(tower.subarray(-32), node(level, 0))).toBe(0)
        const even = count + (count % 2)
        expect(Buffer.compare(tower.subarray(even * 32, even * 32 + 32), node(1, 0))).toBe(0)
        const hole = subtree(engine, new Uint8Array(capacityAt(scheme, 8)), {
          scheme,
          level: 8,
          keptLevel: 7 > 4 && scheme === 1 ? 4 : 7,
        })
        expect(Buffer.compare(hole.root, holeNodes(engine, scheme)[8] ?? hole.kept)).toBe(0)
      },
    )

    refusals(engine)
  })
}
