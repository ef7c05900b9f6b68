/** Replicas that lie, rot or vanish: noticed, named, left, and the other one used. */
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { systemClock } from '@holdfast/chain'
import { HoldfastError } from '@holdfast/protocol'
import { beforeAll, expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { CID } from 'multiformats/cid'
import { packTo } from '../../src/pack.ts'
import type { RangeSource } from '../../src/retrieve/range-source.ts'
import { ReplicaReader } from '../../src/retrieve/replica-reader.ts'
import { type LeftReplica, ReplicaSet } from '../../src/retrieve/replica-set.ts'
import { openNode, readFile as readContent } from '../../src/retrieve/unixfs-reader.ts'
import { writeTree } from '../../src/retrieve/write-tree.ts'
import { seeded, temporary } from '../support.ts'
import { BytesSource, spoiled, unreachable } from './sources.ts'

const SIZE = 3_300_000
let root: CID
let data: Uint8Array
let truth: Buffer

beforeAll(async () => {
  const folder = await temporary()
  truth = seeded('wrong bytes', SIZE)
  await writeFile(join(folder, 'input'), truth)
  ;({ root } = await packTo(join(folder, 'input'), join(folder, 'car')))
  data = await readFile(join(folder, 'car'))
})

const setOf = (sources: readonly RangeSource[], left: LeftReplica[] = []): ReplicaSet =>
  new ReplicaSet(
    sources.map((source, i) => ({
      name: `provider ${i}`,
      deal: `deal ${i}`,
      open: () => ReplicaReader.open(source),
    })),
    { dataset: root.toString(), clock: systemClock, onLeft: (one) => left.push(one) },
  )

const readAll = async (set: ReplicaSet): Promise<Buffer> => {
  const node = await openNode(set, root)
  if (node.kind !== 'file') throw new Error(node.kind)
  const pieces: Uint8Array[] = []
  for await (const piece of readContent(set, node, { start: 0n, end: node.size })) {
    pieces.push(Uint8Array.from(piece))
  }
  return Buffer.concat(pieces)
}

test('wherever one byte is wrong, what is read is right, from the other replica if need be', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(data.length - 1),
      fc.integer({ min: 1, max: 255 }),
      async (position, mask) => {
        const bad = spoiled(new BytesSource(data), (at) => (at === position ? mask : 0))
        const left: LeftReplica[] = []
        const found = await readAll(setOf([bad, new BytesSource(data)], left))
        expect(found.equals(truth)).toBe(true)
        for (const { provider, error } of left) {
          expect(provider).toBe('provider 0')
          expect(['CID_MISMATCH', 'CAR_INVALID']).toContain(error.code)
        }
      },
    ),
    { numRuns: 40 },
  )
})

test('a replica that turns bad in the middle is left at that very block', async () => {
  const from = Math.floor(data.length / 2)
  const bad = spoiled(new BytesSource(data), (at) => (at >= from && at < from + 4 ? 0xff : 0))
  const left: LeftReplica[] = []
  const good = new BytesSource(data)
  expect((await readAll(setOf([bad, good], left))).equals(truth)).toBe(true)
  expect(left.map(({ provider, error }) => [provider, error.code])).toEqual([
    ['provider 0', 'CID_MISMATCH'],
  ])
  expect(good.bytes).toBeLessThan(data.length)
})

test('a replica that is down is left, a third one serves', async () => {
  const left: LeftReplica[] = []
  const bad = spoiled(new BytesSource(data), () => 1)
  const set = setOf([unreachable(data.length), bad, new BytesSource(data)], left)
  expect((await readAll(set)).equals(truth)).toBe(true)
  expect(left.map(({ provider }) => provider)).toEqual(['provider 0', 'provider 1'])
  expect(set.serving).toBe('provider 2')
})

test('without any true replica it fails as a verification, naming who lied', async () => {
  const bad = spoiled(new BytesSource(data), (at) => (at < SIZE ? 1 : 0))
  const failure = await readAll(setOf([bad, unreachable(data.length)])).catch((e: unknown) => e)
  if (!HoldfastError.is(failure, 'PEER_MISBEHAVED')) throw failure
  expect(failure.message).toContain('provider 0')
  expect(failure.row.exit).toBe('verification')
})

test('when all are down it is worth another try', async () => {
  const failure = await readAll(setOf([unreachable(10), unreachable(10)])).catch((e: unknown) => e)
  if (!HoldfastError.is(failure, 'REPLICAS_EXHAUSTED')) throw failure
  expect(failure.row.exit).toBe('tryAgain')
})

test('nothing is left on disk when reading fails half way', async () => {
  const from = Math.floor(data.length / 2)
  const bad = spoiled(new BytesSource(data), (at) => (at >= from && at < SIZE ? 1 : 0))
  const set = setOf([bad])
  const folder = await temporary()
  const out = join(folder, 'copy')
  await expect(writeTree(set, await openNode(set, root), out)).rejects.toThrow()
  await expect(stat(out)).rejects.toThrow(/ENOENT/)
  expect(await (await import('node:fs/promises')).readdir(folder)).toEqual([])
})
