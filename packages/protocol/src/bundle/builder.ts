/**
 * The root of a bundle, streaming: answers go in one after the other in the order of
 * docs/spec/bundles.md, section 1; what is kept is one node per level and the last deal.
 *
 * Invariants: an answer's place follows from how many came before; deals come by ascending slot and
 * with all their answers; no argument is kept. It does not judge answers: whoever builds a bundle
 * has just made them. It stores nothing either; `add` hands back each entry's hash for that.
 */
import { bytesUint, equalBytes } from '../bytes.ts'
import type { ChallengeContext } from '../challenge.ts'
import { invariant } from '../errors.ts'
import { depthFor } from '../geometry.ts'
import { dealId, type Hash32, toHex } from '../ids.ts'
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
import type { BundlePlace } from './order.ts'

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
  #deal: Uint8Array = new Uint8Array(32)
  #slot: SlotIndex | undefined
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
    invariant(!this.#done, 'this bundle is finished')
    invariant(answer.length > HEAD_BYTES, `an answer of ${answer.length} bytes`)
    const index = this.#count
    invariant(index < BUNDLE_ENTRIES_MAX, `a bundle has at most ${BUNDLE_ENTRIES_MAX} entries`)
    const place = this.#place(index, answer)
    const hash = bundleEntryHash(place, index, answer)
    this.#stack.push(0, hash)
    this.#count++
    return { index, place, hash }
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

  #place(index: bigint, answer: Uint8Array): BundlePlace {
    if (index < BUNDLE_GLOBALS) return { class: 'global', i: Number(index) }
    const i = Number((index - BUNDLE_GLOBALS) % BUNDLE_PER_DEAL)
    const deal = answer.subarray(0, 32)
    const slot = slotIndex(bytesUint(answer.subarray(SLOT_AT, HEAD_BYTES)))
    if (i === 0) {
      const last = this.#slot
      invariant(last === undefined || slot > last, `slot ${slot} comes after slot ${last}`)
      this.#deal = deal.slice()
      this.#slot = slot
    }
    invariant(
      slot === this.#slot && equalBytes(deal, this.#deal),
      `answer ${i} of slot ${this.#slot} was expected, not one of slot ${slot}`,
    )
    return { class: 'deal', slot, deal: dealId(toHex(deal)), i }
  }
}
