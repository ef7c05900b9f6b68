/**
 * The root of a bundle, streaming: answers go in one after the other in the order of
 * docs/spec/bundles.md, section 1; what is kept is one node per level and the last deal.
 *
 * Invariants: an answer's place follows from how many came before; deals come by ascending slot and
 * with all their answers; no argument is kept. It does not judge answers: whoever builds a bundle
 * has just made them. It stores nothing either; `add` hands back each entry's hash for that.
 */
import { bytesUint } from '../bytes.ts'
import type { ChallengeContext } from '../challenge.ts'
import { invariant } from '../errors.ts'
import { depthFor } from '../geometry.ts'
import { type DealId, dealId, type Hash32, toHex } from '../ids.ts'
import { NodeStack } from '../merkle/node-stack.ts'
import { type SlotIndex, slotIndex } from '../units.ts'
import {
  BUNDLE_ENTRIES_MAX,
  BUNDLE_GLOBALS,
  BUNDLE_PER_DEAL,
  bundleEntryHash,
  bundleHasher,
  bundleRoot,
  bundleZeroNode,
  isBundleCount,
} from './entry.ts'
import type { BundleDeal, BundlePlace } from './order.ts'

const SLOT_AT = 73
const HEAD_BYTES = 77

/** An entry as it went into the bundle. */
export interface BuiltEntry {
  readonly index: bigint
  readonly place: BundlePlace
  /** 32 bytes, what paths are made of. */
  readonly hash: Uint8Array
}

/** A finished bundle: the 32 bytes to commit, and how many entries they stand for. */
export interface BuiltBundle {
  readonly root: Hash32
  readonly count: bigint
}

export class BundleBuilder {
  readonly #context: ChallengeContext
  readonly #stack: NodeStack = new NodeStack(bundleHasher)
  #count = 0n
  /** Whose five answers come now. */
  #turn: BundleDeal | undefined
  #done = false

  constructor(context: ChallengeContext) {
    this.#context = context
  }

  /** Answers so far. */
  get count(): bigint {
    return this.#count
  }

  /**
   * Appends the next answer, whose deal and slot are read from it.
   * @throws HoldfastError `INVARIANT` for a deal's answer that is not the one expected next, for
   *   bytes too short to be an answer, and after `finish`.
   */
  add(answer: Uint8Array): BuiltEntry {
    invariant(answer.length > HEAD_BYTES, `an answer of ${answer.length} bytes`)
    const deal = dealId(toHex(answer.subarray(0, 32)))
    return this.#append(answer, slotIndex(bytesUint(answer.subarray(SLOT_AT, HEAD_BYTES))), deal)
  }

  /**
   * Appends an entry without an answer (docs/spec/bundles.md, section 5). `at` says whose turn it
   * is; the next global answer's when it is omitted.
   * @throws HoldfastError `INVARIANT` as `add`.
   */
  addAbsent(at?: BundleDeal): BuiltEntry {
    const global = this.#count < BUNDLE_GLOBALS
    invariant(global === (at === undefined), `entry ${this.#count} is not of that class`)
    return this.#append(new Uint8Array(0), at?.slot, at?.deal)
  }

  /**
   * The bundle of what was added.
   * @throws HoldfastError `INVARIANT` when global answers or some of the last deal's are missing,
   *   and when called twice.
   */
  finish(): BuiltBundle {
    invariant(!this.#done, 'this bundle is finished')
    const count = this.#count
    invariant(isBundleCount(count), `${count} answers are not 460 and five per deal`)
    const depth = depthFor(count)
    while (this.#stack.position < 1n << BigInt(depth)) {
      const level = this.#stack.alignment
      this.#stack.push(level, bundleZeroNode(level))
    }
    this.#done = true
    return { root: bundleRoot(this.#context, count, this.#stack.rootAt(depth)), count }
  }

  #append(answer: Uint8Array, slot?: SlotIndex, deal?: DealId): BuiltEntry {
    invariant(!this.#done, 'this bundle is finished')
    const index = this.#count
    invariant(index < BUNDLE_ENTRIES_MAX, `a bundle has at most ${BUNDLE_ENTRIES_MAX} entries`)
    const place = this.#place(index, slot, deal)
    const hash = bundleEntryHash(place, index, answer)
    this.#stack.push(0, hash)
    this.#count++
    return { index, place, hash }
  }

  #place(index: bigint, slot?: SlotIndex, deal?: DealId): BundlePlace {
    if (index < BUNDLE_GLOBALS) return { class: 'global', i: Number(index) }
    invariant(slot !== undefined && deal !== undefined, `entry ${index} belongs to a deal`)
    const i = Number((index - BUNDLE_GLOBALS) % BUNDLE_PER_DEAL)
    if (i === 0) {
      const last = this.#turn?.slot
      invariant(last === undefined || slot > last, `slot ${slot} comes after slot ${last}`)
      this.#turn = { slot, deal }
    }
    invariant(
      slot === this.#turn?.slot && deal === this.#turn.deal,
      `answer ${i} of slot ${this.#turn?.slot} was expected, not one of slot ${slot}`,
    )
    return { class: 'deal', slot, deal, i }
  }
}
