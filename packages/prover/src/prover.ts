/**
 * The prover's face: from payload bytes to commitments, kept layers and answers. All hashing of
 * payload bytes happens on worker threads, over native or WASM kernels.
 *
 * Invariants: bounded memory at any payload size; a bounded queue (`QUEUE_FULL` beyond it);
 * cancellation is cooperative and never kills a thread; results cross the thread boundary as data.
 */
import type { Bytes, CallOptions, Commitment, LeafIndex, SchemeId } from '@holdfast/protocol'

/** A run of bytes inside a file: what workers open for themselves. */
export interface FileRange {
  readonly path: string
  readonly offset: Bytes
  readonly length: Bytes
}

export interface CommitProgress {
  readonly hashedBytes: Bytes
  readonly totalBytes: Bytes | undefined
}

export interface CommitOptions extends CallOptions {
  /** Default 1, `sha256-1k`. */
  readonly scheme?: SchemeId
  /** Where the kept layers are written (`keptLayersLength` bytes from `offset`); omitted: not kept. */
  readonly layers?: { readonly path: string; readonly offset: Bytes }
  readonly onProgress?: (progress: CommitProgress) => void
}

/** One opened leaf: verified by `verifyLeafProof` of the protocol. */
export interface LeafProof {
  readonly index: LeafIndex
  /** 1024 bytes, zero-padded at the payload's end. */
  readonly leaf: Uint8Array
  /** Exactly `depth` siblings of 32 bytes, leaf level first, joined. */
  readonly path: Uint8Array
}

export interface AnswerJob {
  readonly payload: FileRange
  /** Kept layers as `commit` wrote them. */
  readonly layers: FileRange
  readonly commitment: Commitment
  readonly indices: readonly LeafIndex[]
}

export type AnswerOutcome =
  | { readonly ok: true; readonly proofs: readonly LeafProof[] }
  /** Bytes and kept layers disagree, or cannot be read: which leaf, and what was wrong. */
  | { readonly ok: false; readonly leaf: LeafIndex; readonly what: string }

export interface Prover {
  /** Which kernel does the work: for logs and metrics. */
  readonly engine: string
  /** @throws HoldfastError `PAYLOAD_EMPTY`, `INPUT_UNREADABLE`, `QUEUE_FULL`, `ABORTED`. */
  commitFile(payload: FileRange, options?: CommitOptions): Promise<Commitment>
  /** Commits to a stream of any length in bounded memory. Chunks may be of any size. */
  commitStream(payload: AsyncIterable<Uint8Array>, options?: CommitOptions): Promise<Commitment>
  /** One outcome per job, in order. A damaged payload spoils its own job only. */
  answer(jobs: readonly AnswerJob[], options?: CallOptions): Promise<readonly AnswerOutcome[]>
  /** Waits for running work. May be called twice. */
  close(): Promise<void>
}
