/**
 * Blocks of a dataset from whichever replica gives the right ones. A replica that gives wrong bytes
 * or none is named, left, and not asked again; the next one continues at the very block. One that is
 * only slow to open is passed over, and stays for later.
 */
import { type Clock, HoldfastError } from '@holdfast/protocol'
import type { CID } from 'multiformats/cid'
import { unlessAborted } from '../abort.ts'
import { firstToOpen, type OpenedReplica, type ReplicaCandidate } from './first-to-open.ts'
import type { BlockGetter } from './replica-reader.ts'

export interface LeftReplica {
  readonly provider: string
  readonly deal: string
  readonly error: HoldfastError
}

export interface ReplicaSetOptions {
  readonly dataset: string
  readonly clock: Clock
  /** Told when a replica is left. */
  readonly onLeft: (left: LeftReplica) => void
}

export class ReplicaSet implements BlockGetter {
  readonly #candidates: ReplicaCandidate[]
  readonly #options: ReplicaSetOptions
  readonly #left: LeftReplica[] = []
  #current: Promise<OpenedReplica | undefined> | undefined

  constructor(candidates: readonly ReplicaCandidate[], options: ReplicaSetOptions) {
    this.#candidates = [...candidates]
    this.#options = options
  }

  get left(): readonly LeftReplica[] {
    return this.#left
  }

  /** The provider that serves now. */
  get serving(): string | undefined {
    return this.#candidates[0]?.name
  }

  /**
   * @throws HoldfastError `PEER_MISBEHAVED` when all replicas failed and one gave wrong bytes,
   * `REPLICAS_EXHAUSTED` when none could be reached.
   */
  async get(cid: CID, sizeHint?: number): Promise<Uint8Array> {
    for (;;) {
      this.#current ??= this.#open()
      const current = this.#current
      const opened = await current
      if (opened === undefined) throw this.#exhausted(cid)
      try {
        return await opened.blocks.get(cid, sizeHint)
      } catch (error) {
        const failure = unlessAborted(error)
        if (this.#current !== current) continue
        this.#current = undefined
        this.#leave(opened.candidate, failure)
      }
    }
  }

  async #open(): Promise<OpenedReplica | undefined> {
    const opened = await firstToOpen([...this.#candidates], {
      clock: this.#options.clock,
      onFailed: (candidate, error) => this.#leave(candidate, error),
    })
    if (opened !== undefined) {
      this.#candidates.splice(this.#candidates.indexOf(opened.candidate), 1)
      this.#candidates.unshift(opened.candidate)
    }
    return opened
  }

  #leave(candidate: ReplicaCandidate, error: HoldfastError): void {
    const left = { provider: candidate.name, deal: candidate.deal, error }
    this.#candidates.splice(this.#candidates.indexOf(candidate), 1)
    this.#left.push(left)
    this.#options.onLeft(left)
  }

  #exhausted(cid: CID): HoldfastError {
    const liars = this.#left.filter(({ error }) => error.row.exit === 'verification')
    if (liars.length === 0) {
      const tried = this.#left.map(({ provider }) => provider)
      return new HoldfastError({
        code: 'REPLICAS_EXHAUSTED',
        dataset: this.#options.dataset,
        tried,
      })
    }
    const peer = liars.map(({ provider }) => provider).join(', ')
    const reason = `wrong bytes, and no other replica gave the right ones for ${cid.toString()}`
    return new HoldfastError({ code: 'PEER_MISBEHAVED', peer, reason })
  }
}
