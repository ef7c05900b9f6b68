/**
 * How costs grow with the work: an answer from 1 MiB to 1 TiB of payload, committing from 1 MiB to
 * 1 GiB, memory while committing 16 GiB, the gas of a period and of a settlement up to 10,000 deals.
 * Large payloads are sparse files; their holes are read where reading is what is measured.
 */
import { fork } from 'node:child_process'
import { closeSync, ftruncateSync, openSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openEngine } from '@holdfast/native'
import { bytes, leafIndex, verifyLeaf } from '@holdfast/protocol'
import {
  type AnswerJob,
  type AnswerOutcome,
  answerHere,
  keptLayersLength,
  openProver,
  type Prover,
  treeDepth,
} from '@holdfast/prover'
import { mustEqual, writeNoise } from '../data.ts'
import { type BenchCase, type CaseResult, type Contestant, conclude, median } from '../harness.ts'
import type { Suite, SuiteContext } from '../suite.ts'
import { settlingCases } from './settling.ts'

const MIB = 2 ** 20
const GIB = 2 ** 30
const SIZES = [
  ['1 MiB', MIB],
  ['64 MiB', 64 * MIB],
  ['1 GiB', GIB],
  ['64 GiB', 64 * GIB],
  ['1 TiB', 1024 * GIB],
] as const

const sparse = (path: string, length: number): void => {
  const fd = openSync(path, 'w')
  ftruncateSync(fd, length)
  closeSync(fd)
}

interface Sized {
  readonly label: string
  readonly depth: number
  readonly contestant: Contestant
  readonly check: (outcomes: readonly AnswerOutcome[]) => void
}

/** Ten jobs of five answers each, at places that repeat, so that they are warm. */
const sized = async (
  { folder, say }: SuiteContext,
  prover: Prover,
  [label, length]: (typeof SIZES)[number],
): Promise<Sized> => {
  const path = join(folder, `payload-${length}`)
  sparse(path, length)
  if (length > GIB) say(`committing to ${label}, sparse`)
  const payload = { path, offset: bytes(0), length: bytes(length) }
  const place = { path: join(folder, `layers-${length}`), offset: bytes(0) }
  const commitment = await prover.commitFile(payload, { layers: place })
  const layers = { ...place, length: keptLayersLength(payload.length) }
  const count = length / 1024
  const jobs: readonly AnswerJob[] = Array.from({ length: 10 }, (_, j) => ({
    payload,
    layers,
    commitment,
    indices: Array.from({ length: 5 }, (_, i) =>
      leafIndex(Math.floor((count - 1) * (((j * 5 + i) * 0.6180339887) % 1))),
    ),
  }))
  const engine = openEngine()
  const contestant = { name: label, work: 50, run: () => answerHere(engine, jobs) }
  const check = (outcomes: readonly AnswerOutcome[]): void => {
    for (const outcome of outcomes) {
      if (!outcome.ok) throw new Error(outcome.what)
      for (const proof of outcome.proofs) verifyLeaf(commitment, proof)
    }
  }
  return { label, depth: treeDepth(1, payload.length), contestant, check }
}

/** Cost of an answer at the largest size over the smallest, beside the ratio of their depths. */
const growthCase = async (context: SuiteContext, prover: Prover): Promise<BenchCase> => {
  const all: Sized[] = []
  for (const size of SIZES) all.push(await sized(context, prover, size))
  const [first, ...others] = [...all].reverse()
  const last = others.at(-1)
  if (!first || !last) throw new Error('no sizes')
  const growth = last.depth / first.depth
  return {
    name: `an answer at ${first.label} (depth ${first.depth}) : at ${last.label} (depth ${last.depth}); grows at most with the depth`,
    unit: 'µs',
    better: 'less',
    clock: 'thread',
    scale: 1e6,
    ours: first.contestant,
    peers: others.map(({ contestant }) => contestant),
    check: (result, { name }) =>
      all.find(({ label }) => label === name)?.check(result as readonly AnswerOutcome[]),
    goal: { of: 'ratio', bound: growth },
    rounds: 11,
  }
}

const commitCase = async (context: SuiteContext, prover: Prover): Promise<BenchCase> => {
  const sizes = [
    ['1 GiB', GIB],
    ['64 MiB', 64 * MIB],
    ['1 MiB', MIB],
  ] as const
  const path = join(context.folder, 'noise')
  writeNoise(path, GIB)
  const roots = new Map<string, unknown>()
  const contestants = sizes.map(([label, length]): Contestant => {
    const payload = { path, offset: bytes(0), length: bytes(length) }
    return { name: label, work: length, run: async () => (await prover.commitFile(payload)).root }
  })
  const [ours, ...peers] = contestants
  if (!ours) throw new Error('no sizes')
  return {
    name: 'committing a warm file of 1 GiB : smaller ones, one worker',
    unit: 'MB/s',
    better: 'more',
    clock: 'wall',
    scale: 1e-6,
    ours,
    peers,
    check: (result, { name }) => {
      if (!roots.has(name)) roots.set(name, result)
      mustEqual(result, roots.get(name), name)
    },
    rounds: 5,
  }
}

const WORKERS = 2
const MEMORY_RUNS = 5

/** Peak memory of a process that commits, beyond what it took when it was ready. In MiB. */
const extraMemory = (path: string, length: number): Promise<number> =>
  new Promise((resolve, reject) => {
    const entry = fileURLToPath(new URL('../memory-run.js', import.meta.url))
    const child = fork(entry, [path, String(length), String(WORKERS)])
    child.once('message', (message) => resolve(Number(message)))
    child.once('error', reject)
    child.once('exit', (code) => {
      if (code !== 0) reject(new Error(`the memory run ended with ${code}`))
    })
  })

const memoryCase = async ({ folder, say }: SuiteContext): Promise<CaseResult> => {
  const path = join(folder, 'sixteen')
  sparse(path, 16 * GIB)
  say(`committing to 16 GiB ${MEMORY_RUNS} times, every byte read`)
  const runs: number[] = []
  for (let i = 0; i < MEMORY_RUNS; i++) runs.push((await extraMemory(path, 16 * GIB)) / WORKERS)
  const ours: Contestant = { name: 'holdfast', work: 1, run: () => undefined }
  const bench: BenchCase = {
    name: 'peak extra memory committing 16 GiB, per worker',
    unit: 'MiB',
    better: 'less',
    clock: 'wall',
    scale: 1,
    ours,
    peers: [],
    check: () => undefined,
    goal: { of: 'figure', bound: 64 },
  }
  rmSync(path)
  return conclude(bench, median(runs), {}, MEMORY_RUNS)
}

export const scaleSuite: Suite = {
  name: 'scale',
  about: 'cost as the work grows: answers, commits, memory, settlement of 10,000 deals',
  async *cases(context) {
    const prover = await openProver({ threads: 1 })
    try {
      yield commitCase(context, prover)
      yield growthCase(context, prover)
    } finally {
      await prover.close()
    }
    yield memoryCase(context)
    yield* await settlingCases(context)
  },
}
