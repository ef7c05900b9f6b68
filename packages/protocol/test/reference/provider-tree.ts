/**
 * The provider tree as its definition reads, recursive over an array of slots, and the growth rule
 * step by step as the contract applies it.
 */
import { keccak, uint, unhex } from './bytes.ts'

export interface Slot {
  readonly deal: string
  readonly scheme: number
  readonly root: string
  readonly leaves: bigint
}

export interface Sum {
  readonly hash: Buffer
  readonly weight: bigint
}

export const slotSum = (slot: Slot | undefined): Sum =>
  slot === undefined
    ? { hash: Buffer.alloc(32), weight: 0n }
    : {
        hash: keccak(
          unhex(slot.deal),
          uint(slot.scheme, 1),
          unhex(slot.root),
          uint(slot.leaves, 8),
        ),
        weight: slot.leaves,
      }

export const join = (left: Sum, right: Sum): Sum => ({
  hash: keccak(left.hash, uint(left.weight, 8), right.hash, uint(right.weight, 8)),
  weight: left.weight + right.weight,
})

/** The node at `level` and `index` of a tree whose slots are these; those beyond are empty. */
export const sumAt = (slots: readonly (Slot | undefined)[], level: number, index: number): Sum =>
  level === 0
    ? slotSum(slots[index])
    : join(sumAt(slots, level - 1, 2 * index), sumAt(slots, level - 1, 2 * index + 1))

/** Siblings of a slot in a tree of `depth`, from the leaf level up. */
export const siblings = (
  slots: readonly (Slot | undefined)[],
  depth: number,
  slot: number,
): readonly Sum[] =>
  Array.from({ length: depth }, (_, level) =>
    sumAt(slots, level, Math.floor(slot / 2 ** level) ^ 1),
  )

/** What the contract keeps of one provider, and what it does when a slot is set. */
export class ContractTree {
  readonly slots: (Slot | undefined)[] = []
  depth = 0

  put(slot: number, value: Slot | undefined): void {
    if (slot === this.slots.length && slot > 0 && slot === 2 ** this.depth) this.depth++
    this.slots[slot] = value
  }

  get top(): Sum {
    return sumAt(this.slots, this.depth, 0)
  }
}
