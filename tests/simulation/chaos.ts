/** What goes wrong: decided by chance, noted where the oracle looks, and over when all is to be calm. */
import { toNumber } from '@holdfast/protocol'
import type { Machine } from './machine.ts'
import type { World } from './world.ts'

const MIB = 2 ** 20

export class Chaos {
  readonly #world: World
  readonly #machines: readonly Machine[]
  events = 0

  constructor(world: World, machines: readonly Machine[]) {
    this.#world = world
    this.#machines = machines
  }

  /** Switches a machine on again after it went off. */
  async keepUp(machine: Machine): Promise<void> {
    await machine.gone
    await this.#world.sleep(5, this.#world.calm ? 10 : 700)
    await machine.boot()
  }

  async run(): Promise<void> {
    while (!this.#world.calm) {
      await this.#world.sleep(30, 700)
      if (this.#world.calm) return
      this.events++
      await this.#strike(this.#world.random.pick(this.#machines))
    }
  }

  /** Everything that can be mended is. */
  async end(): Promise<void> {
    this.#world.calm = true
    this.#world.trace.say('chaos', 'is over')
    for (const machine of this.#machines) {
      machine.setLine(false)
      machine.setRoom(undefined)
      // A power cut that was still to come would come in the calm.
      for (const disk of ['disk', 'home'] as const) {
        machine.cutAfter(Number.POSITIVE_INFINITY, disk)
        machine.cutAtSync(Number.POSITIVE_INFINITY, disk)
      }
    }
  }

  async #strike(machine: Machine): Promise<void> {
    const { random } = this.#world
    const roll = random.unit()
    if (roll < 0.12) machine.kill()
    else if (roll < 0.24) machine.cut()
    else if (roll < 0.44) this.#cutSoon(machine)
    else if (roll < 0.5) await machine.stop()
    else if (roll < 0.62) this.#lineOut(machine)
    else if (roll < 0.72) this.#fill(machine)
    else if (roll < 0.86) await this.#world.reorg(1 + Math.floor(random.unit() * 12))
    else if (roll < 0.93) this.#rot(machine)
    else machine.killThread(random.pick(['now', 'unheard']))
  }

  /** At a change that is still to come, or at a sync, which is when promises are made. */
  #cutSoon(machine: Machine): void {
    const { random } = this.#world
    const which = random.chance(0.7) ? 'disk' : 'home'
    if (random.chance(0.5)) machine.cutAfter(Math.floor(random.between(1, 120)), which)
    else machine.cutAtSync(Math.floor(random.between(0, 6)), which)
  }

  #lineOut(machine: Machine): void {
    this.#world.trace.say('chaos', 'line out', { of: machine.name })
    machine.setLine(true)
    void this.#world.sleep(20, 1200).then(() => machine.setLine(false))
  }

  /** Room for proofs is left, or nothing is. */
  #fill(machine: Machine): void {
    const { random } = this.#world
    const left = random.chance(0.5) ? random.between(2, 4) * MIB : random.between(0, 20_000)
    this.#world.trace.say('chaos', 'disk full', { of: machine.name, left: Math.floor(left) })
    machine.setRoom(Math.floor(left))
    void this.#world.sleep(100, 2500).then(() => machine.setRoom(undefined))
  }

  /** Bits of a stored payload change. */
  #rot(machine: Machine): void {
    const { core } = machine
    const stored = core === undefined ? [] : [...core.store.stored()]
    if (stored.length === 0) return
    const { random } = this.#world
    const { commitment, payload } = random.pick(stored)
    const at = toNumber(payload.offset) + Math.floor(random.unit() * toNumber(payload.length))
    this.#world.trace.say('chaos', 'rot', { of: machine.name, root: commitment.root, at })
    machine.rot(commitment.root, {
      path: payload.path,
      at,
      bits: 1 << Math.floor(random.unit() * 8),
    })
  }
}
