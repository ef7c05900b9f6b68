/**
 * LevelDB for what can be made again. It verifies little of what it reads, so every value carries a
 * checksum of its own; and when it says itself that it is damaged, or cannot open, its directory is
 * removed and begun anew.
 */
import { rm } from 'node:fs/promises'
import { Level } from 'level'

type Encoding = 'utf8' | 'view'

const hasCode = (error: unknown, code: string): boolean => {
  for (let at = error; typeof at === 'object' && at !== null; ) {
    if ('code' in at && at.code === code) return true
    at = 'cause' in at ? at.cause : undefined
  }
  return false
}

const openLevel = async <V>(
  directory: string,
  valueEncoding: Encoding,
): Promise<Level<string, V>> => {
  const level = new Level<string, V>(directory, { valueEncoding })
  await level.open()
  return level
}

/** A LevelDB whose content may be lost. @param V what values are: text or bytes. */
export class DisposableLevel<V> {
  readonly #directory: string
  readonly #encoding: Encoding
  readonly #onDamage: (error: unknown) => void
  #level: Level<string, V>
  #renewing: Promise<void> | undefined
  #closed = false

  private constructor(
    directory: string,
    encoding: Encoding,
    onDamage: (error: unknown) => void,
    level: Level<string, V>,
  ) {
    this.#directory = directory
    this.#encoding = encoding
    this.#onDamage = onDamage
    this.#level = level
  }

  /** @param onDamage told why everything in it was thrown away. */
  static async open<V>(
    directory: string,
    encoding: Encoding,
    onDamage: (error: unknown) => void,
  ): Promise<DisposableLevel<V>> {
    try {
      const level = await openLevel<V>(directory, encoding)
      return new DisposableLevel(directory, encoding, onDamage, level)
    } catch (error) {
      if (hasCode(error, 'LEVEL_LOCKED')) throw error
      onDamage(error)
      await rm(directory, { recursive: true, force: true })
      const level = await openLevel<V>(directory, encoding)
      return new DisposableLevel(directory, encoding, onDamage, level)
    }
  }

  /** Works on the database; when it fails, once more on an empty one. */
  async use<T>(work: (level: Level<string, V>) => Promise<T>): Promise<T> {
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

  #renew(damaged: Level<string, V>, error: unknown): Promise<void> {
    if (this.#level !== damaged) return this.#renewing ?? Promise.resolve()
    this.#renewing ??= this.#begin(error).finally(() => {
      this.#renewing = undefined
    })
    return this.#renewing
  }

  async #begin(error: unknown): Promise<void> {
    this.#onDamage(error)
    await this.#level.close()
    await rm(this.#directory, { recursive: true, force: true })
    this.#level = await openLevel<V>(this.#directory, this.#encoding)
  }
}
