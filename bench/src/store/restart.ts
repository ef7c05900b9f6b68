/**
 * A node that holds a million small payloads, killed while it stores more of them: how long until a
 * new process serves, and how fast the store is built anew from footers and from data. Every figure is
 * that of a process of its own.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { homePaths } from '@holdfast/provider'
import { type BenchCase, type CaseResult, conclude, type Goal, median } from '../harness.ts'
import type { SuiteContext } from '../suite.ts'
import type { Opened } from './million-open.ts'

const ROUNDS = 3
/** Time in which the killed process is somewhere in the next payloads. */
const KILL_AFTER_MS = [150, 900, 400] as const

const start = (program: string, args: readonly string[]): ChildProcess =>
  fork(fileURLToPath(new URL(program, import.meta.url)), [...args], { serialization: 'advanced' })

/** The first message of a program; it ends with an error when none comes. */
const firstMessage = (child: ChildProcess): Promise<unknown> =>
  new Promise((resolve, reject) => {
    child.once('message', resolve)
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`a program ended with ${code}`)))
  })

const killed = async (child: ChildProcess): Promise<void> => {
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
}

/** A home with `count` small payloads whose process was killed while it stored more. */
export const fillAndKill = async (
  home: string,
  {
    from,
    count,
    afterMs,
  }: { readonly from: number; readonly count: number; readonly afterMs: number },
): Promise<void> => {
  mkdirSync(home, { recursive: true })
  const child = start('./million-fill.js', [home, String(count), String(from)])
  await firstMessage(child)
  await new Promise((resolve) => setTimeout(resolve, afterMs))
  await killed(child)
}

/** Opens the store of a home in a process of its own, and looks that payloads are there. */
export const openIn = async (
  home: string,
  how: 'open' | 'index' | 'deep',
  count: number,
): Promise<Opened> => {
  const child = start('./million-open.js', [home, how, String(count)])
  const gone = once(child, 'exit')
  const opened = (await firstMessage(child)) as Opened
  await gone
  if (opened.payloads < count) throw new Error(`${opened.payloads} of ${count} payloads are there`)
  return opened
}

/** What a node leaves in its home beside payloads belongs to a chain that ended with it. */
const forgetChain = (home: string): void => {
  const { volume, indexes } = homePaths(home)
  for (const name of readdirSync(home)) {
    const path = join(home, name)
    if (path !== volume && path !== indexes) rmSync(path, { recursive: true })
  }
}

/** Seconds from starting the process of a whole node until it serves; then it is killed. */
export const secondsToServe = async (home: string): Promise<number> => {
  forgetChain(home)
  const began = performance.now()
  const child = start('../upload/node.js', [home])
  await firstMessage(child)
  const seconds = (performance.now() - began) / 1e3
  await killed(child)
  return seconds
}

const shape = (name: string, unit: string, goal: Goal | undefined): BenchCase => ({
  name,
  unit,
  better: unit === 's' ? 'less' : 'more',
  clock: 'wall',
  scale: 1,
  ours: { name: 'holdfast', work: 1, run: () => undefined },
  peers: [],
  check: () => undefined,
  ...(goal === undefined ? {} : { goal }),
})

/** @param count how many payloads are stored. */
export async function* restartCases(
  { folder, say }: SuiteContext,
  count = 1_000_000,
): AsyncGenerator<CaseResult> {
  const home = join(folder, 'home')
  say(`storing ${count} small payloads, which takes minutes, and killing the process`)
  const opening: number[] = []
  const serving: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const afterMs = KILL_AFTER_MS[round] ?? 0
    await fillAndKill(home, { from: 2 * round * count, count: round === 0 ? count : 0, afterMs })
    opening.push((await openIn(home, 'open', count)).seconds)
    serving.push(await secondsToServe(home))
  }
  const within = { of: 'figure', bound: 5 } as const
  const serve = shape('store: restart with a million payloads, until the node serves', 's', within)
  yield conclude(serve, median(serving), {}, ROUNDS)
  const open = shape('store: restart with a million payloads, the store alone', 's', within)
  yield conclude(open, median(opening), {}, ROUNDS)
  for (const [how, from] of [
    ['index', 'footers'],
    ['deep', 'data'],
  ] as const) {
    const figures: number[] = []
    for (let round = 0; round < ROUNDS; round++) {
      const { seconds, payloads } = await openIn(home, how, count)
      figures.push((60 * payloads) / seconds)
    }
    const goal = { of: 'figure', bound: 1_000_000 } as const
    const rebuild = shape(`store: rebuilt from ${from}`, 'payloads/min', goal)
    yield conclude(rebuild, median(figures), {}, ROUNDS)
  }
}
