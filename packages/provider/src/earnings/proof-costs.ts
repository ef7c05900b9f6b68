/**
 * Shares the gas of proofs among deals by weight: a deal of w leaves pays gas · w / weight for every
 * proven period in which it was in the tree. Kept as one running sum of gas per leaf, so a deal's
 * share is one subtraction however many periods and deals there are.
 *
 * Invariant: the shares of all deals of a period never add up to more than its gas; rounding leaves
 * less than one wei per deal and period to nobody.
 */
import { type Leaves, type Period, period } from '@holdfast/protocol'

/** Fixed-point fraction of the running sum: 2^64 parts of a wei per leaf. */
const FRACTION_BITS = 64n

/** What one period's proofs cost per leaf, scaled by 2^64. */
export interface ProofCost {
  readonly period: Period
  readonly perLeaf: bigint
}

/** Gas per leaf in the scale of this file, rounded down. */
export const perLeafOf = (wei: bigint, weight: Leaves): bigint =>
  weight === 0n ? 0n : (wei << FRACTION_BITS) / weight

export class ProofCosts {
  /** By period, ascending. */
  readonly #periods: Period[] = []
  /** `#sums[i]` is the sum through `#periods[i]`. */
  readonly #sums: bigint[] = []

  static of(costs: Iterable<ProofCost>): ProofCosts {
    const all = new ProofCosts()
    for (const cost of costs) all.#append(cost)
    return all
  }

  /** Adds the gas of a proof. A second proof of a period (after a reorganisation) adds to it. */
  add(proof: { readonly period: Period; readonly weight: Leaves }, wei: bigint): void {
    this.#append({ period: proof.period, perLeaf: perLeafOf(wei, proof.weight) })
  }

  /** A deal's part of the proofs of periods from <= p < to, in wei, rounded down. */
  share(leaves: Leaves, from: Period, to: Period): bigint {
    if (to <= from) return 0n
    return ((this.#before(to) - this.#before(from)) * leaves) >> FRACTION_BITS
  }

  #append({ period: of, perLeaf }: ProofCost): void {
    const at = this.#periods.findLastIndex((known) => known <= of)
    if (this.#periods[at] !== of) {
      this.#periods.splice(at + 1, 0, of)
      this.#sums.splice(at + 1, 0, this.#sums[at] ?? 0n)
    }
    const first = this.#periods[at] === of ? at : at + 1
    for (let i = first; i < this.#sums.length; i++) this.#sums[i] = (this.#sums[i] ?? 0n) + perLeaf
  }

  /** The sum over all periods before `to`. */
  #before(to: Period): bigint {
    let low = 0
    let high = this.#periods.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#periods[middle] ?? period(0)) < to) low = middle + 1
      else high = middle
    }
    return this.#sums[low - 1] ?? 0n
  }
}
