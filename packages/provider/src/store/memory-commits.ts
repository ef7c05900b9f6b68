/**
 * Small payloads hashed from the memory that they are written from: one that comes whole, in one
 * write, need not be read again to be sealed. A convenience: whatever does not fit (more than one
 * write, a write that fails, a busy prover) is hashed from its file.
 *
 * Invariants: what is given out was the last thing written, all of it, and that write succeeded. It
 * stands for what lies on the disk only together with checksums that were taken from the same memory.
 */
import type { Commitment } from '@holdfast/protocol'
import type { SmallCommit } from '@holdfast/prover'
import type { StagingName } from './sector-store.ts'
import { COPIED_MAX, SLAB_BYTES } from './slab-pool.ts'
import type { SealingProver } from './upload-commits.ts'

interface Whole {
  hashed: SmallCommit | undefined
  written: boolean
}

/** A write whose bytes are hashed on their way. */
export interface HashedWrite {
  /** Hashes the bytes. Never throws. */
  readonly onRun: (data: Uint8Array) => Promise<void>
  readonly succeeded: () => void
}

export class MemoryCommits {
  readonly #prover: SealingProver
  readonly #whole = new Map<StagingName, Whole>()

  constructor(prover: SealingProver) {
    this.#prover = prover
  }

  /** A write begins: what was hashed before it holds no more. Undefined unless it brings everything. */
  begin(
    name: StagingName,
    commitment: Commitment | undefined,
    { offset, length }: { readonly offset: bigint; readonly length: number },
  ): HashedWrite | undefined {
    this.#whole.delete(name)
    const { commitBytes } = this.#prover
    if (commitBytes === undefined || offset !== 0n || commitment?.length !== BigInt(length)) return
    if (length <= COPIED_MAX || length > SLAB_BYTES) return
    const whole: Whole = { hashed: undefined, written: false }
    this.#whole.set(name, whole)
    return {
      onRun: async (data) => {
        const { scheme } = commitment
        whole.hashed = await this.#prover.commitBytes?.(data, { scheme }).catch(() => undefined)
      },
      succeeded: () => {
        whole.written = true
      },
    }
  }

  forget(name: StagingName): void {
    this.#whole.delete(name)
  }

  /** What the last write brought, if that was everything; undefined otherwise. Given out once. */
  take(name: StagingName): SmallCommit | undefined {
    const whole = this.#whole.get(name)
    this.#whole.delete(name)
    return whole?.written === true ? whole.hashed : undefined
  }
}
