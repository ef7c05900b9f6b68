/**
 * Payloads read as CARs: what is found however the bytes are cut, what bombs come to, and that nothing
 * of them is ever gathered beyond the bounds.
 */
import { createHash } from 'node:crypto'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { CID } from 'multiformats/cid'
import { create as createDigest } from 'multiformats/hashes/digest'
import { cborLinks } from '../../src/car/cbor.ts'
import { writeVarint } from '../../src/car/header.ts'
import { linksOf } from '../../src/car/links.ts'
import { SectionWalker, type WalkReport } from '../../src/car/section-walker.ts'
import { blockOf, carOf, DAG_CBOR, DAG_PB, exampleDag, sectionOf } from '../support/cars.ts'

interface Walked extends WalkReport {
  readonly found: readonly string[]
  readonly offsets: readonly number[]
}

const walk = (bytes: Uint8Array, cut = 65_536): Walked => {
  const found: string[] = []
  const offsets: number[] = []
  const walker = new SectionWalker(({ cid, offset }) => {
    found.push(String(cid))
    offsets.push(offset)
    return true
  })
  for (let at = 0; at < bytes.length; at += cut) walker.feed(bytes.subarray(at, at + cut))
  return { ...walker.end(), found, offsets }
}

test('every block is found with its offset, however the bytes are cut', () => {
  const { car, root } = exampleDag()
  const whole = walk(car)
  expect(whole.blocks).toBe(8)
  expect(whole.roots.map(String)).toEqual([String(root.cid)])
  expect(whole.ended).toBeUndefined()
  for (const cut of [1, 7, 100, 4096]) expect(walk(car, cut)).toEqual(whole)
  for (const [i, offset] of whole.offsets.entries()) {
    const cid = CID.parse(whole.found[i] ?? '')
    expect(car.subarray(offset, offset + 200).includes(Buffer.from(cid.bytes))).toBe(true)
  }
})

describe('what is no CAR, or a hostile one', () => {
  const { root, leaves } = exampleDag()
  const good = carOf(root.cid, leaves)
  const [leaf = root] = leaves
  const withHash = (code: number, bytes: Uint8Array): ReturnType<typeof blockOf> => ({
    cid: CID.createV1(0x55, createDigest(code, bytes)),
    bytes: Buffer.from('whatever'),
  })

  test.each([
    ['random bytes', createHash('sha256').update('x').digest()],
    ['nothing', new Uint8Array(0)],
    ['zeros', new Uint8Array(100_000)],
    ['a header of 2^34 bytes', Buffer.from([0xff, 0xff, 0xff, 0xff, 0x3f, 1, 2, 3])],
    ['an endless varint', new Uint8Array(50).fill(0xff)],
    ['a header above 32 KiB', Buffer.concat([writeVarint(32_769), new Uint8Array(40_000)])],
    ['a CARv2', Buffer.from('0aa16776657273696f6e02', 'hex')],
  ])('%s has no blocks', (_what, bytes) => {
    const { blocks, roots } = walk(bytes)
    expect(blocks).toBe(0)
    expect(roots).toEqual([])
  })

  test.each([
    ['a section above 4 MiB', Buffer.concat([writeVarint(2 ** 22 + 1), new Uint8Array(100)])],
    ['an empty section', Uint8Array.of(0)],
    ['a section without a CID', Uint8Array.of(3, 9, 9, 9)],
    ['a section that never ends', writeVarint(1000)],
  ])('%s ends the walk; what came before stands', (_what, bytes) => {
    const { blocks, ended } = walk(Buffer.concat([good, bytes, sectionOf(leaf)]))
    expect(blocks).toBe(3)
    expect(ended).toMatch(/at byte \d+|middle of a section/)
  })

  test('blocks under identity, unknown or wrong hashes are passed over', () => {
    const odd = [
      withHash(0x00, Buffer.from('identity')),
      withHash(0xb240, new Uint8Array(64)),
      { cid: leaf.cid, bytes: Buffer.from('other bytes') },
    ]
    const { blocks, unknown, wrong, ended } = walk(
      Buffer.concat([good, ...odd.map(sectionOf), sectionOf(blockOf(Buffer.from('good')))]),
    )
    expect({ blocks, unknown, wrong, ended }).toEqual({
      blocks: 4,
      unknown: 2,
      wrong: 1,
      ended: undefined,
    })
  })

  test('any bytes at all end in a report, and never in an exception', () => {
    const mutated = fc
      .tuple(fc.nat(good.length - 1), fc.nat(255))
      .map(([at, value]) => Buffer.from(good).fill(value, at, at + 1))
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), mutated), (bytes) => {
        expect(walk(bytes).blocks).toBeLessThanOrEqual(3)
      }),
      { numRuns: 300 },
    )
  })
})

describe('links', () => {
  test('of any bytes end in a list or in nothing', () => {
    const { root, list } = exampleDag()
    for (const [codec, base] of [
      [DAG_PB, root.bytes],
      [DAG_CBOR, list.bytes],
    ] as const) {
      const { cid } = blockOf(base, codec)
      const mutated = fc
        .tuple(fc.nat(base.length - 1), fc.nat(255))
        .map(([at, value]) => Buffer.from(base).fill(value, at, at + 1))
      fc.assert(
        fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), mutated), (bytes) => {
          const links = linksOf(cid, bytes, 'all')
          expect(links === undefined || links.length <= bytes.length).toBe(true)
        }),
        { numRuns: 300 },
      )
    }
  })

  test('of CBOR that claims more than it has, or nests without end, are refused', () => {
    const refused = [
      Buffer.from('9affffffff', 'hex'),
      Buffer.from('bbffffffffffffffff', 'hex'),
      Buffer.alloc(100_000, 0x81),
      Buffer.from('9f01ff', 'hex'),
      Buffer.from('d82a4100ff', 'hex'),
    ]
    for (const bytes of refused) expect(cborLinks(bytes, () => undefined)).toBe(false)
  })

  test('of a block full of empty fields are few, and cost no memory', () => {
    const bomb = Buffer.alloc(4 * 2 ** 20)
    for (let i = 0; i < bomb.length; i += 2) bomb[i] = 0x1a
    const { cid } = blockOf(bomb, DAG_PB)
    expect(linksOf(cid, bomb, 'all')).toEqual([])
  })
})
