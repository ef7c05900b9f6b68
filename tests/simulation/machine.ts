/**
 * A provider's machine: the real core of a provider over a simulated disk, started, stopped, killed
 * and cut off from power; and the record of when it could not have done its work.
 */
import type { Ledger, Seeded } from '@holdfast/chain'
import { amount, HoldfastError, type ProviderId, type Root, type Signer } from '@holdfast/protocol'
import {
  type CoreDependencies,
  closeCore,
  type MortalThread,
  openCore,
  type ProviderConfig,
  type ProviderCore,
  recoverCore,
  runCore,
  SimulatedDisk,
  SimulatedKeyValues,
  SimulatedProver,
  SimulatedRun,
  simulatedPlatform,
  TaskGroup,
} from '@holdfast/provider'
import { configOf, makeVolume, optionsOf, TLS_KEY_HASH } from './machine-config.ts'
import { clockFor } from './run-clock.ts'
import { Troubles } from './troubles.ts'
import { signerOf, type World } from './world.ts'

const STAKE = amount(10_000_000n)

interface Life {
  readonly run: SimulatedRun
  readonly tasks: TaskGroup
  readonly core: ProviderCore
}

export interface MachineOptions {
  readonly number: number
  readonly mode: 'commit' | 'direct'
}

export class Machine {
  readonly name: string
  readonly owner: Signer
  readonly operator: Signer
  /** Payloads and bundles lie here, the journal on a disk of its own. */
  readonly disk = new SimulatedDisk()
  readonly home = new SimulatedDisk()
  readonly troubles: Troubles
  /** Times that it was started. */
  starts = 0
  lineOut = false
  /** Told of every start, when the stores are open and nothing has been mended yet. */
  onOpened: (core: ProviderCore) => Promise<void> = async () => undefined
  readonly #world: World
  readonly #random: Seeded
  readonly #keyValues = new SimulatedKeyValues()
  readonly #config: ProviderConfig
  /** Of this life. */
  #threads: MortalThread[] = []
  #life: Life | undefined
  #run: SimulatedRun | undefined
  /** The run of which a disk hangs. */
  #hanging: SimulatedRun | undefined
  #gone: { readonly promise: Promise<void>; readonly resolve: () => void } = promised()

  constructor(world: World, { number, mode }: MachineOptions) {
    this.#world = world
    this.#random = world.random
    this.name = `provider-${number}`
    this.owner = signerOf(10 + 2 * number)
    this.operator = signerOf(11 + 2 * number)
    this.troubles = new Troubles(() => world.seconds)
    this.#config = configOf(world, this.owner.address, mode)
    makeVolume(this.disk, this.provider)
  }

  get provider(): ProviderId {
    return this.owner.address
  }

  /** The core while it is up. */
  get core(): ProviderCore | undefined {
    return this.#life?.run.alive === true ? this.#life.core : undefined
  }

  /** Resolves when this life of the machine ends. */
  get gone(): Promise<void> {
    return this.#gone.promise
  }

  async register(): Promise<void> {
    const { chain, token } = this.#world
    await this.#world.fund(this.owner)
    const { region, pricePerTibMonth, provingFeeMonth, egressPerTib } = this.#config
    await chain.ledger(this.provider).registerProvider(
      {
        operator: this.operator.address,
        tlsKeyHash: TLS_KEY_HASH,
        endpoint: this.name,
        accepting: true,
        token: token.address,
        ...{ region, pricePerTibMonth, provingFeeMonth, egressPerTib },
      },
      STAKE,
    )
  }

  /** Switches it on; a start that fails for want of room is tried again. */
  async boot(): Promise<void> {
    if (this.#run?.alive === true) return
    this.troubles.begin('down')
    for (;;) {
      this.starts++
      const run = new SimulatedRun(() => this.#world.sleep(0.001, 0.03))
      this.#run = run
      this.#gone = promised()
      const started = this.#start(run).catch((error: unknown) => this.#notStarted(run, error))
      await Promise.race([started, this.gone])
      if (run.alive) return
      await this.#world.sleep(5, 90)
    }
  }

  /** kill -9: what was written stays. */
  kill(): void {
    if (this.#run?.alive !== true) return
    this.#world.trace.say(this.name, 'killed')
    this.#end(this.#run)
  }

  /** The power goes off now. */
  cut(): void {
    if (this.#run?.alive !== true) return
    this.#world.trace.say(this.name, 'power lost')
    this.#end(this.#run)
    this.#lose()
  }

  /** The power goes off soon after the n-th change of one of the disks from now. */
  cutAfter(changes: number, which: 'disk' | 'home' = 'disk'): void {
    if (this.#run?.alive === true) this[which].failAfter(changes)
  }

  /**
   * The power goes off soon after the n-th sync of one of the disks from now was asked for: what was
   * written for it is lost, and whoever was told before it that all is safe may have passed that on.
   */
  cutAtSync(syncs: number, which: 'disk' | 'home' = 'disk'): void {
    if (this.#run?.alive === true) this[which].failAtSync(syncs)
  }

  /** A thread of its store dies, the program lives on. */
  killThread(when: 'now' | 'unheard'): void {
    const threads = this.#threads.filter(({ alive }) => alive)
    if (threads.length === 0) return
    this.#world.trace.say(this.name, 'a thread dies', { when, of: threads.length })
    this.#random.pick(threads).die(when)
  }

  /** An orderly end. */
  async stop(): Promise<void> {
    const life = this.#life
    if (life === undefined || !life.run.alive) return
    this.#world.trace.say(this.name, 'stops')
    this.troubles.begin('down')
    await Promise.race([life.tasks.stop().then(() => closeCore(life.core)), this.gone])
    if (life.run.alive) this.#end(life.run)
  }

  /** The line to the ledger is out from now on, or is back. */
  setLine(isOut: boolean): void {
    this.lineOut = isOut
    if (isOut) this.troubles.begin('line')
    else this.troubles.end('line')
  }

  /** Bits of a stored payload change. */
  rot(
    root: Root,
    place: { readonly path: string; readonly at: number; readonly bits: number },
  ): void {
    this.troubles.rot(root)
    this.disk.rot(place.path, place.at, place.bits)
  }

  /** So many bytes are left on the disk from now on; undefined: as many as one likes. */
  setRoom(left: number | undefined): void {
    for (const disk of [this.disk, this.home]) {
      disk.space = left === undefined ? Number.POSITIVE_INFINITY : disk.used + left
    }
    if (left === undefined) this.troubles.end('full')
    else this.troubles.begin('full')
  }

  async #start(run: SimulatedRun): Promise<void> {
    const { trace, chain, random: chance, calm } = this.#world
    // What uses one disk hangs with it; the rest of the program goes on for a moment.
    const volume = new SimulatedRun(() => run.pause())
    void this.gone.then(() => volume.end())
    const disk = this.disk.mount(() => this.#hang(run, volume))
    const home = this.home.mount(() => this.#hang(run, run))
    if (!calm && chance.chance(0.2)) this.disk.failAfter(Math.floor(chance.between(1, 80)))
    const logger = trace.logger(this.name)
    this.#threads = []
    const onThread = (thread: MortalThread): void => void this.#threads.push(thread)
    const clock = clockFor(this.#world, run)
    const random = this.#random
    const dependencies: CoreDependencies = {
      ledger: this.#ledger(run),
      network: chain.network,
      operator: this.operator,
      prover: new SimulatedProver(volume, disk),
      platform: {
        ...simulatedPlatform({ run: volume, disk, keyValues: this.#keyValues, random, onThread }),
        journalFiles: simulatedPlatform({ run, disk: home, keyValues: this.#keyValues, random })
          .journalFiles,
      },
      ...{ clock, random, logger },
    }
    const core = await openCore(dependencies, optionsOf(this.#config), {
      tlsKeyHash: () => TLS_KEY_HASH,
      tokenKey: new Uint8Array(32).fill(9),
      onStored: () => undefined,
      onRemoved: async () => undefined,
    })
    await this.onOpened(core)
    await recoverCore(core, logger)
    const tasks = new TaskGroup()
    this.#world.atEnd(() => tasks.stop())
    runCore(tasks, core, dependencies)
    tasks.done().catch((error: unknown) => {
      if (!run.hasDisk || this.#hanging === run) return
      this.#world.violate(`${this.name} ended by itself: ${error}`)
    })
    this.#life = { run, tasks, core }
    this.troubles.end('down')
    trace.say(this.name, 'is up', { start: this.starts })
  }

  #ledger(run: SimulatedRun): Ledger {
    return this.#world.ledger(this.operator.address, {
      run,
      isOut: () => this.lineOut,
      lostAnswers: () => (this.#world.calm ? 0 : 0.03),
    })
  }

  /** The disk no longer answers; a moment later the power is gone. */
  #hang(run: SimulatedRun, user: SimulatedRun): void {
    const which = run === user ? 'home' : 'volume'
    this.#world.trace.say(this.name, 'a disk hangs at a change', { which })
    user.hang()
    this.#hanging = run
    void this.#world.sleep(0, this.#world.random.pick([0.4, 5])).then(() => {
      if (run.alive) this.cut()
    })
  }

  #notStarted(run: SimulatedRun, error: unknown): void {
    if (!run.hasDisk || this.#hanging === run) return
    this.#end(run)
    this.#world.trace.say(this.name, 'did not start', { reason: String(error) })
    if (!isWantOfRoom(error)) this.#world.violate(`${this.name} does not start: ${error}`)
  }

  #end(run: SimulatedRun): void {
    run.end()
    this.disk.unmount()
    this.home.unmount()
    this.troubles.begin('down')
    this.#gone.resolve()
  }

  #lose(): void {
    const chance = (below: number): number => Math.floor(this.#random.unit() * below)
    this.disk.restart(chance)
    this.home.restart(chance)
    this.#keyValues.lose(chance)
  }
}

const isWantOfRoom = (error: unknown): boolean =>
  HoldfastError.is(error, 'DISK_FULL') || HoldfastError.is(error, 'LEDGER_UNREACHABLE')

const promised = (): { readonly promise: Promise<void>; readonly resolve: () => void } => {
  let resolve = (): void => undefined
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve }
}
