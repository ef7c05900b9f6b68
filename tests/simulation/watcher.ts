/**
 * Somebody who gains by every fault of a provider: opens disputes without cause, and reports, slashes
 * and ends whatever the rules allow.
 */
import type { Ledger } from '@holdfast/chain'
import {
  answerDueAt,
  auditDueAt,
  bundleOrder,
  GLOBAL_CHALLENGES,
  HoldfastError,
  type Period,
  period,
  periodAt,
  timestamp,
  usablePeriods,
} from '@holdfast/protocol'
import type { Machine } from './machine.ts'
import { signerOf, type World } from './world.ts'

export class Watcher {
  readonly signer = signerOf(101)
  readonly #world: World
  readonly #machines: readonly Machine[]
  readonly #ledger: Ledger
  opened = 0

  constructor(world: World, machines: readonly Machine[]) {
    this.#world = world
    this.#machines = machines
    this.#ledger = world.ledger(this.signer.address, {
      run: { alive: true },
      isOut: () => false,
      lostAnswers: () => 0,
    })
  }

  async watch(): Promise<never> {
    for (;;) {
      await this.#world.sleep(100, 500)
      for (const machine of this.#machines) {
        if (!this.#world.calm && this.#world.random.chance(0.15)) await this.#dispute(machine)
        await this.#slash(machine)
      }
    }
  }

  /** Asks for an entry that the provider committed to. */
  async #dispute(machine: Machine): Promise<void> {
    const { random } = this.#world
    const now = this.#world.period
    const of = period(now - BigInt(Math.min(Number(now), Math.floor(random.between(0, 3)))))
    const { provider } = machine
    if ((await this.#world.eye.committed(provider, of)) === undefined) return
    const tree = machine.core?.follower.state.treeAt(of)
    const i = Math.floor(random.unit() * GLOBAL_CHALLENGES)
    const held = tree === undefined ? [] : bundleOrder(tree)
    if (tree === undefined || held.length === 0 || random.chance(0.5)) {
      const question = { class: 'global', i } as const
      return this.#try(machine, 'dispute', () =>
        this.#ledger.openDispute({ provider, period: of, question, membership: undefined }),
      )
    }
    const { slot, deal } = random.pick(held)
    const leaf = tree.get(slot)
    if (leaf === undefined) return
    const question = { class: 'deal', deal, i: i % 5 } as const
    const membership = { leaf, path: tree.path(slot) }
    await this.#try(machine, 'dispute', () =>
      this.#ledger.openDispute({ provider, period: of, question, membership }),
    )
  }

  async #slash(machine: Machine): Promise<void> {
    const { provider } = machine
    const { eye, chain } = this.#world
    const now = timestamp(this.#world.seconds)
    for (const dispute of await eye.disputes(provider)) {
      if (now < answerDueAt(chain.network, dispute.openedAt)) continue
      const seeded = await this.#seeded(dispute.openedAt)
      const hasSeed = (of: Period): boolean => seeded.has(of)
      const usable = usablePeriods(chain.network, { openedAt: dispute.openedAt, now, hasSeed })
      if (usable === undefined) continue
      await this.#try(machine, 'slash a dispute', () => this.#ledger.slashTimeout(dispute, usable))
    }
    const { audit } = await eye.standing(provider)
    if (audit !== undefined && now >= auditDueAt(chain.network, audit.period)) {
      const usable = period(audit.period + 1n)
      await this.#try(machine, 'slash an audit', () => this.#ledger.slashAudit(provider, usable))
    }
  }

  async #seeded(from: ReturnType<typeof timestamp>): Promise<ReadonlySet<Period>> {
    const { eye, chain } = this.#world
    const seeded = new Set<Period>()
    for (let of = periodAt(chain.network, from); of <= this.#world.period; of = period(of + 1n)) {
      if ((await eye.seed(of)) !== undefined) seeded.add(of)
    }
    return seeded
  }

  async #try(machine: Machine, what: string, act: () => Promise<unknown>): Promise<void> {
    const { trace } = this.#world
    try {
      await act()
      if (what === 'dispute') this.opened++
      trace.say('watcher', what, { of: machine.name })
    } catch (error) {
      trace.say('watcher', `${what} refused`, { of: machine.name, reason: String(error) })
      if (!HoldfastError.is(error)) throw error
    }
  }
}
