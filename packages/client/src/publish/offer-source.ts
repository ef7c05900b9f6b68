/**
 * Offers one after another: those of a plan, or of providers asked in order of price, uploads that
 * were interrupted first. Providers that cannot offer are noted and skipped.
 */
import type { ProviderRecord } from '@holdfast/chain'
import type { CallOptions, ProviderId } from '@holdfast/protocol'
import { unlessAborted } from '../abort.ts'
import type { PublishJob, ReplicaFailure } from './job-types.ts'
import { checkOffer, eligibleProviders, type Offer, requestOffer } from './offers.ts'

export class OfferSource {
  readonly #job: PublishJob
  readonly #records: ProviderRecord[]
  readonly #planned: Offer[]
  readonly #refusals: ReplicaFailure[] = []

  private constructor(job: PublishJob, records: ProviderRecord[], planned: Offer[]) {
    this.#job = job
    this.#records = records
    this.#planned = planned
  }

  static async open(
    job: PublishJob,
    taken: ReadonlySet<ProviderId>,
    options: CallOptions,
  ): Promise<OfferSource> {
    if (job.offers !== undefined) {
      const planned = job.offers.filter(({ record }) => !taken.has(record.provider))
      return new OfferSource(job, [], planned)
    }
    const records = await job.ledger.providers(options)
    const begun = new Set(job.context.record.replicas.map(({ provider }) => provider))
    const fitting = eligibleProviders(records, job.offerRequest, taken)
    const order = [
      ...fitting.filter(({ provider }) => begun.has(provider)),
      ...fitting.filter(({ provider }) => !begun.has(provider)),
    ]
    return new OfferSource(job, order, [])
  }

  /** Providers that fitted by the ledger but gave no valid offer, and why. */
  get refusals(): readonly ReplicaFailure[] {
    return this.#refusals
  }

  async next(options: CallOptions): Promise<Offer | undefined> {
    const planned = this.#planned.shift()
    if (planned !== undefined) return planned
    for (let record = this.#records.shift(); record !== undefined; record = this.#records.shift()) {
      try {
        return this.#kept(record, await this.#now()) ?? (await this.#ask(record, options))
      } catch (error) {
        this.#refusals.push({ provider: record.provider, error: unlessAborted(error) })
      }
    }
    return undefined
  }

  /** The offer an interrupted run wrote down, while it is good. */
  #kept(record: ProviderRecord, now: Offer['response']['quote']['expiry']): Offer | undefined {
    const { network } = this.#job.ledger
    const response = this.#job.context.record.replica(record.provider).offer
    if (response === undefined) return undefined
    try {
      return checkOffer({ record, response, request: this.#job.offerRequest }, { network, now })
    } catch {
      // It ran out, or other terms are wanted now: a fresh one is asked for.
      return undefined
    }
  }

  async #ask(record: ProviderRecord, options: CallOptions): Promise<Offer> {
    const { ledger, peers, offerRequest } = this.#job
    const peer = await peers.peer(record, options)
    const now = await this.#now()
    return requestOffer(peer, record, offerRequest, { network: ledger.network, now, ...options })
  }

  #now(): ReturnType<PublishJob['context']['now']> {
    return this.#job.context.now()
  }
}
