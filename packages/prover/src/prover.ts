/**
 * The prover's face: from payload bytes to commitments, kept layers and answers. All hashing of
 * payload bytes happens on worker threads, over native or WASM kernels.
 *
 * Invariants: bounded memory at any payload size; a bounded queue (`QUEUE_FULL` beyond it);
 * cancellation is cooperative and never kills a thread; results cross the thread boundary as data.
 */
import type { Bytes, CallOptions, Commitment, LeafIndex, SchemeId } from '@holdfast/protocol'
import type { Bundler } from './bundle/bundler.ts'
import type { PlacedNode } from './forest.ts'
import type { FileRange, KeptPayload } from './kept-payload.ts'

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
  /** What an earlier, interrupted commit of the same payload had done (`RangeCommit.checkpoint`). */
  readonly resume?: readonly PlacedNode[]
  /** Default true: layers are durable when the commit resolves; false: the caller syncs their file. */
  readonly syncLayers?: boolean
  /** Default true: runs of a sparse file that are holes are not read, their nodes are known. */
  readonly skipHoles?: boolean
}

/** A commitment and the `keptLayersLength` bytes that are to be kept with its payload. */
export interface SmallCommit {
  readonly commitment: Commitment
  readonly layers: Uint8Array
}

/** A commit whose bytes arrive in ranges, in any order, into a file of known length. */
export interface RangeCommit {
  /**
   * Says that these payload bytes are in the file now, and hashes the subtrees that became
   * complete. Bytes covered before may not change. Resolves when that hashing is done.
   * @throws HoldfastError `RANGE_INVALID` outside the payload; as `commitFile`.
   */
  cover(range: { readonly offset: Bytes; readonly length: Bytes }): Promise<void>
  /** What has been hashed, for `CommitOptions.resume`: a few nodes, more where gaps are many. */
  checkpoint(): readonly PlacedNode[]
  /** @throws HoldfastError `UPLOAD_INCOMPLETE` while bytes are missing; as `commitFile`. */
  finish(options?: CallOptions): Promise<Commitment>
}

/** One opened leaf: verified by `verifyLeafProof` of the protocol. */
export interface LeafProof {
  readonly index: LeafIndex
  /** 1024 bytes, zero-padded at the payload's end. */
  readonly leaf: Uint8Array
  /** Exactly `depth` siblings of 32 bytes, leaf level first, joined. */
  readonly path: Uint8Array
}

export interface AnswerJob extends KeptPayload {
  readonly indices: readonly LeafIndex[]
}

export type AnswerOutcome =
  | { readonly ok: true; readonly proofs: readonly LeafProof[] }
  /** Bytes and kept layers disagree, or cannot be read: which leaf, and what was wrong. */
  | { readonly ok: false; readonly leaf: LeafIndex; readonly what: string }

/** Leaves `first` to `last`, both included. */
export interface LeafRun {
  readonly first: LeafIndex
  readonly last: LeafIndex
}

export interface AnswerEachOptions extends CallOptions {
  /** Proofs held at a time, in bytes. Default 16 MiB. */
  readonly memoryBytes?: Bytes
}

export interface Prover extends Bundler {
  /** Which kernel does the work: for logs and metrics. */
  readonly engine: string
  /** @throws HoldfastError `PAYLOAD_EMPTY`, `INPUT_UNREADABLE`, `QUEUE_FULL`, `ABORTED`. */
  commitFile(payload: FileRange, options?: CommitOptions): Promise<Commitment>
  /**
   * Commits to a payload of at most 16 MiB and gives its kept layers back instead of writing them.
   * Everything is read, holes too. @throws HoldfastError as `commitFile`; `PAYLOAD_TOO_LARGE`.
   */
  commitSmall(
    payload: FileRange,
    options?: Pick<CommitOptions, 'scheme' | 'signal'>,
  ): Promise<SmallCommit>
  /**
   * The same for bytes in memory, which must stay as they are until this resolves. On a
   * SharedArrayBuffer they are not copied.
   */
  commitBytes(
    data: Uint8Array,
    options?: Pick<CommitOptions, 'scheme' | 'signal'>,
  ): Promise<SmallCommit>
  /** Commits to a stream of any length in bounded memory. Chunks may be of any size. */
  commitStream(payload: AsyncIterable<Uint8Array>, options?: CommitOptions): Promise<Commitment>
  /** One outcome per job, in order. A damaged payload spoils its own job only. */
  answer(jobs: readonly AnswerJob[], options?: CallOptions): Promise<readonly AnswerOutcome[]>
  /**
   * The same for a whole period: jobs are taken lazily and outcomes come in their order, so that
   * memory stays bounded however many there are. Give jobs and indices in payload order.
   */
  answerEach(jobs: Iterable<AnswerJob>, options?: AnswerEachOptions): AsyncIterable<AnswerOutcome>
  /** Opens a commit whose bytes arrive in ranges. @throws HoldfastError `PAYLOAD_EMPTY`. */
  commitRanges(payload: FileRange, options?: Omit<CommitOptions, 'signal'>): RangeCommit
  /**
   * The proof that leaves `first` to `last` belong to a payload (scheme 1), for `verifyRange` and
   * `RangeVerifier` of the protocol. @throws HoldfastError `PAYLOAD_CORRUPT` naming what is damaged.
   */
  rangeProof(payload: KeptPayload, range: LeafRun, options?: CallOptions): Promise<Uint8Array>
  /**
   * Checks a run of leaves with its range proof while the bytes stream past, hashing on the threads.
   * Nothing of it is verified before this resolves.
   * @throws HoldfastError `PROOF_INVALID` unless exactly the committed bytes came; `ABORTED`.
   */
  checkRange(
    payload: AsyncIterable<Uint8Array>,
    against: {
      readonly commitment: Commitment
      readonly range: LeafRun
      readonly proof: Uint8Array
    },
    options?: CallOptions,
  ): Promise<void>
  /**
   * SHA-256 of blocks of `size` bytes that lie one after another: 32 bytes for each, on a thread. Input on a
   * SharedArrayBuffer is not copied; more than 4 MiB is shared among the threads.
   * @throws HoldfastError `RANGE_INVALID` unless `input` is whole blocks.
   */
  hashBlocks(input: Uint8Array, size: Bytes, options?: CallOptions): Promise<Uint8Array>
  /** Waits for running work. May be called twice. */
  close(): Promise<void>
}
