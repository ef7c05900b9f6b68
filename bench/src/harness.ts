/**
 * The measuring itself: every contestant of a case is checked once, warmed up, then run in turn for
 * several rounds, so that noise meets all of them alike. The median of the rounds counts.
 *
 * Invariant: nothing is timed whose result was not checked. What is measured is time of this thread
 * on the processor, of the whole process, or on the wall; a case says which.
 */
import { loadAddon } from '@holdfast/native'

/** Whose time is measured. */
export type ClockKind = 'thread' | 'process' | 'wall'

/** Something that takes part. */
export interface Contestant {
  /** `holdfast` or `package@version`. */
  readonly name: string
  /** How much work one run does, in the unit that the case counts. */
  readonly work: number
  /** Does the work once; what it returns is given to the case's check. */
  readonly run: () => unknown
  /** Done before every timed run, untimed. */
  readonly before?: () => void | Promise<void>
}

export interface BenchCase {
  readonly name: string
  /** For example `MB/s` (`better: more`) or `µs` (`better: less`). */
  readonly unit: string
  readonly better: 'more' | 'less'
  readonly clock: ClockKind
  /** Work per second, or seconds per work, times this is the figure. */
  readonly scale: number
  readonly ours: Contestant
  readonly peers: readonly Contestant[]
  /** Peers that cannot be had here, with the reason. */
  readonly absent?: readonly string[]
  /** Throws unless the result of that contestant is right. */
  readonly check: (result: unknown, contestant: Contestant) => void | Promise<void>
  /** What must hold: of the ratio, or of our own figure. */
  readonly goal?: Goal
  /** Runs before measuring ends; at least 5. */
  readonly rounds?: number
}

export interface Goal {
  readonly of: 'ratio' | 'figure'
  readonly bound: number
  readonly stretch?: number
}

export interface CaseResult {
  readonly name: string
  readonly unit: string
  readonly better: 'more' | 'less'
  readonly ours: number
  readonly peers: Readonly<Record<string, number>>
  /** Ours over the best peer; for costs the best peer over ours. Undefined without peers. */
  readonly ratio?: number
  readonly goal?: Goal
  readonly holds?: boolean
  readonly absent?: readonly string[]
  readonly clock: ClockKind
  readonly rounds: number
}

const ROUNDS = 7
const ROUNDS_MIN = 5
/** A timed sample lasts at least this long, so that the clock's grain does not matter. */
const SAMPLE_SECONDS = 0.06
/** A contestant is warmed up for about this long, so that compilers have finished. */
const WARM_SECONDS = 0.4
const REPEATS_MAX = 10_000

const addon = loadAddon()

const processSeconds = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

const CLOCKS: Readonly<Record<ClockKind, () => number>> = {
  thread: addon.ok ? () => addon.addon.threadCpu() : processSeconds,
  process: processSeconds,
  wall: () => performance.now() / 1e3,
}

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b)
  const half = sorted.length >> 1
  const [low = 0, high = 0] = [sorted[half - 1], sorted[half]]
  return sorted.length % 2 === 1 ? high : (low + high) / 2
}

/**
 * Runs it under `frames` more frames of the stack.
 *
 * Where its stack lies is drawn anew in every process, and code that spills registers can be half as
 * fast again at an unlucky place (docs/adr/0010). So every run gets a place of its own, for all
 * contestants alike, and the median is not what one process drew.
 */
export const underFrames = (frames: number, run: () => unknown): unknown =>
  frames === 0 ? run() : underFrames(frames - 1, run)

/** Some 500 bytes further with every run, over more than a page of 4 KiB. */
const framesOf = (runs: number): number => (runs * 7) % 64

/** Runs once; promises are waited for. */
const once = async (contestant: Contestant): Promise<unknown> => {
  const result = contestant.run()
  return result instanceof Promise ? await result : result
}

const sample = async (
  contestant: Contestant,
  clock: () => number,
  { repeats, round }: { readonly repeats: number; readonly round: number },
): Promise<number> => {
  await contestant.before?.()
  const start = clock()
  for (let i = 0; i < repeats; i++) {
    const result = underFrames(framesOf(round * repeats + i), contestant.run)
    if (result instanceof Promise) await result
  }
  return (clock() - start) / repeats
}

/** Checks, warms up, and says how many repeats make a sample long enough. */
const prepare = async (bench: BenchCase, contestant: Contestant): Promise<number> => {
  await contestant.before?.()
  await bench.check(await once(contestant), contestant)
  if (contestant.before) return 1
  const single = { repeats: 1, round: 0 }
  let seconds = await sample(contestant, CLOCKS.wall, single)
  for (let spent = seconds; spent < WARM_SECONDS; spent += seconds) {
    seconds = await sample(contestant, CLOCKS.wall, single)
  }
  return Math.max(1, Math.min(REPEATS_MAX, Math.ceil(SAMPLE_SECONDS / Math.max(seconds, 1e-7))))
}

const figure = (bench: BenchCase, contestant: Contestant, seconds: number): number =>
  bench.better === 'more'
    ? (contestant.work / seconds) * bench.scale
    : (seconds / contestant.work) * bench.scale

const ratioOf = (better: 'more' | 'less', ours: number, peers: readonly number[]): number =>
  better === 'more' ? ours / Math.max(...peers) : Math.min(...peers) / ours

const holds = (bench: BenchCase, ours: number, ratio: number | undefined): boolean | undefined => {
  const { goal } = bench
  if (goal === undefined) return undefined
  if (goal.of === 'ratio') return ratio !== undefined && ratio >= goal.bound
  return bench.better === 'more' ? ours >= goal.bound : ours <= goal.bound
}

/** What a finished case says, from the medians. */
export const conclude = (
  bench: BenchCase,
  ours: number,
  peers: Readonly<Record<string, number>>,
  rounds: number,
): CaseResult => {
  const figures = Object.values(peers)
  const ratio = figures.length === 0 ? undefined : ratioOf(bench.better, ours, figures)
  const kept = holds(bench, ours, ratio)
  const { name, unit, better, clock, goal, absent } = bench
  return {
    name,
    unit,
    better,
    ours,
    peers,
    clock,
    rounds,
    ...(ratio === undefined ? {} : { ratio }),
    ...(goal === undefined ? {} : { goal }),
    ...(kept === undefined ? {} : { holds: kept }),
    ...(absent === undefined || absent.length === 0 ? {} : { absent }),
  }
}

/** Measures one case. Throws what the check throws: a wrong result has no speed. */
export const runCase = async (bench: BenchCase): Promise<CaseResult> => {
  const everyone = [bench.ours, ...bench.peers]
  const repeats = new Map<Contestant, number>()
  for (const contestant of everyone) repeats.set(contestant, await prepare(bench, contestant))
  const rounds = Math.max(ROUNDS_MIN, bench.rounds ?? ROUNDS)
  const seconds = new Map<Contestant, number[]>(everyone.map((contestant) => [contestant, []]))
  for (let round = 0; round < rounds; round++) {
    for (const contestant of everyone) {
      const times = { repeats: repeats.get(contestant) ?? 1, round }
      const taken = await sample(contestant, CLOCKS[bench.clock], times)
      seconds.get(contestant)?.push(taken)
    }
  }
  const figureOf = (contestant: Contestant): number =>
    figure(bench, contestant, median(seconds.get(contestant) ?? []))
  const peers = bench.peers.map((peer) => [peer.name, figureOf(peer)] as const)
  return conclude(bench, figureOf(bench.ours), Object.fromEntries(peers), rounds)
}
