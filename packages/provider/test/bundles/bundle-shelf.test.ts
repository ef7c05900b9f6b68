/** Bundles in a home: made once, found again after a restart, made anew when they were lost or spoilt. */
import { mkdtemp, readdir, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  address,
  bytes,
  type ChallengeContext,
  dealId,
  hash32,
  leavesFor,
  ProviderTree,
  period,
  type Root,
  verifyBundleEntry,
} from '@holdfast/protocol'
import { type KeptPayload, openProver, type Prover } from '@holdfast/prover'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { BundleShelf, type BundleWanted } from '../../src/bundles/bundle-shelf.ts'
import { type LogLine, recordingLogger } from '../support/network.ts'
import { payloadOf as noise } from '../support/payloads.ts'

const LENGTH = 40_000
const contextOf = (of: number): ChallengeContext => ({
  chainId: 31_337n,
  proofs: address(`0x${'11'.repeat(20)}`),
  provider: address(`0x${'22'.repeat(20)}`),
  period: period(of),
  seed: hash32(`0x${of.toString(16).padStart(64, '3')}`),
})

let prover: Prover
let folder: string
let kept: KeptPayload
let tree: ProviderTree
const log: LogLine[] = []

const payloadOf = (root: Root): KeptPayload | undefined =>
  root === kept.commitment.root ? kept : undefined
const openShelf = (): Promise<BundleShelf> =>
  BundleShelf.open({ prover, payloadOf, logger: recordingLogger(log) }, join(folder, 'bundles'))
const wanted = (of: number): BundleWanted => ({ context: contextOf(of), tree })

beforeAll(async () => {
  prover = await openProver({ threads: 1 })
  folder = await mkdtemp(join(tmpdir(), 'holdfast-shelf-'))
  const path = join(folder, 'payload')
  await writeFile(path, noise(LENGTH))
  const payload = { path, offset: bytes(0), length: bytes(LENGTH) }
  const layers = { path: join(folder, 'layers'), offset: bytes(0) }
  await writeFile(layers.path, '')
  const commitment = await prover.commitFile(payload, { layers })
  kept = { payload, layers: { ...layers, length: bytes(1_000_000) }, commitment }
  const { root, scheme, length } = commitment
  const deal = dealId(`0x${'44'.repeat(32)}`)
  tree = ProviderTree.of([{ deal, root, scheme, leaves: leavesFor(length) }])
})

afterAll(async () => {
  await prover?.close()
  await rm(folder, { recursive: true, force: true })
})

test('a bundle is made once, survives a restart, and its entries lead to its root', async () => {
  const shelf = await openShelf()
  expect(await shelf.find(wanted(1))).toBeUndefined()
  const [one, other] = await Promise.all([shelf.make(wanted(1)), shelf.make(wanted(1))])
  expect(one.damaged).toEqual([])
  expect(other.bundle.root).toBe(one.bundle.root)
  const again = await openShelf()
  expect(again.usage).toEqual(shelf.usage)
  expect(again.usage.bytes).toBeGreaterThan(460n * 1024n)
  const bundle = await again.find(wanted(1))
  const question = { class: 'global', i: 9 } as const
  const opening = await bundle?.open(question)
  if (bundle === undefined || opening === undefined) throw new Error('the bundle is gone')
  const committed = { root: one.bundle.root, context: contextOf(1), tree }
  expect(verifyBundleEntry(committed, question, opening).leaf.root).toBe(kept.commitment.root)
})

test('a file that was cut is removed and made again, with the same root', async () => {
  const shelf = await openShelf()
  const { bundle } = await shelf.make(wanted(2))
  await truncate(bundle.path, 100_000)
  expect(await shelf.find(wanted(2))).toBeUndefined()
  expect(log.some(({ event }) => event.startsWith('bundle damaged'))).toBe(true)
  expect((await shelf.make(wanted(2))).bundle.root).toBe(bundle.root)
})

test('another seed or another tree is another bundle; old ones and foreign files go', async () => {
  const shelf = await openShelf()
  const { bundle } = await shelf.make(wanted(3))
  const reseeded = { ...wanted(3), context: { ...contextOf(3), seed: contextOf(4).seed } }
  expect(await shelf.find(reseeded)).toBeUndefined()
  const grown = tree.clone()
  grown.set(1n as never, tree.get(0n as never))
  expect((await shelf.make({ context: contextOf(3), tree: grown })).bundle.root).not.toBe(
    bundle.root,
  )
  await writeFile(join(folder, 'bundles', '9-0011.bundle.part'), 'half')
  const opened = await openShelf()
  await opened.keepFrom(period(4))
  expect(opened.usage).toEqual({ bundles: 0, bytes: 0n })
  expect(await readdir(join(folder, 'bundles'))).toEqual([])
})

test('bytes that are not there are named, and their entries are absent', async () => {
  const shelf = await BundleShelf.open(
    { prover, payloadOf: () => undefined, logger: recordingLogger(log) },
    join(folder, 'bundles'),
  )
  const { bundle, damaged } = await shelf.make(wanted(5))
  expect(bundle.absent).toBe(465n)
  expect(damaged).toMatchObject([{ root: kept.commitment.root, absent: 465 }])
})
