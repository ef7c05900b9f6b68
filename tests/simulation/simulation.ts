/**
 * One run of a simulation, from a number: a publisher, a watcher, one to three providers and whatever
 * goes wrong, for a while; then calm, until every deal is over and everybody has left. The same number
 * gives the same run to the last line.
 */
import { HoldfastError } from '@holdfast/protocol'
import { Chaos } from './chaos.ts'
import { leave } from './leaving.ts'
import { Machine } from './machine.ts'
import { type Counts, Oracle } from './oracle.ts'
import { Publisher } from './publisher.ts'
import { Watcher } from './watcher.ts'
import { BLOCK_SECONDS, PERIOD_SECONDS, World, type WorldOptions } from './world.ts'

/** Periods in which things break. */
const WILD_PERIODS = 5
/** Periods in which all deals must have come to their end. */
const CALM_PERIODS_MAX = 24
/** Twice the trash time and a little. */
const EMPTY_PERIODS_MAX = 12
/** In this time scrubbing has seen everything once more. */
const SCRUB_PERIODS = 4

export interface Outcome {
  readonly seed: number
  /** Of everything that happened. */
  readonly digest: string
  readonly lines: number
  readonly violations: readonly string[]
  readonly counts: Counts & { readonly published: number; readonly disputes: number }
  /** The end of the trace. */
  readonly last: readonly string[]
}

export const replayCommand = (seed: number): string =>
  `HOLDFAST_SIMULATION_SEED=${seed} npm test -- tests/dist/simulation/simulation.test.js`

class Simulation {
  readonly #world: World
  readonly #machines: readonly Machine[]
  readonly #oracle: Oracle
  readonly #publisher: Publisher
  readonly #watcher: Watcher
  readonly #chaos: Chaos

  constructor(options: WorldOptions) {
    const world = new World(options)
    const { random } = world
    const count = random.pick([1, 2, 2, 3])
    const mode = random.pick(['commit', 'direct', 'direct'] as const)
    this.#world = world
    this.#machines = Array.from(
      { length: count },
      (_, number) => new Machine(world, { number, mode }),
    )
    this.#oracle = new Oracle(world, this.#machines)
    this.#publisher = new Publisher(world, this.#machines, this.#oracle)
    this.#watcher = new Watcher(world, this.#machines)
    this.#chaos = new Chaos(world, this.#machines)
  }

  async run(): Promise<Outcome> {
    const world = this.#world
    let isOver = false
    const background = this.#begin().then(() => this.#story())
    const done = background
      .catch((error: unknown) => {
        const stack = error instanceof Error ? error.stack : String(error)
        world.violate(`the simulation itself failed: ${stack}`)
      })
      .then(() => {
        isOver = true
      })
    while (!isOver) {
      await world.clock.runUntil(world.clock.now() + BLOCK_SECONDS * 1000)
      if (world.violations.length > 0) break
    }
    void done
    const outcome = this.#outcome()
    world.end()
    return outcome
  }

  #outcome(): Outcome {
    const world = this.#world
    const { counts } = this.#oracle
    return {
      seed: world.seed,
      digest: world.trace.digest,
      lines: world.trace.lines,
      violations: [...world.violations],
      counts: { ...counts, published: this.#publisher.published, disputes: this.#watcher.opened },
      last: [...world.trace.last],
    }
  }

  async #begin(): Promise<void> {
    const world = this.#world
    for (const machine of this.#machines) await machine.register()
    await world.fund(this.#publisher.signer)
    await world.fund(this.#watcher.signer)
    this.#background('mine', world.mine())
    this.#background('watch', world.watch())
    for (const machine of this.#machines) {
      await machine.boot()
      this.#background('keep up', this.#keepUp(machine))
    }
    this.#background('oracle', this.#oracle.watch())
    this.#background('watcher', this.#watcher.watch())
  }

  async #story(): Promise<void> {
    const world = this.#world
    const end = world.seconds + WILD_PERIODS * PERIOD_SECONDS
    this.#background('chaos', this.#chaos.run())
    this.#background(
      'reads',
      this.#every(60, 600, () => this.#publisher.readSome()),
    )
    this.#background(
      'repair',
      this.#every(300, 1200, () => this.#publisher.repair()),
    )
    const publishing: Promise<void>[] = []
    while (world.seconds < end) {
      publishing.push(this.#somethingNew())
      await world.sleep(60, 1400)
    }
    await this.#chaos.end()
    await Promise.all(publishing)
    await this.#untilOver()
    await leave(world, this.#machines, this.#publisher.signer)
    await this.#untilEmpty()
    await this.#oracle.look()
  }

  async #somethingNew(): Promise<void> {
    const { random, payloads } = this.#world
    const tree = random.pick(payloads)
    const wanted = random.chance(0.5) ? 1 : this.#machines.length
    if (random.chance(0.2)) await this.#publisher.double(tree, random.pick(this.#machines))
    else await this.#publisher.publish(tree, wanted, 1 + Math.floor(random.unit() * 3))
  }

  /** Until no deal is open and scrubbing has been everywhere. */
  async #untilOver(): Promise<void> {
    const world = this.#world
    for (let waited = 0; ; waited++) {
      const open = (await world.eye.deals({})).filter(({ state }) => state !== 'closed')
      if (open.length === 0 && waited >= SCRUB_PERIODS) break
      if (waited >= CALM_PERIODS_MAX) {
        const [first] = open
        world.violate(`after ${waited} calm periods deal ${first?.id} is still ${first?.state}`)
        return
      }
      await world.sleep(PERIOD_SECONDS)
    }
    for (const machine of this.#machines) await this.#oracle.audit(machine)
    await this.#oracle.checkRot()
  }

  /** Nobody has a claim on anything any more: in time all room is given back. */
  async #untilEmpty(): Promise<void> {
    const world = this.#world
    const left = (): number =>
      this.#machines.reduce((sum, { core }) => sum + [...(core?.store.stored() ?? [])].length, 0)
    for (let waited = 0; left() > 0; waited++) {
      if (waited > EMPTY_PERIODS_MAX) {
        return world.violate(`${left()} payloads are still stored, and nobody wants them`)
      }
      await world.sleep(PERIOD_SECONDS)
    }
  }

  /** After every start everything that was acknowledged is read. */
  async #keepUp(machine: Machine): Promise<never> {
    for (;;) {
      await this.#chaos.keepUp(machine)
      // A read from a machine that dies meanwhile never ends.
      await Promise.race([this.#oracle.audit(machine), machine.gone])
    }
  }

  async #every(least: number, most: number, act: () => Promise<void>): Promise<never> {
    for (;;) {
      await this.#world.sleep(least, most)
      await act()
    }
  }

  #background(name: string, work: Promise<unknown>): void {
    work.catch((error: unknown) => {
      if (HoldfastError.is(error, 'ABORTED')) return
      const stack = error instanceof Error ? error.stack : String(error)
      this.#world.violate(`${name} failed: ${stack}`)
    })
  }
}

/** Runs a seed. Never throws: what is wrong is in the outcome. */
export const runSeed = (options: WorldOptions): Promise<Outcome> => new Simulation(options).run()

/** Seeds that tell nothing about each other. */
export const seedsFrom = (first: number, count: number): readonly number[] =>
  Array.from({ length: count }, (_, i) => first + i)

/** What to say of a failed run. */
export const told = ({ seed, violations, last }: Outcome): string =>
  [
    ...[
      `seed ${seed}: ${violations[0]}`,
      `replay: ${replayCommand(seed)}`,
      'the end of its trace:',
    ],
    ...last.slice(-40),
  ].join('\n')
