/**
 * Whether the ledger opens deals with this provider at all: not after a slash that left too little
 * stake, not after its end, not after its owner gave notice. Asked before anybody is promised anything,
 * so that nobody uploads what cannot become a deal.
 *
 * What the node itself has folded is known at once; the owner's notice is asked of the ledger, at most
 * every ten seconds. A ledger that does not answer refuses nothing: opening would fail by itself.
 */
import type { LedgerReader } from '@holdfast/chain'
import { type Clock, HoldfastError, type ProviderId } from '@holdfast/protocol'
import type { StandingFact } from '../follow/facts.ts'

const ASK_EVERY_MS = 10_000

export interface DoorDependencies {
  readonly ledger: Pick<LedgerReader, 'provider'>
  readonly provider: ProviderId
  readonly standing: () => Pick<StandingFact, 'stopped' | 'terminatedAt'>
  readonly clock: Clock
}

export class Door {
  readonly #dependencies: DoorDependencies
  #accepting: boolean | undefined
  #askedMs = Number.NEGATIVE_INFINITY

  constructor(dependencies: DoorDependencies) {
    this.#dependencies = dependencies
  }

  /** @throws HoldfastError `PROVIDER_STATE` saying why no deal opens. */
  async check(): Promise<void> {
    const { provider, standing } = this.#dependencies
    const { stopped, terminatedAt } = standing()
    const refuse = (reason: string): never => {
      throw new HoldfastError({ code: 'PROVIDER_STATE', provider, reason })
    }
    if (terminatedAt !== undefined) refuse(`it was terminated at period ${terminatedAt}`)
    if (stopped) refuse('a slash left it with less than the minimum stake')
    await this.#ask()
    if (this.#accepting === false) refuse('its owner takes no new deals')
  }

  async #ask(): Promise<void> {
    const { ledger, provider, clock } = this.#dependencies
    if (clock.now() - this.#askedMs < ASK_EVERY_MS) return
    this.#askedMs = clock.now()
    const record = await ledger.provider(provider).catch(() => undefined)
    if (record !== undefined) this.#accepting = record.accepting
  }
}
