/**
 * The index of one volume, in LevelDB: which payload each own sector holds, so that a restart need
 * not open every file, when each payload was last verified, and since when nobody has a claim on it. It lies in the node's home, not on
 * the volume: LevelDB works on libuv's threads, and a disk that hangs would take all of them.
 *
 * Invariants: everything in it can be read from the sectors again, and is when it is missing; each
 * value carries a CRC-32C over key and value, and one that is altered is as good as missing. Writes
 * are not synced: the sectors are. A sector's name is never used twice, so an old value is harmless.
 */
import { type Root, root } from '@holdfast/protocol'
import type { KeyValuePlace } from '../key-values.ts'
import { crc32c } from './crc32c.ts'
import { DisposableLevel } from './disposable-level.ts'
import { decodeEntry, ENTRY_BYTES, type Entry, encodeEntry } from './record-entry.ts'

const OWN = 'own/'
const text = new TextEncoder()

const sealed = (key: string, value: Uint8Array): Uint8Array => {
  const out = new Uint8Array(value.length + 4)
  out.set(value)
  new DataView(out.buffer).setUint32(value.length, crc32c(value, crc32c(text.encode(key))), true)
  return out
}

/** The value without its checksum; undefined when that is wrong. */
const opened = (key: string, stored: Uint8Array): Uint8Array | undefined => {
  if (stored.length < 4) return undefined
  const value = stored.slice(0, -4)
  const view = new DataView(stored.buffer, stored.byteOffset, stored.length)
  const wanted = view.getUint32(value.length, true)
  return crc32c(value, crc32c(text.encode(key))) === wanted ? value : undefined
}

/** `verified`: when it last was; `trash`: since when nobody has a claim on it. */
export type StampKind = 'verified' | 'trash'

export type IndexChange = readonly [file: string, entry: Entry | undefined]

export class VolumeIndex {
  readonly #level: DisposableLevel<Uint8Array>
  readonly #onDamage: (error: unknown) => void
  #writing: Promise<void> = Promise.resolve()

  private constructor(level: DisposableLevel<Uint8Array>, onDamage: (error: unknown) => void) {
    this.#level = level
    this.#onDamage = onDamage
  }

  /**
   * Opens the index; one that LevelDB cannot open or read is removed and begun anew.
   * @param onDamage told why.
   */
  static async open(
    directory: string,
    onDamage: (error: unknown) => void = () => undefined,
    place?: KeyValuePlace,
  ): Promise<VolumeIndex> {
    const level = await DisposableLevel.open<Uint8Array>(directory, 'view', onDamage, place)
    return new VolumeIndex(level, onDamage)
  }

  /** Own sectors by file name. Values that are altered are left out; none when it cannot be read. */
  own(): Promise<ReadonlyMap<string, Entry>> {
    return this.#level.use(async (level) => {
      const known = new Map<string, Entry>()
      for await (const [key, stored] of level.iterator({ gte: OWN, lt: `${OWN}~` })) {
        const value = opened(key, stored)
        const entry = value?.length === ENTRY_BYTES ? decodeEntry(value) : undefined
        if (entry !== undefined) known.set(key.slice(OWN.length), entry)
      }
      return known
    })
  }

  /** Payloads and the seconds since 1970 that were noted of them. */
  async *stamps(kind: StampKind): AsyncGenerator<readonly [Root, number]> {
    const range = { gte: `${kind}/`, lt: `${kind}/~` }
    for await (const [key, stored] of this.#level.scan(range)) {
      const value = opened(key, stored)
      if (value?.length !== 4) continue
      const at = new DataView(value.buffer, value.byteOffset).getUint32(0, true)
      yield [root(key.slice(kind.length + 1)), at]
    }
  }

  /** Takes changes in, after those before. Never throws: what is not written is read again. */
  apply(changes: readonly IndexChange[]): void {
    if (changes.length === 0) return
    this.#writing = this.#writing.then(() => this.#write(changes)).catch(this.#onDamage)
  }

  #write(changes: readonly IndexChange[]): Promise<void> {
    return this.#level.use(async (level) => {
      const batch = level.batch()
      for (const [file, entry] of changes) {
        const key = `${OWN}${file}`
        if (entry === undefined) {
          batch.del(key)
          continue
        }
        const value = new Uint8Array(ENTRY_BYTES)
        encodeEntry(entry, value)
        batch.put(key, sealed(key, value))
      }
      await batch.write()
    })
  }

  async stamp(kind: StampKind, payload: Root, at: number): Promise<void> {
    const key = `${kind}/${payload}`
    const value = new Uint8Array(4)
    new DataView(value.buffer).setUint32(0, at, true)
    await this.#level.use((level) => level.put(key, sealed(key, value)))
  }

  async unstamp(kind: StampKind, payload: Root): Promise<void> {
    await this.#level.use((level) => level.del(`${kind}/${payload}`))
  }

  /** Forgets everything: the sectors are read again. */
  clear(): Promise<void> {
    return this.#level.use((level) => level.clear())
  }

  async close(): Promise<void> {
    await this.#writing
    await this.#level.close()
  }
}
