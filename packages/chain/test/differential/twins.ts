/**
 * The chain and the ledger in memory, told the same: after every step both must have said the same,
 * and all that can be read of them must be equal.
 */
import {
  type Address,
  HoldfastError,
  keccakText,
  type Period,
  periodAt,
  type Timestamp,
  timestamp,
  ZERO_ADDRESS,
} from '@holdfast/protocol'
import { expect } from '@jest/globals'
import type { Ledger, LedgerEvent } from '../../src/ledger.ts'
import { createMemoryTwin, type MemoryChain } from '../../src/memory/create.ts'
import { Cast, EVERYBODY } from './cast.ts'
import { pictureOf } from './picture.ts'
import { MINIMUM_STAKE, type Stage, WEALTH } from './stage.ts'
import { ChainWrites, type Writes } from './writes.ts'

/** What became of a step: the events of its block, or the code it was refused with. */
export type Outcome =
  | { readonly events: readonly LedgerEvent[] }
  | { readonly refused: string; readonly reason: string }

/** One thing somebody does. */
export interface Step {
  /** With its figures: what a failing history prints. */
  readonly name: string
  readonly by: Address
  readonly run: (writes: Writes) => Promise<{ readonly events: readonly LedgerEvent[] }>
}

const outcomeOf = async (
  work: Promise<{ readonly events: readonly LedgerEvent[] }>,
): Promise<Outcome> => {
  try {
    return { events: (await work).events }
  } catch (refusal) {
    if (!HoldfastError.is(refusal)) throw refusal
    return { refused: refusal.code, reason: refusal.message }
  }
}

const codeOf = (outcome: Outcome): string | undefined =>
  'refused' in outcome ? outcome.refused : undefined

export class Twins {
  readonly cast: Cast
  readonly memory: MemoryChain
  readonly #stage: Stage
  readonly #ledgers = new Map<Address, Ledger>()
  readonly #told: string[] = []
  readonly counts = new Map<string, number>()
  #time: Timestamp

  private constructor(stage: Stage, time: Timestamp) {
    this.#stage = stage
    this.#time = time
    const { network } = stage
    this.cast = new Cast(network)
    this.memory = createMemoryTwin({
      ...{ network, minimumStake: MINIMUM_STAKE, randomSeed: keccakText('twins') },
      seedFor: (of) => stage.seedFor(of),
    })
    for (const { address: owner } of EVERYBODY) {
      for (const token of this.cast.tokens) this.memory.mint(token, owner, WEALTH)
    }
  }

  static async begin(stage: Stage): Promise<Twins> {
    await stage.rewind()
    const { timestamp: newest } = await stage.reader.tip()
    return new Twins(stage, newest)
  }

  get time(): Timestamp {
    return this.#time
  }

  get now(): Period {
    return periodAt(this.cast.network, this.#time)
  }

  /** Everything that was told so far, a line each. */
  get story(): string {
    return this.#told.join('\n')
  }

  /** The time of the next step, later than the last. */
  passTo(at: Timestamp): void {
    this.#time = at > this.#time ? at : timestamp(this.#time + 1n)
  }

  /** What the ledger in memory says: what a history goes by. */
  ledger(account: Address): Ledger {
    const ledger = this.#ledgers.get(account) ?? this.memory.ledger(account)
    this.#ledgers.set(account, ledger)
    return ledger
  }

  get reader(): Ledger {
    return this.ledger(ZERO_ADDRESS)
  }

  async tell(step: Step): Promise<Outcome> {
    const line = `${this.#time - this.cast.network.genesis} (${this.now}) ${step.name}`
    this.memory.setTime(this.#time)
    const expected = await outcomeOf(step.run(this.ledger(step.by)))
    await this.#stage.setTime(this.#time)
    const writes = new ChainWrites(this.#stage, step.by, this.cast.termsOf)
    return this.#compared(line, expected, await outcomeOf(step.run(writes)))
  }

  async postSeed(of: Period): Promise<Outcome> {
    const line = `${this.#time - this.cast.network.genesis} (${this.now}) seed of ${of}`
    this.memory.setTime(this.#time)
    const expected = await outcomeOf(this.#seeded(of))
    await this.#stage.setTime(this.#time)
    const posted = this.#stage.postSeed(of).then((events) => ({ events }))
    return this.#compared(line, expected, await outcomeOf(posted))
  }

  async #seeded(of: Period): Promise<{ readonly events: readonly LedgerEvent[] }> {
    this.memory.postSeed(of)
    const seed = await this.reader.seed(of)
    if (seed === undefined) throw new Error('a posted seed is there')
    return { events: [{ kind: 'seed-posted', period: of, seed }] }
  }

  async #compared(line: string, expected: Outcome, actual: Outcome): Promise<Outcome> {
    const kind = 'refused' in expected ? `refused ${expected.refused}` : 'done'
    this.#told.push(`${line}: ${kind}`)
    const verb = line.split(' ')[2] ?? ''
    const key = `${verb} ${kind}`
    this.counts.set(key, (this.counts.get(key) ?? 0) + 1)
    // The reasons beside the codes, for whoever reads the failure.
    if (!('events' in expected) || !('events' in actual)) {
      if (codeOf(expected) === codeOf(actual)) return expected
      const both = JSON.stringify({ memory: expected, chain: actual }, plain)
      throw new Error(`they differ: ${both}`)
    }
    expect(expected.events).toEqual(actual.events)
    this.cast.take(expected.events, this.now)
    await this.look(expected.events.some(({ kind }) => MOVES.has(kind)))
    return expected
  }

  /** Compares all that can be read. */
  async look(moved = true): Promise<void> {
    const { cast, now } = this
    const watched = {
      accounts: EVERYBODY.map(({ address }) => address),
      providers: cast.keepers.map(({ provider }) => provider),
      ...{ tokens: cast.tokens, deals: cast.deals, disputed: cast.disputed, now, moved },
    }
    const expected = await pictureOf(this.reader, watched)
    expect(expected).toEqual(await pictureOf(this.#stage.reader, watched))
  }
}

/** Events after which tokens are elsewhere. */
const MOVES: ReadonlySet<LedgerEvent['kind']> = new Set(['deposited', 'withdrawn'])

const plain = (_key: string, value: unknown): unknown =>
  typeof value === 'bigint' ? String(value) : value
