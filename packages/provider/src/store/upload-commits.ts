/**
 * Hashing while an upload arrives: what has become durable of a large payload is given to the prover
 * at once, so that sealing need not read it again. A convenience: whatever does not fit (a restart, a
 * range written twice, a full queue) falls back to hashing the whole file when it is sealed.
 */
import { bytes, type Commitment } from '@holdfast/protocol'
import type { Prover, RangeCommit } from '@holdfast/prover'
import type { StagingName } from './sector-store.ts'
import type { ReservedPlace } from './volume-ops.ts'

/** What the store needs of a prover. */
export type SealingProver = Pick<Prover, 'commitFile'> & Partial<Pick<Prover, 'commitRanges'>>

interface Written {
  readonly offset: number
  readonly length: number
}

interface Running {
  readonly commit: RangeCommit
  /** Written, not yet durable. */
  written: Written[]
  covered: Written[]
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
    const work = Promise.resolve()
    this.#running.set(name, { commit, written: [], covered: [], failed: false, work })
  }

  wrote(name: StagingName, offset: number, length: number): void {
    const running = this.#running.get(name)
    if (running === undefined) return
    const touches = (other: Written): boolean =>
      other.offset < offset + length && offset < other.offset + other.length
    if (running.covered.some(touches)) this.#running.delete(name)
    else
      running.written = joined([...running.written.filter((w) => !touches(w)), { offset, length }])
  }

  /** What was written before is durable now: it will not change any more. */
  durable(name: StagingName, written: readonly Written[]): void {
    const running = this.#running.get(name)
    if (running === undefined) return
    running.written = running.written.filter((range) => !written.includes(range))
    running.covered = joined([...running.covered, ...written])
    running.work = Promise.all([
      running.work,
      ...written.map(({ offset, length }) =>
        running.commit.cover({ offset: bytes(offset), length: bytes(length) }),
      ),
    ]).catch(() => {
      running.failed = true
    })
  }

  /** What would become durable by a sync that begins now. */
  pending(name: StagingName): readonly Written[] {
    return this.#running.get(name)?.written ?? []
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
    const [whole, ...others] = running.covered
    const all = whole?.offset === 0 && whole.length === length && others.length === 0
    return running.failed || !all ? undefined : running.commit.finish()
  }
}

/** Sorted, with neighbours joined. */
const joined = (ranges: readonly Written[]): Written[] => {
  const out: Written[] = []
  for (const range of [...ranges].sort((a, b) => a.offset - b.offset)) {
    const last = out.at(-1)
    if (last !== undefined && last.offset + last.length === range.offset) {
      out[out.length - 1] = { offset: last.offset, length: last.length + range.length }
    } else out.push(range)
  }
  return out
}
