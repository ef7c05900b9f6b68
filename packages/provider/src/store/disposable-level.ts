/**
 * LevelDB for what can be made again. It verifies little of what it reads, so every value carries a
 * checksum of its own; and when it says itself that it is damaged, or cannot open, its directory is
 * removed and begun anew.
 */
import {
  type KeyValuePlace,
  type KeyValues,
  levelPlace,
  type ValueEncoding,
} from '../key-values.ts'

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
  readonly #directory: string
  readonly #encoding: ValueEncoding
  readonly #onDamage: (error: unknown) => void
  readonly #place: KeyValuePlace
  #level: KeyValues<V>
  #renewing: Promise<void> | undefined
  #closed = false

  private constructor(
    { directory, encoding, onDamage, place }: DisposableOptions,
    level: KeyValues<V>,
  ) {
    this.#directory = directory
    this.#encoding = encoding
    this.#onDamage = onDamage
    this.#place = place
    this.#level = level
  }

  /**
   * @param onDamage told why everything in it was thrown away.
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
      return new DisposableLevel(options, await place.open<V>(directory, encoding))
    } catch (error) {
      if (hasCode(error, 'LEVEL_LOCKED')) throw error
      onDamage(error)
      await place.remove(directory)
      return new DisposableLevel(options, await place.open<V>(directory, encoding))
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
    this.#onDamage(error)
    await this.#level.close()
    await this.#place.remove(this.#directory)
    this.#level = await this.#place.open<V>(this.#directory, this.#encoding)
  }
}
