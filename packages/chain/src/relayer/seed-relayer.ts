/**
 * Posts the seed of every period: waits until the period's drand round is due, gets its signature,
 * sends it. Anybody may run one; several do no harm, since the contract takes the first. A period
 * that gets no seed within its window is void: that is logged as an error, never papered over.
 */

import type { Hash32 } from '@holdfast/protocol'
import {
  type CallOptions,
  type Clock,
  HoldfastError,
  type Logger,
  milliseconds,
  type Period,
  period,
  periodAt,
  periodDeadline,
  roundFor,
  roundTime,
  type Timestamp,
} from '@holdfast/protocol'
import type { NetworkParams } from '../ledger.ts'
import { signaturePoint } from './drand.ts'
import type { SeedSource } from './seed-source.ts'

/** What the relayer needs of the chain. */
export interface SeedLedger {
  readonly network: NetworkParams
  /** The time the next block would have. */
  time(options?: CallOptions): Promise<Timestamp>
  seed(period: Period, options?: CallOptions): Promise<Hash32 | undefined>
  postSeed(period: Period, signature: Uint8Array, options?: CallOptions): Promise<unknown>
}

export interface SeedRelayerParameters {
  readonly ledger: SeedLedger
  readonly source: SeedSource
  readonly clock: Clock
  readonly logger: Logger
  /** The pause between two looks at the time. */
  readonly pollMs: number
}

/** What there is to do at a moment. Pure. */
export type SeedDuty =
  | { readonly kind: 'post'; readonly period: Period; readonly round: bigint }
  | { readonly kind: 'wait'; readonly until: Timestamp }

/** @param posted the newest period that is known to have a seed or to be void. */
export const seedDutyAt = (
  network: NetworkParams,
  now: Timestamp,
  posted: Period | undefined,
): SeedDuty => {
  if (now < network.genesis) return { kind: 'wait', until: network.genesis }
  const current = periodAt(network, now)
  const done = posted !== undefined && posted >= current
  const open = !done && now < periodDeadline(network, current)
  const next = open ? current : period((done ? posted : current) + 1n)
  const round = roundFor(network, next)
  const due = roundTime(network, round)
  return open && now >= due
    ? { kind: 'post', period: current, round }
    : { kind: 'wait', until: due }
}

export class SeedRelayer {
  readonly #parameters: SeedRelayerParameters
  #posted: Period | undefined
  #failures = 0

  constructor(parameters: SeedRelayerParameters) {
    this.#parameters = parameters
  }

  /** Works until the signal fires. Failures of chain and sources are logged and tried again. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, logger, pollMs } = this.#parameters
    while (!signal.aborted) {
      try {
        await this.#step(signal)
        this.#failures = 0
      } catch (cause) {
        if (signal.aborted) return
        this.#failures += 1
        logger.warn('seed not posted', { cause, failures: this.#failures })
      }
      const wait = pollMs * Math.min(2 ** this.#failures, 16)
      await clock.sleep(milliseconds(wait), { signal }).catch(() => undefined)
    }
  }

  async #step(signal: AbortSignal): Promise<void> {
    const { ledger, source, logger } = this.#parameters
    const now = await ledger.time({ signal })
    const duty = seedDutyAt(ledger.network, now, this.#posted)
    if (duty.kind === 'wait') return
    this.#noteVoid(duty.period)
    if ((await ledger.seed(duty.period, { signal })) === undefined) {
      const { signature } = await source.fetch(duty.round, { signal })
      await this.#post(duty.period, signaturePoint(signature), signal)
      logger.info('seed posted', { period: duty.period, round: duty.round })
    }
    this.#posted = duty.period
  }

  async #post(of: Period, point: Uint8Array, signal: AbortSignal): Promise<void> {
    const { ledger } = this.#parameters
    try {
      await ledger.postSeed(of, point, { signal })
    } catch (cause) {
      // Another relayer was faster: then the seed is there.
      const isThere =
        !HoldfastError.is(cause, 'ABORTED') && (await ledger.seed(of, { signal })) !== undefined
      if (!isThere) throw cause
    }
  }

  #noteVoid(next: Period): void {
    if (this.#posted === undefined || next <= this.#posted + 1n) return
    const from = this.#posted + 1n
    this.#parameters.logger.error('periods are void: no seed came in time', { from, to: next })
  }
}
