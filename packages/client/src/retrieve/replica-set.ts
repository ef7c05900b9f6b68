/**
 * Blocks of a dataset from whichever replica gives the right ones. A replica that gives wrong bytes
 * or none is named, left, and not asked again; the next one continues at the very block.
 */
import { HoldfastError } from '@holdfast/protocol'
import type { CID } from 'multiformats/cid'
import { toHoldfastError } from '../ui/json.ts'
import type { BlockGetter } from './replica-reader.ts'

/** A replica that can be opened. */
export interface ReplicaCandidate {
  /** How it is called in messages: the provider. */
  readonly name: string
  readonly deal: string
  open(): Promise<BlockGetter>
}

export interface LeftReplica {
  readonly provider: string
  readonly deal: string
  readonly error: HoldfastError
}

export interface ReplicaSetOptions {
  readonly dataset: string
  /** Told when a replica is left. */
  readonly onLeft: (left: LeftReplica) => void
}

export class ReplicaSet implements BlockGetter {
  readonly #candidates: ReplicaCandidate[]
  readonly #options: ReplicaSetOptions
  readonly #left: LeftReplica[] = []
  #current: Promise<BlockGetter> | undefined

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
      const [candidate] = this.#candidates
      if (candidate === undefined) throw this.#exhausted(cid)
      this.#current ??= candidate.open()
      const current = this.#current
      try {
        return await (await current).get(cid, sizeHint)
      } catch (error) {
        if (HoldfastError.is(error, 'ABORTED') || !HoldfastError.is(error)) throw error
        if (this.#current === current) this.#leave(candidate, toHoldfastError(error))
      }
    }
  }

  #leave({ name: provider, deal }: ReplicaCandidate, error: HoldfastError): void {
    const left = { provider, deal, error }
    this.#candidates.shift()
    this.#current = undefined
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
