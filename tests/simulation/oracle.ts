/**
 * What must hold, held against what is: by the chain itself, by the receipts that the client has seen,
 * and by the record of what was broken when. Knows nothing of how a provider works.
 */
import { type Deal, FINAL_BLOCKS } from '@holdfast/chain'
import {
  type CommitUploadResponse,
  HoldfastError,
  type Period,
  period,
  type Root,
  toNumber,
} from '@holdfast/protocol'
import type { ProviderCore } from '@holdfast/provider'
import type { Machine } from './machine.ts'
import { TRASH_DAYS } from './machine-config.ts'
import { signerOf, WINDOW_SECONDS, type World } from './world.ts'

/** In a calm time of this many seconds whatever is due gets done. */
const CALM_SECONDS = 240
const TRASH_SECONDS = TRASH_DAYS * 86_400

interface Held {
  readonly machine: Machine
  readonly root: Root
  /** When the last receipt for it was signed. */
  storedAt: number
}

export interface Counts {
  receipts: number
  reads: number
  proven: number
  excused: number
  removed: number
}

export class Oracle {
  readonly counts: Counts = { receipts: 0, reads: 0, proven: 0, excused: 0, removed: 0 }
  readonly #world: World
  readonly #machines: readonly Machine[]
  readonly #held = new Map<string, Held>()
  #judgedPeriods = 0n
  #judgedBlocks = 0

  constructor(world: World, machines: readonly Machine[]) {
    this.#world = world
    this.#machines = machines
    for (const machine of machines) {
      machine.onOpened = (core) => this.#checkSealed(machine, core)
    }
  }

  get held(): readonly Held[] {
    return [...this.#held.values()]
  }

  receipt(machine: Machine, { receipt: { root, storedAt } }: CommitUploadResponse): void {
    this.counts.receipts++
    const key = `${machine.name} ${root}`
    const known = this.#held.get(key)
    const at = Number(storedAt)
    machine.troubles.mended(root, at)
    this.#held.set(key, { machine, root, storedAt: Math.max(at, known?.storedAt ?? 0) })
  }

  /** Looks for ever, about once a block. */
  async watch(): Promise<never> {
    for (;;) {
      await this.#world.sleep(40, 80)
      await this.look()
    }
  }

  async look(): Promise<void> {
    await this.#checkMoney()
    await this.#checkRemovals()
    await this.#checkProofs()
    this.#checkPunishments()
  }

  /** Reads everything that was acknowledged and can be asked for now. */
  async audit(machine: Machine): Promise<void> {
    const { core } = machine
    if (core === undefined) return
    for (const held of this.held) {
      if (held.machine !== machine || machine.core !== core) continue
      if (core.store.find(held.root) !== undefined) await this.#readAll(held, core)
      else await this.#checkRemoved(held)
    }
  }

  /** What a read that failed says about a payload that was acknowledged. */
  async readFailed({ machine, root }: Held, error: unknown): Promise<void> {
    const say = (why: string): void =>
      this.#world.violate(`${machine.name} does not give ${root}: ${why}`)
    if (!HoldfastError.is(error)) return say(String(error))
    switch (error.code) {
      case 'PAYLOAD_CORRUPT':
        if (!machine.troubles.rots.some((rot) => rot.root === root)) {
          say(`${error.message}, and nothing rotted there`)
        }
        return
      case 'PAYLOAD_NOT_FOUND':
        return this.#checkRemovals()
      case 'PEER_UNREACHABLE':
      case 'ABORTED':
      case 'SHUTTING_DOWN':
        return
      default:
        say(`${error.code} ${error.message}`)
    }
  }

  /** All bits that rotted are known of, or gone, or mended. */
  async checkRot(): Promise<void> {
    for (const machine of this.#machines) {
      const { core } = machine
      if (core === undefined) continue
      for (const { root } of machine.troubles.rots) {
        if (core.store.find(root) === undefined || core.holdings.damageOf(root) !== undefined) {
          continue
        }
        const damage = await core.store.verify(root)
        if (damage === undefined) continue
        this.#world.violate(`${machine.name} never noticed that ${root} rotted: ${damage.what}`)
      }
    }
  }

  async #readAll(held: Held, core: ProviderCore): Promise<void> {
    const { data, commitment } = this.#world.payload(held.root)
    const { machine, root } = held
    this.counts.reads++
    try {
      let at = 0
      const range = { start: 0n as typeof commitment.length, end: commitment.length }
      for await (const piece of core.holdings.read(root, range)) {
        if (Buffer.compare(piece, data.subarray(at, at + piece.length)) !== 0) {
          this.#world.violate(`${machine.name} has other bytes for ${root} at ${at}`)
        }
        at += piece.length
      }
      if (at !== toNumber(commitment.length)) {
        this.#world.violate(`${machine.name} has ${at} bytes of ${root}`)
      }
    } catch (error) {
      if (machine.core === core) await this.readFailed(held, error)
    }
  }

  /**
   * What a receipt was given for lies on the disk whole, also when the power went off at that moment:
   * a start may mend what it finds, and must not have to.
   */
  async #checkSealed(machine: Machine, { store }: ProviderCore): Promise<void> {
    for (const held of this.held) {
      if (held.machine !== machine || store.find(held.root) !== undefined) continue
      await this.#checkRemoved(held)
    }
  }

  async #checkMoney(): Promise<void> {
    const { eye, token, minted } = this.#world
    const owners = [signerOf(100), signerOf(101)].concat(this.#machines.map(({ owner }) => owner))
    let sum = await eye.feesCollected(token.address)
    const add = (more: bigint): void => {
      sum = (sum + more) as typeof sum
    }
    for (const { address } of owners) {
      add(await eye.tokenBalance(address, token.address))
      add(await eye.balance(address, token.address))
    }
    for (const { provider } of this.#machines) {
      add((await eye.provider(provider))?.stake ?? 0n)
      for (const { bond } of await eye.disputes(provider)) add(bond)
    }
    for (const { state, escrow, terms } of await eye.deals({})) {
      if (state !== 'closed') add(escrow + terms.collateral)
    }
    if (sum !== minted) this.#world.violate(`there are ${sum} units of money, not ${minted}`)
  }

  async #checkRemovals(): Promise<void> {
    for (const held of this.held) {
      const { core } = held.machine
      if (core !== undefined && core.store.find(held.root) === undefined) {
        await this.#checkRemoved(held)
      }
    }
  }

  /** A payload is not there any more: nobody may have had a claim on it, for long enough. */
  async #checkRemoved({ machine, root, storedAt }: Held): Promise<void> {
    this.counts.removed++
    this.#held.delete(`${machine.name} ${root}`)
    const now = this.#world.seconds
    const say = (why: string): void =>
      this.#world.violate(`${machine.name} has lost ${root}: ${why}`)
    const age = now - storedAt
    if (age < 2 * TRASH_SECONDS) say(`its receipt is only ${age} s old`)
    for (const deal of await this.#world.eye.deals({ provider: machine.provider })) {
      if (deal.terms.root !== root) continue
      const closed = this.#closing(deal)
      if (closed === undefined) say(`deal ${deal.id} is ${deal.state}`)
      else if (closed.depth < FINAL_BLOCKS) say(`deal ${deal.id} is closed, not finally`)
      else if (now - closed.at < TRASH_SECONDS) {
        say(`deal ${deal.id} was closed ${now - closed.at} s ago`)
      }
    }
  }

  #closing({ id }: Deal): { readonly at: number; readonly depth: number } | undefined {
    const { blocks } = this.#world
    const at = blocks.findLastIndex(({ events }) =>
      events.some((event) => event.kind === 'deal-closed' && event.deal === id),
    )
    const block = blocks[at]
    if (block === undefined) return undefined
    return { at: Number(block.ref.timestamp), depth: blocks.length - 1 - at }
  }

  /** Every period whose window is over is proven by everybody who had to and could. */
  async #checkProofs(): Promise<void> {
    const { eye } = this.#world
    for (;;) {
      const of = period(this.#judgedPeriods)
      const deadline = this.#world.start(of) + WINDOW_SECONDS
      if (this.#world.seconds < deadline + 1) return
      this.#judgedPeriods++
      for (const machine of this.#machines) {
        const { weight } = await eye.snapshot(machine.provider, of)
        if (weight === 0n || (await eye.seed(of)) === undefined) continue
        const [proven] = await eye.proven(machine.provider, of, period(of + 1n))
        if (proven !== undefined) this.counts.proven++
        else await this.#judgeMiss(machine, of, deadline)
      }
    }
  }

  async #judgeMiss(machine: Machine, of: Period, deadline: number): Promise<void> {
    const posted = this.#seedTime(of) ?? this.#world.start(of)
    const calm = this.#longestCalm(machine, posted, deadline)
    if (calm < CALM_SECONDS || (await this.#hadRot(machine, of))) this.counts.excused++
    else {
      this.#world.violate(`${machine.name} missed period ${of} and had ${calm} s without trouble`)
    }
  }

  /** Whether bytes of a deal that was challenged in a period were lost by then. */
  async #hadRot({ provider, troubles: { rots } }: Machine, of: Period): Promise<boolean> {
    const [from, to] = [this.#world.start(of), this.#world.start(of) + WINDOW_SECONDS]
    const lost = new Set(
      rots.filter((rot) => rot.from < to && rot.to > from).map((rot) => rot.root),
    )
    const deals = await this.#world.eye.deals({ provider })
    return deals.some(({ terms, start }) => lost.has(terms.root) && start <= of)
  }

  #seedTime(of: Period): number | undefined {
    const block = this.#world.blocks.find(({ events }) =>
      events.some((event) => event.kind === 'seed-posted' && event.period === of),
    )
    return block === undefined ? undefined : Number(block.ref.timestamp)
  }

  /** A provider that lost a dispute or an audit could not answer. */
  #checkPunishments(): void {
    const { blocks, network } = { blocks: this.#world.blocks, network: this.#world.chain.network }
    // What a reorganisation may still take away is judged when it no longer can.
    for (; this.#judgedBlocks < blocks.length - 20; this.#judgedBlocks++) {
      const block = blocks[this.#judgedBlocks]
      if (block === undefined) return
      for (const event of block.events) {
        if (event.kind !== 'dispute-lost' && event.kind !== 'audit-lost') continue
        const machine = this.#machines.find(({ provider }) => provider === event.provider)
        if (machine === undefined) continue
        const to = Number(block.ref.timestamp)
        const calm = this.#longestCalm(machine, to - Number(network.answerTime), to)
        if (calm < CALM_SECONDS || machine.troubles.rots.length > 0) continue
        const what = `${event.kind} about period ${event.period}`
        this.#world.violate(`${machine.name}: ${what}, and had ${calm} s without trouble`)
      }
    }
  }

  /** Seconds of the longest stretch between two times in which nothing was wrong. */
  #longestCalm({ troubles }: Machine, from: number, to: number): number {
    const bad = [...troubles.list, ...this.#world.reorgs].sort((a, b) => a.from - b.from)
    let longest = 0
    let at = from
    for (const trouble of bad) {
      if (trouble.to <= at) continue
      longest = Math.max(longest, Math.min(trouble.from, to) - at)
      at = Math.max(at, trouble.to)
      if (at >= to) return longest
    }
    return Math.max(longest, to - at)
  }
}
