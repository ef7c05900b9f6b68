/**
 * Answering challenges: five openings of a 1 GiB payload beside the present way, warm and from a cold
 * cache, and a whole period of a provider with a thousand deals.
 */
import { createHash } from 'node:crypto'
import { closeSync, fsyncSync, openSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { loadAddon, openEngine, zeroNodes } from '@holdfast/native'
import { bytes, leafIndex } from '@holdfast/protocol'
import {
  type AnswerJob,
  type AnswerOutcome,
  answerHere,
  openProver,
  type Prover,
} from '@holdfast/prover'
import { hex, mustEqual, writeNoise } from '../data.ts'
import type { BenchCase, CaseResult, Contestant } from '../harness.ts'
import { conclude } from '../harness.ts'
import { PeerList } from '../peers.ts'
import { periodCase } from '../period.ts'
import { CACHED_BYTES, CACHED_LEVEL, type PresentProof, PresentWay } from '../present-way.ts'
import { checkOutcomes, positions, type Stored, store } from '../stored.ts'
import type { Suite, SuiteContext } from '../suite.ts'

const GIB = 2 ** 30
/** Challenges of one proof, in both ways of proving. */
const CHALLENGES = 5

const trunc = (left: Uint8Array, right: Uint8Array): Uint8Array => {
  const node = createHash('sha256').update(left).update(right).digest()
  node[31] = (node[31] ?? 0) & 0x3f
  return node
}

const checkPresent = (
  proofs: readonly PresentProof[],
  leaves: readonly number[],
  root: string,
): void => {
  proofs.forEach(({ leaf, path }, i) => {
    let [node, index] = [leaf, leaves[i] ?? 0]
    for (const sibling of path) {
      node = index % 2 === 0 ? trunc(node, sibling) : trunc(sibling, node)
      index = Math.floor(index / 2)
    }
    mustEqual(hex(node), root, 'the present way')
  })
}

/** The cached layer of the present way over a file: made by our engine, not timed. */
const cachedLayer = (
  fd: number,
  length: number,
): { readonly layer: Uint8Array; readonly root: string } => {
  const engine = openEngine()
  const nodes = Math.ceil(length / CACHED_BYTES)
  const width = 2 ** Math.ceil(Math.log2(nodes))
  const missing = zeroNodes(engine, 2)[CACHED_LEVEL] ?? new Uint8Array(32)
  const layer = new Uint8Array(width * 32)
  for (let i = nodes; i < width; i++) layer.set(missing, i * 32)
  const top = new Uint8Array(32)
  const output = { kept: new Uint8Array(0), root: top }
  for (let i = 0; i < nodes; i++) {
    const offset = i * CACHED_BYTES
    const range = { fd, offset, length: Math.min(CACHED_BYTES, length - offset) }
    engine.fileSubtree(range, { scheme: 2, level: CACHED_LEVEL, keptLevel: 7 }, output)
    layer.set(top, i * 32)
  }
  const whole = CACHED_LEVEL + Math.log2(width)
  engine.fileSubtree({ fd, offset: 0, length }, { scheme: 2, level: whole, keptLevel: 7 }, output)
  return { layer, root: hex(top) }
}

interface Ways {
  readonly ours: Contestant
  readonly present: Contestant
  readonly check: BenchCase['check']
}

const ways = (
  stored: Stored,
  present: PresentWay,
  fd: number,
  root: string,
  name: string,
): Ways => {
  const engine = openEngine()
  const length = Number(stored.commitment.length)
  const ourPosition = positions(Math.ceil(length / 1024))
  const theirPosition = positions(Math.floor(length / 127) * 4)
  let jobs: readonly AnswerJob[] = []
  let leaves: readonly number[] = []
  const five = (next: () => number): readonly number[] => Array.from({ length: CHALLENGES }, next)
  const ours: Contestant = {
    name: engine.name,
    work: 1,
    run: () => {
      jobs = [{ ...stored, indices: five(ourPosition).map((index) => leafIndex(index)) }]
      return answerHere(engine, jobs)
    },
  }
  const peer: Contestant = {
    name,
    work: 1,
    run: () => {
      leaves = five(theirPosition)
      return leaves.map((leaf) => present.prove(fd, leaf))
    },
  }
  return {
    ours,
    present: peer,
    check: (result, contestant) =>
      contestant.name === peer.name
        ? checkPresent(result as readonly PresentProof[], leaves, root)
        : checkOutcomes(result as readonly AnswerOutcome[], jobs),
  }
}

/** Drops a file's clean pages from the system's cache. */
const forget = (...paths: readonly string[]): void => {
  const load = loadAddon()
  if (!load.ok) return
  for (const path of paths) {
    const fd = openSync(path, 'r')
    load.addon.forget(fd)
    closeSync(fd)
  }
}

const syncFile = (path: string): void => {
  const fd = openSync(path, 'r')
  fsyncSync(fd)
  closeSync(fd)
}

async function* oneGiB(
  context: SuiteContext,
  prover: Prover,
): AsyncIterable<BenchCase | CaseResult> {
  const list = new PeerList()
  const hashtree = await list.load('@chainsafe/hashtree')
  const path = join(context.folder, 'payload')
  context.say('writing and committing a payload of 1 GiB')
  writeNoise(path, GIB)
  const payload = { path, offset: bytes(0), length: bytes(GIB) }
  const stored = await store(prover, payload, join(context.folder, 'layers'))
  syncFile(stored.layers.path)
  yield layersCase('sha256-1k', stored, 0.4)
  const commp = { path: join(context.folder, 'layers-commp'), offset: bytes(0) }
  await prover.commitFile(payload, { scheme: 2, layers: commp })
  yield layersCase('commp', { ...stored, layers: { ...commp, length: bytes(0) } }, 0.8)
  if (!hashtree) throw new Error(list.absent.join('; '))
  const fd = openSync(path, 'r')
  try {
    const { layer, root } = cachedLayer(fd, GIB)
    const present = new PresentWay(hashtree, layer)
    const name = `the present way on ${hashtree.name}`
    const { ours, present: peer, check } = ways(stored, present, fd, root, name)
    const common = { unit: 'ms', better: 'less', scale: 1e3, check } as const
    yield {
      ...common,
      name: 'five answers over 1 GiB, warm',
      clock: 'thread',
      ours,
      peers: [peer],
      goal: { of: 'ratio', bound: 300, stretch: 450 },
      rounds: 11,
    }
    const before = (): void => forget(path, stored.layers.path)
    yield {
      ...common,
      name: 'five answers over 1 GiB, cold cache',
      clock: 'wall',
      ours: { ...ours, before },
      peers: [{ ...peer, before }],
      goal: { of: 'ratio', bound: 80, stretch: 150 },
      rounds: 15,
    }
  } finally {
    closeSync(fd)
  }
}

const layersCase = (scheme: string, { payload, layers }: Stored, bound: number): CaseResult => {
  const percent = (100 * statSync(layers.path).size) / Number(payload.length)
  const nothing: Contestant = { name: 'holdfast', work: 1, run: () => percent }
  const bench: BenchCase = {
    name: `kept layers of ${scheme} on disk, of the payload`,
    unit: '%',
    better: 'less',
    clock: 'wall',
    scale: 1,
    ours: nothing,
    peers: [],
    check: () => undefined,
    goal: { of: 'figure', bound },
  }
  return conclude(bench, percent, {}, 1)
}

export const proveSuite: Suite = {
  name: 'prove',
  about: 'answers beside the present way of proving, warm and cold, and a whole period',
  async *cases(context) {
    const prover = await openProver({ threads: 1 })
    try {
      yield* oneGiB(context, prover)
      yield await periodCase(context, prover)
    } finally {
      await prover.close()
    }
  },
}
