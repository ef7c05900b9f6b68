/**
 * Chooses places for payloads that are on their way. Many at once, so that one sync makes all of
 * them durable; one after another only under the same name.
 *
 * Invariant: room that was asked for and not yet answered is not promised again; only when what is
 * being asked for may come back is a payload refused for want of room.
 */
import { type Bytes, type Commitment, HoldfastError } from '@holdfast/protocol'
import { keptLayersLength } from '@holdfast/prover'
import { FIRST_RECORD, recordBytes } from './sector-format.ts'
import type { StagingName } from './sector-store.ts'
import type { Volume } from './volume.ts'
import type { VolumeList } from './volume-list.ts'
import type { ReservedPlace } from './volume-ops.ts'

export interface ReservationAsked {
  readonly name: StagingName
  readonly commitment: Commitment
  /** The volume to use; chosen by room and speed otherwise. */
  readonly on?: Volume | undefined
}

export class Reserving {
  readonly #list: VolumeList
  readonly #byName = new Map<StagingName, Promise<unknown>>()
  readonly #asking = new Set<Promise<unknown>>()

  constructor(list: VolumeList) {
    this.#list = list
  }

  /**
   * The new place; undefined when the payload has one under this name already.
   * @throws HoldfastError `DISK_FULL`, `STORE_READ_ONLY`, `VOLUME_UNAVAILABLE`.
   */
  async reserve(asked: ReservationAsked): Promise<ReservedPlace | undefined> {
    const { name } = asked
    const before = this.#byName.get(name)
    const work = before === undefined ? this.#place(asked) : before.then(() => this.#place(asked))
    const ended = work.catch(() => undefined)
    this.#byName.set(name, ended)
    try {
      return await work
    } finally {
      if (this.#byName.get(name) === ended) this.#byName.delete(name)
    }
  }

  async #place({ name, commitment, on }: ReservationAsked): Promise<ReservedPlace | undefined> {
    const present = this.#list.holding(name)
    if (present?.reservations.get(name)?.commitment.root === commitment.root) return undefined
    const layersBytes = keptLayersLength(commitment.length, commitment.scheme)
    const needed = recordBytes(commitment.length, layersBytes) + BigInt(FIRST_RECORD)
    const volume = on ?? (await this.#choose(needed))
    const answer = this.#ask(volume, { name, commitment, layersBytes, needed })
    const ended = answer.catch(() => undefined)
    this.#asking.add(ended)
    try {
      return await answer
    } finally {
      this.#asking.delete(ended)
    }
  }

  /** Looks again for want of room after what is under way has been answered. */
  async #choose(needed: bigint): Promise<Volume> {
    for (;;) {
      try {
        return this.#list.choose(needed)
      } catch (error) {
        if (!HoldfastError.is(error, 'DISK_FULL') || this.#asking.size === 0) throw error
        await Promise.all(this.#asking)
      }
    }
  }

  async #ask(
    volume: Volume,
    {
      name,
      commitment,
      layersBytes,
      needed,
    }: Omit<ReservationAsked, 'on'> & {
      readonly layersBytes: Bytes
      readonly needed: bigint
    },
  ): Promise<ReservedPlace> {
    volume.asked += needed
    try {
      const place = await volume.ask({ kind: 'reserve', name, commitment, layersBytes })
      volume.reservations.set(name, { commitment, place })
      return place
    } finally {
      volume.asked -= needed
    }
  }
}
