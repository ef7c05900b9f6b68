/**
 * Which bundle belongs to a period, and its entries for whoever asks: strangers over the network,
 * and the duties that show entries on chain. Strangers get bundles that were committed and cause at
 * most one to be made again; a lost file is made anew from the payloads.
 *
 * Invariants: what is given out comes from the bundle that was committed; a bounded number of
 * strangers is served at a time.
 */
import type { NetworkParams } from '@holdfast/chain'
import {
  type BundleOpening,
  type BundleQuestion,
  type CallOptions,
  DEAL_CHALLENGES,
  type GetBundleEntriesRequest,
  type GetBundleEntriesResponse,
  type GetBundleResponse,
  type Hash32,
  HoldfastError,
  type Period,
  type ProviderId,
  periodAt,
  RING_PERIODS,
} from '@holdfast/protocol'
import type { StoredBundle } from '@holdfast/prover'
import type { ChainState } from '../follow/chain-state.ts'
import type { BundleShelf, BundleWanted, MadeBundle } from './bundle-shelf.ts'

export interface BundleDeskDependencies {
  readonly shelf: BundleShelf
  readonly state: () => ChainState
  readonly network: NetworkParams
  readonly provider: ProviderId
}

/** Strangers that are served at a time. */
const READERS_MAX = 16

export class BundleDesk {
  readonly #dependencies: BundleDeskDependencies
  #readers = 0

  constructor(dependencies: BundleDeskDependencies) {
    this.#dependencies = dependencies
  }

  /** What the bundle of a period is made from. @throws HoldfastError `BUNDLE_NOT_FOUND`. */
  wanted(period: Period): BundleWanted {
    const { state, network, provider } = this.#dependencies
    const seed = state().seed(period)
    const { cursor } = state()
    const now = cursor === undefined ? 0n : periodAt(network, cursor.timestamp)
    if (seed === undefined || period > now || period + BigInt(RING_PERIODS) <= now) {
      throw notFound(period, 'it has no seed, or is too old')
    }
    const { chainId, contracts } = network
    const context = { chainId, proofs: contracts.proofs, provider, period, seed }
    return { context, tree: state().treeAt(period) }
  }

  /** The bundle of a period, made when it is not here. @throws HoldfastError as `BundleShelf.make`. */
  async make(period: Period, options: CallOptions = {}): Promise<MadeBundle> {
    return this.#dependencies.shelf.make(this.wanted(period), options)
  }

  /**
   * The opening that answers a question with this bundle root; read, and made again when what is
   * here is damaged or of another root. Undefined when it cannot be had.
   */
  async open(
    period: Period,
    question: BundleQuestion,
    options: CallOptions & { readonly root?: Hash32 } = {},
  ): Promise<BundleOpening | undefined> {
    const bundle = await this.#whole(period, options.root, options)
    return bundle === undefined
      ? undefined
      : this.#reading(period, bundle, () => bundle.open(question, options))
  }

  /** What a stranger may know of a period's bundle. @throws HoldfastError `BUNDLE_NOT_FOUND`. */
  async describe(period: Period, options: CallOptions = {}): Promise<GetBundleResponse> {
    const { root, count, absent } = await this.#served(period, options)
    return { period, root, count, absent }
  }

  /**
   * Entries for a stranger.
   * @throws HoldfastError `BUNDLE_NOT_FOUND`, `DEAL_NOT_FOUND`, `RANGE_INVALID`, `RATE_LIMITED`.
   */
  async entries(
    request: GetBundleEntriesRequest,
    options: CallOptions = {},
  ): Promise<GetBundleEntriesResponse> {
    const { period } = request
    if (this.#readers >= READERS_MAX) {
      const reason = `${READERS_MAX} callers read bundles now`
      throw new HoldfastError({ code: 'RATE_LIMITED', reason })
    }
    this.#readers++
    try {
      const bundle = await this.#served(period, options)
      const read = (): Promise<readonly BundleOpening[]> =>
        'deal' in request
          ? entriesOfDeal(bundle, request.deal, options)
          : Promise.all(request.indices.map((index) => bundle.entry(index, options)))
      return { entries: await this.#reading(period, bundle, read) }
    } finally {
      this.#readers--
    }
  }

  /** Reads, and drops a bundle whose file turns out to be damaged, so that the next call makes it. */
  async #reading<T>(period: Period, bundle: StoredBundle, read: () => Promise<T>): Promise<T> {
    try {
      return await read()
    } catch (error) {
      if (HoldfastError.is(error, 'STORE_CORRUPT') || HoldfastError.is(error, 'INPUT_UNREADABLE')) {
        await this.#dependencies.shelf.drop(this.wanted(period), `${bundle.path}: ${error.message}`)
      }
      throw error
    }
  }

  /** The committed bundle. */
  async #served(period: Period, options: CallOptions): Promise<StoredBundle> {
    const root = this.#dependencies.state().bundleOf(period)
    if (root === undefined) throw notFound(period, 'the period is not committed')
    const { bundle } = await this.make(period, options)
    if (bundle.root !== root) throw notFound(period, 'bytes that it was made of are lost')
    return bundle
  }

  async #whole(
    period: Period,
    root: Hash32 | undefined,
    options: CallOptions,
  ): Promise<StoredBundle | undefined> {
    const first = await this.make(period, options)
    if (root === undefined || first.bundle.root === root) return first.bundle
    await this.#dependencies.shelf.drop(this.wanted(period), 'it is not the one committed to')
    const second = await this.make(period, options)
    return second.bundle.root === root ? second.bundle : undefined
  }
}

const notFound = (period: Period, reason: string): HoldfastError =>
  new HoldfastError({ code: 'BUNDLE_NOT_FOUND', period, reason })

const entriesOfDeal = async (
  bundle: StoredBundle,
  deal: Extract<BundleQuestion, { class: 'deal' }>['deal'],
  options: CallOptions,
): Promise<readonly BundleOpening[]> => {
  const questions = Array.from({ length: DEAL_CHALLENGES }, (_, i) => i)
  const found = await Promise.all(
    questions.map((i) => bundle.open({ class: 'deal', deal, i }, options)),
  )
  const entries = found.filter((entry) => entry !== undefined)
  if (entries.length < found.length) throw new HoldfastError({ code: 'DEAL_NOT_FOUND', deal })
  return entries
}
