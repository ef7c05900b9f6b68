/**
 * The payloads this provider can stand by: the store's, without those found damaged. Every read
 * passes here, so that damage noticed anywhere is remembered once, said once, and acted upon.
 *
 * Invariants: a damaged payload is never served nor offered for a new deal, even when the journal has no
 * room to say so; damage is in the journal before anything is done about it on chain.
 */
import {
  bytes,
  type CallOptions,
  type Commitment,
  type DealId,
  HoldfastError,
  type Logger,
  leafIndex,
  type Root,
} from '@holdfast/protocol'
import type { PromiseBook } from './journal/promise-book.ts'
import type { FoundDamage } from './journal/promises.ts'
import { ingestPayload } from './store/ingest.ts'
import type { ByteRange } from './store/ranges.ts'
import type { Damage, SectorStore, StoredPayload } from './store/sector-store.ts'

/** Where the bytes of a payload can be had, checked or not. */
export interface RangeSource {
  read(range: ByteRange, options?: CallOptions): AsyncIterable<Uint8Array>
}

export interface HoldingsDependencies {
  readonly store: SectorStore
  readonly book: PromiseBook
  readonly logger: Logger
  /** The deals that rest on a payload, to name them. */
  readonly dealsOf: (root: Root) => readonly DealId[]
  /** Called after new damage is written down. */
  readonly onDamage: (root: Root) => void
}

export class Holdings {
  readonly #dependencies: HoldingsDependencies
  /** Damage that was found and that the journal did not take yet, for want of room. */
  readonly #unwritten = new Map<Root, FoundDamage>()

  constructor(dependencies: HoldingsDependencies) {
    this.#dependencies = dependencies
  }

  /** A payload that is here whole, as far as anybody knows. */
  find(root: Root): StoredPayload | undefined {
    return this.damageOf(root) === undefined ? this.#dependencies.store.find(root) : undefined
  }

  /** Whether exactly this payload is here whole. */
  holds({ root, length, scheme }: Commitment): boolean {
    const found = this.#usable(root)?.commitment
    return found !== undefined && found.length === length && found.scheme === scheme
  }

  /** Like `find`; a payload whose volume is away is as good as not here. */
  #usable(root: Root): StoredPayload | undefined {
    try {
      return this.find(root)
    } catch (error) {
      if (HoldfastError.is(error, 'VOLUME_UNAVAILABLE')) return undefined
      throw error
    }
  }

  damageOf(root: Root): FoundDamage | undefined {
    return this.#dependencies.book.promises.damages.get(root) ?? this.#unwritten.get(root)
  }

  /**
   * Checked bytes of a payload. Damage is written down, then thrown.
   * @throws HoldfastError `PAYLOAD_NOT_FOUND`, `PAYLOAD_CORRUPT`, `RANGE_INVALID`.
   */
  async *read(root: Root, range: ByteRange, options: CallOptions = {}): AsyncGenerator<Uint8Array> {
    this.#refuseDamaged(root)
    try {
      yield* this.#dependencies.store.read(root, range, options)
    } catch (error) {
      if (HoldfastError.is(error, 'PAYLOAD_CORRUPT') && error.detail.code === 'PAYLOAD_CORRUPT') {
        const { leaf, what } = error.detail
        await this.#noteIfRoom(root, { leaf: leafIndex(leaf), what })
      }
      throw error
    }
  }

  /** Reads a whole payload and writes down what is wrong with it; undefined when all is well. */
  async verify(root: Root, options: CallOptions = {}): Promise<Damage | undefined> {
    const damage = await this.#dependencies.store.verify(root, options)
    if (damage !== undefined) await this.noteDamage(root, damage)
    return damage
  }

  /**
   * Somebody read a payload by its path and found it damaged: it is looked at where it lies now, because
   * it may have been moved in between.
   * @returns whether it is damaged; then that is written down.
   */
  async suspect(root: Root, damage: Damage, options: CallOptions = {}): Promise<boolean> {
    const { store, logger } = this.#dependencies
    if (this.damageOf(root) !== undefined) return true
    if (this.#isKnown(root) && (await store.verify(root, options)) === undefined) {
      logger.warn('payload moved while it was read, and is whole', { root, what: damage.what })
      return false
    }
    await this.#noteIfRoom(root, damage)
    return true
  }

  /**
   * Writes down what the journal had no room for when it was found.
   * @throws HoldfastError `DISK_FULL`, `STORE_READ_ONLY` while it still has none.
   */
  async writeDown(): Promise<void> {
    for (const [root, damage] of this.#unwritten) await this.noteDamage(root, damage)
  }

  /** What a reader is told stays what is wrong with the bytes, also when the journal is full. */
  async #noteIfRoom(root: Root, damage: Damage): Promise<void> {
    try {
      await this.noteDamage(root, damage)
    } catch (error) {
      if (!HoldfastError.is(error)) throw error
      const { code, message: reason } = error
      this.#dependencies.logger.error('damage is not written down yet', { root, code, reason })
    }
  }

  /**
   * Remembers that a payload is damaged. The first word about a payload stays.
   * @throws HoldfastError `DISK_FULL`, `STORE_READ_ONLY` when the journal does not take it; the payload is
   *   called damaged nevertheless, as long as this process lives; `writeDown` tries again.
   */
  async noteDamage(root: Root, { leaf, what }: Damage): Promise<void> {
    const { book, logger, dealsOf, onDamage } = this.#dependencies
    if (book.promises.damages.has(root)) return
    this.#unwritten.set(root, { root, leaf, what })
    await book.record({ kind: 'damage-found', root, leaf, what })
    this.#unwritten.delete(root)
    logger.error('payload damaged: no longer served nor proven', {
      root,
      deals: dealsOf(root),
      leaf,
      what,
    })
    onDamage(root)
  }

  /** What was promised to be here and is not is damage; called once, when the store has opened. */
  async noteLost(roots: Iterable<Root>): Promise<void> {
    for (const root of roots) {
      if (this.#isKnown(root)) continue
      await this.#noteIfRoom(root, { leaf: leafIndex(0), what: 'the payload is not in the store' })
    }
  }

  /** Whether the store has it, or cannot say because a volume is away. */
  #isKnown(root: Root): boolean {
    try {
      return this.#dependencies.store.find(root) !== undefined
    } catch (error) {
      if (HoldfastError.is(error, 'VOLUME_UNAVAILABLE')) return true
      throw error
    }
  }

  /**
   * Brings a damaged or lost payload back from wherever its bytes are, for example another replica.
   * They are checked against the root before anything is believed; then the payload is served and
   * proven again.
   * @throws HoldfastError `ROOT_MISMATCH` when they are others, `DISK_FULL`, and what the source throws.
   */
  async repair(
    { commitment, storedAt }: Pick<StoredPayload, 'commitment' | 'storedAt'>,
    source: RangeSource,
    options: CallOptions = {},
  ): Promise<StoredPayload> {
    const { root, length } = commitment
    const name = `repair-${root.slice(2, 34)}`
    const data = source.read({ start: bytes(0), end: length }, options)
    const mended = await ingestPayload(
      this.#dependencies.store,
      { name, commitment, storedAt },
      data,
      options,
    )
    await this.noteMended(root)
    return mended
  }

  /** A whole copy has taken the place of the damaged one. */
  async noteMended(root: Root): Promise<void> {
    const { book, logger } = this.#dependencies
    this.#unwritten.delete(root)
    if (!book.promises.damages.has(root)) return
    await book.record({ kind: 'damage-mended', root })
    logger.info('payload mended', { root })
  }

  /** @throws HoldfastError `PAYLOAD_CORRUPT` for a payload known to be damaged. */
  #refuseDamaged(root: Root): void {
    const damage = this.damageOf(root)
    if (damage === undefined) return
    const { leaf, what } = damage
    throw new HoldfastError({ code: 'PAYLOAD_CORRUPT', root, leaf, what })
  }
}
