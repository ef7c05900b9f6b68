/**
 * Main-thread side of building a bundle: plans the period, hands portions of deals to the threads, a
 * bounded number at a time and in payload order, and gathers what could not be answered. Answers
 * never come here: workers write them to the bundle's file.
 *
 * Invariant: what was begun under another name is removed when the bundle is not finished.
 */
import { rm } from 'node:fs/promises'
import { bytes, invariant, leafIndex, type Root, toNumber } from '@holdfast/protocol'
import { runBounded } from '../run-bounded.ts'
import type { Operation } from '../worker-pool.ts'
import type { BundleInput, BundleOptions, DamagedPayload, PeriodBundle } from './bundler.ts'
import { PER_DEAL } from './layout.ts'
import { type BundlePlan, bundleBatches, dealsOf, planBundle } from './plan.ts'
import type { BundleFillJob, BundleFillRow } from './tasks.ts'

const MEMORY_DEFAULT = bytes(16 << 20)
/** What one batch holds at most: its answers twice, and payload blocks on the way. */
const BATCH_BYTES = 1 << 20

interface Building {
  readonly operation: Operation
  readonly threads: number
  readonly input: BundleInput
  readonly options: BundleOptions
  readonly part: string
}

interface Batch {
  readonly number: number
  readonly jobs: readonly BundleFillJob[]
}

function* numbered(batches: Iterable<readonly BundleFillJob[]>): Iterable<Batch> {
  let number = 0
  for (const jobs of batches) yield { number: number++, jobs }
}

const answersOf = (jobs: readonly BundleFillJob[]): number =>
  jobs.reduce((sum, { own, globals }) => sum + globals.length + (own ? PER_DEAL : 0), 0)

/** What is wrong, a row per job that is not whole. */
type Damage = BundleFillRow & { readonly root: Root }

const damageIn = (jobs: readonly BundleFillJob[], rows: readonly BundleFillRow[]): Damage[] =>
  rows.flatMap((row, i) => {
    const root = jobs[i]?.root
    return root === undefined || row.absent === 0 ? [] : [{ ...row, root }]
  })

/** A row per payload, with what was found first. */
const perPayload = (damage: readonly Damage[]): readonly DamagedPayload[] => {
  const rows = new Map<Root, DamagedPayload>()
  for (const { root, leaf, what, absent } of damage) {
    const first = rows.get(root) ?? { root, leaf: leafIndex(leaf), what, absent: 0 }
    rows.set(root, { ...first, absent: first.absent + absent })
  }
  return [...rows.values()]
}

/** Fills the file with answers; what could not be made, in payload order. */
const fill = async (building: Building, plan: BundlePlan): Promise<readonly Damage[]> => {
  const { operation, input, options, part, threads } = building
  const { deals, count } = plan.layout
  const room = Math.floor(toNumber(options.memoryBytes ?? MEMORY_DEFAULT) / BATCH_BYTES)
  const limit = Math.max(1, Math.min(2 * threads, room))
  const found: Damage[][] = []
  const task = { kind: 'bundle-fill', cancel: operation.cancel, path: part, deals } as const
  let done = 0
  await runBounded(limit, numbered(bundleBatches(input.tree, plan)), async ({ number, jobs }) => {
    operation.check()
    const value = await operation.run({ ...task, context: input.context, jobs })
    invariant(value.kind === 'bundle-rows', 'filling a bundle gives rows')
    found[number] = damageIn(jobs, value.rows)
    done += answersOf(jobs)
    options.onProgress?.({ entries: BigInt(done), count: BigInt(count) })
  })
  return found.flat()
}

const build = async (building: Building): Promise<PeriodBundle> => {
  const { operation, input, options, part } = building
  const { cancel } = operation
  const plan = planBundle(input)
  const { deals, count } = plan.layout
  await operation.run({
    kind: 'bundle-begin',
    cancel,
    path: part,
    deals: dealsOf(plan),
    length: plan.length,
  })
  const damage = await fill(building, plan)
  const absent = damage.reduce((sum, row) => sum + row.absent, 0)
  operation.check()
  const value = await operation.run({
    kind: 'bundle-seal',
    cancel,
    part,
    path: input.path,
    head: { deals, absent, length: plan.length, context: input.context },
    durable: options.durable ?? true,
  })
  invariant(value.kind === 'bundle-root', 'sealing a bundle gives its root')
  const damaged = perPayload(damage)
  return { root: value.root, count: BigInt(count), absent: BigInt(absent), damaged }
}

/** Rejects as `Bundler.bundlePeriod` does. */
export const buildBundle = async (
  operation: Operation,
  threads: number,
  input: BundleInput,
  options: BundleOptions,
): Promise<PeriodBundle> => {
  const part = `${input.path}.part`
  try {
    return await build({ operation, threads, input, options, part })
  } catch (cause) {
    await rm(part, { force: true })
    throw cause
  }
}
