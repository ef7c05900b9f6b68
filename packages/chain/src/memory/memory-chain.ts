/**
 * A simulated chain: blocks, time that moves only when told, and reorganisations. Every write is a
 * block of its own. The newest `REWIND_BLOCKS` blocks can be taken back; events of all blocks are
 * kept, since followers may start from the beginning.
 */
import {
  type Address,
  type Amount,
  concatBytes,
  fromHex,
  type Hash32,
  HoldfastError,
  hash32,
  keccak,
  type Period,
  periodDeadline,
  periodStart,
  type Seconds,
  type Timestamp,
  timestamp,
  toHex,
  uintBytes,
  ZERO_HASH,
} from '@holdfast/protocol'
import { type AppliedBlock, type BlockRef, type LedgerEvent, REWIND_BLOCKS } from '../ledger.ts'
import { undoAll } from './journal.ts'
import { mintTokens, type World } from './world.ts'

interface Block extends AppliedBlock {
  /** Steps back; empty once the block can no longer be reorganised. */
  undo: readonly (() => void)[]
}

/** Gas of a simulated write and its price in wei: figures, so that receipts have them. */
const GAS = 100_000n
const GAS_PRICE = 1_000_000_000n

export interface MinedWrite {
  readonly block: BlockRef
  readonly transaction: Hash32
  readonly gasUsed: bigint
  readonly gasPrice: bigint
  readonly events: readonly LedgerEvent[]
}

export class Blocks {
  readonly world: World
  readonly #seed: Uint8Array
  /** The seed a period has when it is posted. */
  readonly #seedFor: (of: Period) => Hash32
  readonly #blocks: Block[] = []
  readonly #waiting = new Set<() => void>()
  #time: Timestamp
  /** Makes hashes of replaced blocks differ. */
  #salt = 0n

  /** @param seedFor the seed of a period; fixed by the chain's own seed unless given. */
  constructor(world: World, seed: Uint8Array, seedFor?: (of: Period) => Hash32) {
    this.world = world
    this.#seed = seed.slice()
    this.#seedFor = seedFor ?? ((of) => this.#hash('seed', uintBytes(of, 8)))
    this.#time = world.network.genesis
    this.#append([], [])
  }

  get tip(): BlockRef {
    const newest = this.#blocks.at(-1)
    if (newest === undefined) throw new HoldfastError({ code: 'INVARIANT', sentence: 'no blocks' })
    return newest.ref
  }

  /** The time of the next block. */
  get time(): Timestamp {
    return this.#time
  }

  at(number: bigint): AppliedBlock | undefined {
    return number < 0n ? undefined : this.#blocks[Number(number)]
  }

  /** Applies a write in a block of its own, or throws what it is refused with and changes nothing. */
  write(change: (world: World) => void): MinedWrite {
    this.world.time = this.#time
    try {
      change(this.world)
    } catch (refusal) {
      this.world.journal.rollBack()
      this.world.takeEvents()
      this.world.time = this.tip.timestamp
      throw refusal
    }
    const events = this.world.takeEvents()
    this.#append(events, this.world.journal.take())
    const block = this.tip
    const transaction = this.#hash('transaction', fromHex(block.hash))
    return { block, transaction, gasUsed: GAS, gasPrice: GAS_PRICE, events }
  }

  setTime(at: Timestamp): void {
    if (at < this.tip.timestamp) {
      throw new HoldfastError({ code: 'USAGE', reason: 'block time does not go back' })
    }
    this.#time = at
  }

  advance(by: Seconds): void {
    this.#time = timestamp(this.#time + by)
    this.write(() => undefined)
  }

  postSeed(of: Period): void {
    this.write((world) => {
      const { network } = world
      const deadline = periodDeadline(network, of)
      if (world.time < periodStart(network, of)) {
        throw new HoldfastError({ code: 'SEED_MISSING', period: of })
      }
      if (world.time >= deadline) {
        throw new HoldfastError({ code: 'WINDOW_CLOSED', period: of, deadline })
      }
      if (world.seeds.has(of)) {
        const reason = `period ${of} has its seed already`
        throw new HoldfastError({ code: 'NOTHING_TO_DO', reason })
      }
      const seed = this.#seedFor(of)
      world.seeds.set(of, seed)
      world.emit({ kind: 'seed-posted', period: of, seed })
    })
  }

  mint(token: Address, owner: Address, value: Amount): void {
    this.write((world) => mintTokens(world, token, owner, value))
  }

  /** Replaces the newest blocks by as many empty ones of the same times. */
  reorg(depth: number): void {
    if (depth > REWIND_BLOCKS || depth >= this.#blocks.length) {
      const limit = Math.min(REWIND_BLOCKS, this.#blocks.length - 1)
      throw new HoldfastError({ code: 'USAGE', reason: `at most ${limit} blocks, not ${depth}` })
    }
    const removed = this.#blocks.splice(this.#blocks.length - depth, depth)
    for (const block of removed.toReversed()) undoAll(block.undo)
    this.#salt += 1n
    const now = this.#time
    for (const block of removed) {
      this.#time = block.ref.timestamp
      this.#append([], [])
    }
    this.#time = now
    this.world.time = this.tip.timestamp
  }

  /** Resolves when there is another block than now, or the signal fires. */
  changed(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#waiting.delete(done)
        signal.removeEventListener('abort', done)
        resolve()
      }
      this.#waiting.add(done)
      signal.addEventListener('abort', done, { once: true })
      if (signal.aborted) done()
    })
  }

  #hash(domain: string, data: Uint8Array): Hash32 {
    return hash32(toHex(keccak(new TextEncoder().encode(domain), this.#seed, data)))
  }

  #append(events: readonly LedgerEvent[], undo: readonly (() => void)[]): void {
    const parent = this.#blocks.at(-1)?.ref.hash ?? ZERO_HASH
    const number = BigInt(this.#blocks.length)
    const head = concatBytes(
      ...[fromHex(parent), uintBytes(number, 8)],
      ...[uintBytes(this.#time, 8), uintBytes(this.#salt, 8)],
    )
    const ref = { number, hash: this.#hash('block', head), timestamp: this.#time }
    this.#blocks.push({ ref, events, undo })
    this.world.time = this.#time
    const settled = this.#blocks[this.#blocks.length - 1 - REWIND_BLOCKS]
    if (settled !== undefined) settled.undo = []
    for (const wake of [...this.#waiting]) wake()
  }
}
