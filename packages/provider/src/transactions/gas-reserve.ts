/**
 * Gas money for the window to come: what is kept before new promises are made. An operator hears
 * days before that the account runs dry (`alarms/alarm-rules.ts`); when it happens all the same, new
 * deals stop first and proofs last.
 */
import type { TxReceipt } from '@holdfast/chain'
import { type CallOptions, HoldfastError, type ProviderId } from '@holdfast/protocol'

/** The dearest of so many transactions is what the next one may cost. */
const REMEMBERED = 20
/** A proof, an opening and a settlement, ... */
const PER_WINDOW = 3n
/** ... each at twice the price. */
const PRICE_ROOM = 2n

export interface GasReserveOptions {
  readonly provider: ProviderId
  /** Native coin of the operator's account, in wei. */
  readonly balance: (options?: CallOptions) => Promise<bigint>
}

/** One window's reserve from what transactions cost lately, in wei; 0 while none is known. */
export const reserveFor = (costs: readonly bigint[]): bigint =>
  costs.reduce(dearer, 0n) * PER_WINDOW * PRICE_ROOM

const dearer = (a: bigint, b: bigint): bigint => (a > b ? a : b)

export class GasReserve {
  readonly #options: GasReserveOptions
  #costs: readonly bigint[] = []

  constructor(options: GasReserveOptions) {
    this.#options = options
  }

  /** What a transaction of this node cost. */
  note({ gasUsed, gasPrice }: Pick<TxReceipt, 'gasUsed' | 'gasPrice'>): void {
    this.#costs = [...this.#costs, gasUsed * gasPrice].slice(-REMEMBERED)
  }

  /** @throws HoldfastError `PROVIDER_STATE` when the account does not carry another deal. */
  async check(): Promise<void> {
    const { provider, balance } = this.#options
    const [available, reserve] = [await balance(), reserveFor(this.#costs)]
    if (available > 0n && available >= reserve) return
    const reason = `it keeps its last ${available} wei of gas money for proofs (reserve ${reserve})`
    throw new HoldfastError({ code: 'PROVIDER_STATE', provider, reason })
  }
}
