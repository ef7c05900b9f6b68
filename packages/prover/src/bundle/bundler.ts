/**
 * The bundle of a period as a port: every answer that a provider owes for one period, made, hashed
 * and written to a file of its own; later, single entries read from that file with what opens them.
 * What a bundle is: docs/spec/bundles.md. What the file looks like: `layout.ts`.
 *
 * Invariants: memory does not grow with the number of answers; a bundle's file is whole or not
 * there; nothing read from it is handed out before it led to the bundle's root. Damaged payloads
 * are data: they make entries absent, never the bundle fail.
 */
import type {
  BundleOpening,
  BundleQuestion,
  Bytes,
  CallOptions,
  ChallengeContext,
  Hash32,
  LeafIndex,
  ProviderTree,
  Root,
} from '@holdfast/protocol'
import type { KeptPayload } from '../kept-payload.ts'

/** Of which period, over what, and where to. */
export interface BundleInput {
  /** Provider, period and seed: what the challenges are drawn from. */
  readonly context: ChallengeContext
  /** The provider's tree at the period's start. Not to be changed before the call ends. */
  readonly tree: ProviderTree
  /** Where a payload lies; undefined when it is not kept, which counts as damage. Asked once a deal. */
  readonly payloadOf: (root: Root) => KeptPayload | undefined
  /** The bundle's file. Written beside it under another name, then moved over what is there. */
  readonly path: string
}

/** How far a bundle has got. */
export interface BundleProgress {
  readonly entries: bigint
  readonly count: bigint
}

export interface BundleOptions extends CallOptions {
  /** Answers held at a time, in bytes. Default 16 MiB; one batch of about 1 MiB is the least. */
  readonly memoryBytes?: Bytes
  /** Default true: file and folder are synced before the call resolves. */
  readonly durable?: boolean
  readonly onProgress?: (progress: BundleProgress) => void
}

/** A payload from which some answers could not be made. */
export interface DamagedPayload {
  readonly root: Root
  /** The first such leaf, and what was wrong with it. */
  readonly leaf: LeafIndex
  readonly what: string
  /** Entries that are absent because of it. */
  readonly absent: number
}

/** A bundle that was built. With `absent` 0 every challenge of the period can be met. */
export interface PeriodBundle {
  /** What the provider commits to. */
  readonly root: Hash32
  readonly count: bigint
  /** Entries without an answer (docs/spec/bundles.md, section 5): each can be disputed and lost. */
  readonly absent: bigint
  /** One row per payload, in the order in which they lie on disk. */
  readonly damaged: readonly DamagedPayload[]
}

/** An entry's answer where it stands; empty when absent. */
export interface BundleAnswer {
  readonly index: bigint
  readonly answer: Uint8Array
}

/** A run of entries: `first` to `first` + `count` - 1. */
export interface BundleRun {
  readonly first: bigint
  readonly count: bigint
}

/**
 * A bundle in its file. Holds no descriptor: nothing to close, and the file may be removed at any
 * time, after which reads fail with `INPUT_UNREADABLE`. Every read is checked up to `root`.
 * @throws HoldfastError `STORE_CORRUPT` naming the place of bytes that do not lead to the root.
 */
export interface StoredBundle {
  readonly path: string
  readonly root: Hash32
  readonly count: bigint
  readonly absent: bigint
  /** Which provider, period and seed it was built for. */
  readonly context: ChallengeContext
  /** One entry with its path in the bundle. @throws HoldfastError `RANGE_INVALID` outside. */
  entry(index: bigint, options?: CallOptions): Promise<BundleOpening>
  /** The entry that answers a question; undefined when the deal has none in this bundle. */
  open(question: BundleQuestion, options?: CallOptions): Promise<BundleOpening | undefined>
  /** The answers to global challenges 0 … k-1, as direct mode sends them; some may be absent. */
  globalAnswers(k: number, options?: CallOptions): Promise<readonly Uint8Array[]>
  /** Answers in bundle order, read in bounded portions; all of them when no run is named. */
  answers(run?: BundleRun, options?: CallOptions): AsyncIterable<BundleAnswer>
}

/** What `Prover` does with bundles. */
export interface Bundler {
  /**
   * Makes all answers of a period in the order in which payloads lie on disk, and writes them as a
   * bundle. Payloads that are damaged or missing make their entries absent and are named.
   * @throws HoldfastError `INVARIANT` for a tree without weight; `DISK_FULL`, `INPUT_UNREADABLE`
   *   when the bundle's own file cannot be written; `QUEUE_FULL`, `ABORTED`. What was begun is
   *   removed.
   */
  bundlePeriod(input: BundleInput, options?: BundleOptions): Promise<PeriodBundle>
  /**
   * Opens a bundle that `bundlePeriod` wrote.
   * @throws HoldfastError `INPUT_UNREADABLE` when there is none; `STORE_CORRUPT` when its head is
   *   damaged or the file was cut.
   */
  openBundle(path: string, options?: CallOptions): Promise<StoredBundle>
}
