/**
 * Hashing while an upload arrives: what has become durable of a large payload is given to the prover
 * at once, so that sealing need not read it again. A convenience: whatever does not fit (a restart, a
 * range written twice, a full queue) falls back to hashing the whole file when it is sealed.
 *
 * Invariant: every byte is given to the prover once, by the first sync that began after it was
 * written; a byte that is written again afterwards ends the convenience for that upload.
 */
import { bytes, type Commitment } from '@holdfast/protocol'
import type { Prover, RangeCommit } from '@holdfast/prover'
import { addRange, type ByteRange, coversRange, touchesRange } from './ranges.ts'
import type { StagingName } from './sector-store.ts'
import type { ReservedPlace } from './volume-ops.ts'

/** What the store needs of a prover. */
export type SealingProver = Pick<Prover, 'commitFile'> &
  Partial<Pick<Prover, 'commitRanges' | 'commitSmall' | 'commitBytes'>>

interface Running {
  readonly commit: RangeCommit
  /** Written after the last sync began. */
  written: readonly ByteRange[]
  /** Being synced, or durable: must not change any more. */
  taken: readonly ByteRange[]
  /** Given to the prover. */
  covered: readonly ByteRange[]
  failed: boolean
  work: Promise<unknown>
}

export class UploadCommits {
  readonly #prover: SealingProver
  readonly #running = new Map<StagingName, Running>()

  constructor(prover: SealingProver) {
    this.#prover = prover
  }

  /** A fresh reservation: nothing of it was written before. */
  begin(name: StagingName, { scheme, length }: Commitment, place: ReservedPlace): void {
    const { path, payload, layers } = place
    const commit = this.#prover.commitRanges?.(
      { path, offset: bytes(payload), length },
      { scheme, layers: { path, offset: bytes(layers) }, syncLayers: false },
    )
    if (commit === undefined) return
    const none = { written: [], taken: [], covered: [] }
    this.#running.set(name, { commit, ...none, failed: false, work: Promise.resolve() })
  }

  wrote(name: StagingName, offset: number, length: number): void {
    const running = this.#running.get(name)
    if (running === undefined) return
    const range = { start: bytes(offset), end: bytes(offset + length) }
    if (touchesRange(running.taken, range)) this.#running.delete(name)
    else running.written = addRange(running.written, range)
  }

  /** A sync begins: what it makes durable and no sync before it does. */
  syncing(name: StagingName): readonly ByteRange[] {
    const running = this.#running.get(name)
    if (running === undefined) return []
    const { written } = running
    running.taken = written.reduce(addRange, running.taken)
    running.written = []
    return written
  }

  /** That sync is through: these bytes will not change any more. */
  durable(name: StagingName, ranges: readonly ByteRange[]): void {
    const running = this.#running.get(name)
    if (running === undefined) return
    running.covered = ranges.reduce(addRange, running.covered)
    const work = ranges.map(({ start, end }) =>
      running.commit.cover({ offset: start, length: bytes(end - start) }),
    )
    running.work = Promise.all([running.work, ...work]).catch(() => {
      running.failed = true
    })
  }

  forget(name: StagingName): void {
    this.#running.delete(name)
  }

  /** The commitment, if all of it was hashed on the way; undefined otherwise. */
  async finish(name: StagingName, length: number): Promise<Commitment | undefined> {
    const running = this.#running.get(name)
    this.#running.delete(name)
    if (running === undefined) return undefined
    await running.work
    const all = coversRange(running.covered, { start: bytes(0), end: bytes(length) })
    return running.failed || !all ? undefined : running.commit.finish()
  }
}
