/**
 * The bundles of the last periods in the provider's home, one file each, from before the commit is
 * sent until the period is final and a while longer. A file's name carries the period and the tree it
 * was made for, so what a reorganisation made worthless is never taken for the right one.
 *
 * Invariants: a bundle that was handed out is durable; a file that is damaged or of another period is
 * set aside; two makings of one bundle are one. A bundle follows from payloads, tree
 * and seed, so losing a file costs making it again.
 */
import { join } from 'node:path'
import {
  type Bytes,
  bytes,
  type CallOptions,
  type ChallengeContext,
  HoldfastError,
  type Logger,
  type Period,
  type ProviderTree,
  period,
  type Root,
} from '@holdfast/protocol'
import type { Bundler, DamagedPayload, KeptPayload, StoredBundle } from '@holdfast/prover'
import { type BundleFiles, systemBundleFiles } from './bundle-files.ts'

export interface BundleShelfDependencies {
  readonly prover: Bundler
  readonly payloadOf: (root: Root) => KeptPayload | undefined
  readonly logger: Logger
  /** Default: the file system. */
  readonly files?: BundleFiles
}

/** Of which period, and over which tree. */
export interface BundleWanted {
  readonly context: ChallengeContext
  /** The provider's tree at the period's start. */
  readonly tree: ProviderTree
}

export interface MadeBundle {
  readonly bundle: StoredBundle
  /** What could not be answered, when it was made just now. */
  readonly damaged: readonly DamagedPayload[]
}

export interface ShelfUsage {
  readonly bundles: number
  readonly bytes: Bytes
}

interface BundleFile {
  readonly period: Period
  readonly length: Bytes
}

const NAME = /^(\d{1,20})-[0-9a-f]{16}\.bundle$/

const nameFor = ({ context, tree }: BundleWanted): string =>
  `${context.period}-${tree.root.slice(2, 18)}.bundle`

export class BundleShelf {
  readonly #dependencies: BundleShelfDependencies
  readonly #directory: string
  readonly #place: BundleFiles
  readonly #files: Map<string, BundleFile>
  readonly #making = new Map<string, Promise<MadeBundle>>()

  private constructor(
    dependencies: BundleShelfDependencies,
    directory: string,
    files: Map<string, BundleFile>,
  ) {
    this.#dependencies = dependencies
    this.#directory = directory
    this.#place = dependencies.files ?? systemBundleFiles
    this.#files = files
  }

  /** Looks at what is there; what was left unfinished is removed. */
  static async open(
    dependencies: BundleShelfDependencies,
    directory: string,
  ): Promise<BundleShelf> {
    const place = dependencies.files ?? systemBundleFiles
    const files = new Map<string, BundleFile>()
    for (const name of await place.list(directory)) {
      const of = NAME.exec(name)?.[1]
      const path = join(directory, name)
      if (of === undefined) await place.remove(path)
      else files.set(name, { period: period(BigInt(of)), length: await place.lengthOf(path) })
    }
    return new BundleShelf(dependencies, directory, files)
  }

  get usage(): ShelfUsage {
    let sum = 0n
    for (const { length } of this.#files.values()) sum += length
    return { bundles: this.#files.size, bytes: bytes(sum) }
  }

  /** The bundle when it is here and whole; one that is damaged is removed. */
  async find(wanted: BundleWanted, options: CallOptions = {}): Promise<StoredBundle | undefined> {
    const name = nameFor(wanted)
    if (!this.#files.has(name)) return undefined
    try {
      const bundle = await this.#dependencies.prover.openBundle(this.#path(name), options)
      if (sameContext(bundle.context, wanted.context)) return bundle
      await this.#remove(name, 'it is of another period')
    } catch (error) {
      if (!isDamage(error)) throw error
      await this.#remove(name, error.message)
    }
    return undefined
  }

  /**
   * The bundle, made when it is not here.
   * @throws HoldfastError `DISK_FULL`, `INPUT_UNREADABLE`, `QUEUE_FULL`, `ABORTED`.
   */
  make(wanted: BundleWanted, options: CallOptions = {}): Promise<MadeBundle> {
    const name = nameFor(wanted)
    const running = this.#making.get(name)
    if (running !== undefined) return running
    const making = this.#make(name, wanted, options).finally(() => this.#making.delete(name))
    this.#making.set(name, making)
    return making
  }

  /** To be called when a read of this bundle failed: it is removed, to be made again. */
  async drop(wanted: BundleWanted, reason: string): Promise<void> {
    await this.#remove(nameFor(wanted), reason)
  }

  /** Removes bundles of periods before `first`. */
  async keepFrom(first: Period): Promise<void> {
    for (const [name, { period: of }] of [...this.#files]) {
      if (of >= first) continue
      this.#files.delete(name)
      await this.#place.remove(this.#path(name))
    }
  }

  async #make(name: string, wanted: BundleWanted, options: CallOptions): Promise<MadeBundle> {
    const there = await this.find(wanted, options)
    if (there !== undefined) return { bundle: there, damaged: [] }
    const { prover, payloadOf } = this.#dependencies
    const path = this.#path(name)
    const { damaged } = await prover.bundlePeriod({ ...wanted, payloadOf, path }, options)
    const length = await this.#place.lengthOf(path)
    this.#files.set(name, { period: wanted.context.period, length })
    return { bundle: await prover.openBundle(path, options), damaged }
  }

  async #remove(name: string, reason: string): Promise<void> {
    if (!this.#files.delete(name)) return
    this.#dependencies.logger.error('bundle damaged: removed', { bundle: name, reason })
    await this.#place.remove(this.#path(name))
  }

  #path(name: string): string {
    return join(this.#directory, name)
  }
}

const sameContext = (a: ChallengeContext, b: ChallengeContext): boolean =>
  a.seed === b.seed && a.period === b.period && a.provider === b.provider && a.proofs === b.proofs

const isDamage = (error: unknown): error is HoldfastError =>
  HoldfastError.is(error, 'STORE_CORRUPT') || HoldfastError.is(error, 'INPUT_UNREADABLE')
