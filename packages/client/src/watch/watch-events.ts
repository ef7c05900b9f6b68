/**
 * What a watch says, as values: one JSON line each with `--json`, one line of text otherwise. Amounts
 * are in base units of the network's first token, gas in wei.
 */

import type { Address, Amount, DealId, Hash32, Period, ProviderId } from '@holdfast/protocol'
import type { DealCheck } from '../audit/check-deal.ts'
import type { Silent } from '../audit/check-replicas.ts'

/** What an event is about. */
export interface Subject {
  /** Null: the provider's global entries. */
  readonly deal: DealId | null
  readonly provider: ProviderId
  readonly period: Period
}

export type WatchEvent =
  | {
      readonly event: 'watching'
      readonly account: Address
      readonly deals: number
      readonly period: Period
      readonly gasBudget: bigint
      readonly bondBudget: Amount
      readonly disputes: boolean
    }
  | ({ readonly event: 'checked' } & Subject & (DealCheck | Silent))
  /** Opened on chain; the bond is at stake. */
  | ({
      readonly event: 'disputed'
      readonly dispute: Hash32
      readonly challenge: number
      readonly bond: Amount
      readonly gas: bigint
    } & Subject)
  /** The provider showed the entry on chain: the bond is gone. */
  | ({ readonly event: 'answered'; readonly dispute: Hash32; readonly bond: Amount } & Subject)
  /** Nobody answered in time: bond back, and half of the slash when we claimed it. */
  | ({
      readonly event: 'lost'
      readonly dispute: Hash32
      readonly bond: Amount
      readonly reward: Amount | null
    } & Subject)
  | ({ readonly event: 'expired'; readonly dispute: Hash32; readonly bond: Amount } & Subject)
  /** The deal that a lost dispute showed lost is faulty now: no longer paid. */
  | ({ readonly event: 'declared-lost' } & Subject)
  /** A dispute would be right, and is not opened. */
  | ({ readonly event: 'held-back'; readonly reason: string } & Subject)
  | ({
      readonly event: 'failed'
      readonly action: string
      readonly code: string
      readonly reason: string
    } & Subject)
  /** The chain could not be asked; goes on by itself. */
  | { readonly event: 'trouble'; readonly code: string; readonly reason: string }
  | {
      readonly event: 'stopped'
      readonly shown: number
      readonly wrong: number
      readonly silent: number
      readonly disputes: number
      /** Wei that count in the present block of 30 periods. */
      readonly gasUsed: bigint
      readonly bondsAtStake: Amount
    }

export type Tell = (event: WatchEvent) => void
