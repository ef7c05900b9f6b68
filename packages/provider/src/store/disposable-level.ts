/**
 * LevelDB for what can be made again. It verifies little of what it reads, so every value carries a
 * checksum of its own; and when it says itself that it is damaged, or cannot open, its directory is
 * removed and begun anew. A full disk is no damage (`overlaid-values.ts`).
 */
import { HoldfastError, type Logger } from '@holdfast/protocol'
import {
  type KeyValuePlace,
  type KeyValues,
  levelPlace,
  type ValueEncoding,
} from '../key-values.ts'
import { OverlaidValues } from './overlaid-values.ts'

const hasCode = (error: unknown, code: string): boolean => {
  for (let at = error; typeof at === 'object' && at !== null; ) {
    if ('code' in at && at.code === code) return true
    at = 'cause' in at ? at.cause : undefined
  }
  return false
}

interface DisposableOptions {
  readonly directory: string
  readonly encoding: ValueEncoding
  readonly onDamage: (error: unknown) => void
  readonly place: KeyValuePlace
}

/** A LevelDB whose content may be lost. @param V what values are: text or bytes. */
export class DisposableLevel<V> {
  readonly #options: DisposableOptions
  #level: KeyValues<V>
  #renewing: Promise<void> | undefined
  #closed = false

  private constructor(options: DisposableOptions, level: KeyValues<V>) {
    this.#options = options
    this.#level = level
  }

  /**
   * @param onDamage told why everything in it was thrown away; of a full disk by `DISK_FULL`, and then
   *   nothing is.
   * @param place where it lies; default: LevelDB.
   */
  static async open<V>(
    directory: string,
    encoding: ValueEncoding,
    onDamage: (error: unknown) => void,
    place: KeyValuePlace = levelPlace,
  ): Promise<DisposableLevel<V>> {
    const options = { directory, encoding, onDamage, place }
    try {
      return new DisposableLevel(options, await openIn<V>(options))
    } catch (error) {
      if (hasCode(error, 'LEVEL_LOCKED')) throw error
      onDamage(error)
      await place.remove(directory)
      return new DisposableLevel(options, await openIn<V>(options))
    }
  }

  /** Works on the database; when it fails, once more on an empty one. */
  async use<T>(work: (level: KeyValues<V>) => Promise<T>): Promise<T> {
    const level = this.#level
    try {
      return await work(level)
    } catch (error) {
      if (this.#closed) throw error
      await this.#renew(level, error)
      return work(this.#level)
    }
  }

  /** Goes through a range. What cannot be read any more is as good as missing. */
  async *scan(range: { readonly gte: string; readonly lt: string }): AsyncGenerator<[string, V]> {
    const level = this.#level
    try {
      yield* level.iterator(range)
    } catch (error) {
      if (this.#closed) throw error
      await this.#renew(level, error)
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#renewing
    await this.#level.close()
  }

  #renew(damaged: KeyValues<V>, error: unknown): Promise<void> {
    if (this.#level !== damaged) return this.#renewing ?? Promise.resolve()
    this.#renewing ??= this.#begin(error).finally(() => {
      this.#renewing = undefined
    })
    return this.#renewing
  }

  async #begin(error: unknown): Promise<void> {
    const { onDamage, place, directory } = this.#options
    onDamage(error)
    await this.#level.close()
    await place.remove(directory)
    this.#level = await openIn<V>(this.#options)
  }
}

const openIn = <V>({
  place,
  directory,
  encoding,
  onDamage,
}: DisposableOptions): Promise<KeyValues<V>> =>
  OverlaidValues.open<V>({
    open: () => place.open<V>(directory, encoding),
    free: () => place.free(directory),
    onFull: (cause) =>
      onDamage(new HoldfastError({ code: 'DISK_FULL', needed: 1n, available: 0n }, { cause })),
  })

/** How those who own such a store say that it is damaged, or that its disk is full. */
export const levelTrouble =
  (logger: Logger, what: string, onDamage: (reason: string) => void) =>
  (error: unknown): void => {
    if (!HoldfastError.is(error, 'DISK_FULL')) {
      onDamage(String(error))
      return
    }
    const reason = error.cause instanceof Error ? error.cause.message : error.message
    logger.warn(`no room for the ${what}: kept in memory until there is`, { reason })
  }
