/**
 * The payloads that were looked at and have no block to serve: what is no CAR, and CARs without one.
 * Content is named by its root, so this never changes; it is kept in one file, a record each, so that a
 * restart reads no payload again. Disposable: what is lost or damaged is looked at once more.
 *
 * File: 8 bytes that name format and rules, then 36 bytes a record: root, CRC-32C of it.
 */
import { type FileHandle, open } from 'node:fs/promises'
import type { Root } from '@holdfast/protocol'
import type { Checksum } from '@holdfast/prover'

/** Another number when the rules of what is a CAR change. */
const MAGIC = Buffer.from('HFNOCAR1')
const ROOT_BYTES = 32
const RECORD_BYTES = ROOT_BYTES + 4
const CHUNK_RECORDS = 16_384

/** A root's first 8 bytes stand for it in memory: with 2^32 payloads one is skipped by chance. */
const shortOf = (root: Uint8Array): bigint =>
  new DataView(root.buffer, root.byteOffset, 8).getBigUint64(0)

const bytesOf = (root: Root): Buffer => Buffer.from(root.slice(2), 'hex')

/** Numbers in a table of half as many places: 16 bytes each, no object. */
class Numbers {
  #places = new BigUint64Array(1024)
  #size = 0

  has(value: bigint): boolean {
    return this.#places[this.#placeOf(value)] === value
  }

  add(value: bigint): void {
    const place = this.#placeOf(value)
    if (this.#places[place] === value) return
    this.#places[place] = value
    this.#size++
    if (2 * this.#size < this.#places.length) return
    const before = this.#places
    this.#places = new BigUint64Array(2 * before.length)
    for (const each of before) if (each !== 0n) this.#places[this.#placeOf(each)] = each
  }

  #placeOf(value: bigint): number {
    const mask = this.#places.length - 1
    let place = Number(value & 0xffff_ffffn) & mask
    while (this.#places[place] !== 0n && this.#places[place] !== value) place = (place + 1) & mask
    return place
  }
}

export class Barren {
  readonly #file: FileHandle
  readonly #checksum: Checksum
  readonly #known: Numbers
  #end: number

  private constructor(file: FileHandle, checksum: Checksum, read: { known: Numbers; end: number }) {
    this.#file = file
    this.#checksum = checksum
    this.#known = read.known
    this.#end = read.end
  }

  /** Opens the file, or begins it. What comes after damage is cut off. */
  static async open(path: string, checksum: Checksum): Promise<Barren> {
    const file = await open(path, 'a+', 0o600)
    try {
      const read = await readRecords(file, checksum)
      await file.truncate(read.end)
      if (read.end === 0) await file.write(MAGIC)
      return new Barren(file, checksum, { ...read, end: Math.max(read.end, MAGIC.length) })
    } catch (error) {
      await file.close()
      throw error
    }
  }

  /** Records in the file. */
  get records(): number {
    return (this.#end - MAGIC.length) / RECORD_BYTES
  }

  has(root: Root): boolean {
    return this.#known.has(numberOf(bytesOf(root)))
  }

  async add(root: Root): Promise<void> {
    if (this.has(root)) return
    const name = bytesOf(root)
    this.#known.add(numberOf(name))
    this.#end += RECORD_BYTES
    await this.#file.appendFile(recordOf(name, this.#checksum))
  }

  close(): Promise<void> {
    return this.#file.close()
  }
}

/** 0 marks a free place. */
const numberOf = (root: Uint8Array): bigint => shortOf(root) || 1n

const recordOf = (root: Buffer, checksum: Checksum): Buffer => {
  const record = Buffer.alloc(RECORD_BYTES)
  root.copy(record)
  record.writeUInt32LE(checksum(root), ROOT_BYTES)
  return record
}

const readRecords = async (
  file: FileHandle,
  checksum: Checksum,
): Promise<{ readonly known: Numbers; readonly end: number }> => {
  const known = new Numbers()
  const magic = Buffer.alloc(MAGIC.length)
  await file.read(magic, 0, magic.length, 0)
  if (!magic.equals(MAGIC)) return { known, end: 0 }
  const chunk = Buffer.alloc(CHUNK_RECORDS * RECORD_BYTES)
  for (let end = MAGIC.length; ; ) {
    const { bytesRead } = await file.read(chunk, 0, chunk.length, end)
    const whole = bytesRead - (bytesRead % RECORD_BYTES)
    for (let at = 0; at < whole; at += RECORD_BYTES, end += RECORD_BYTES) {
      const root = chunk.subarray(at, at + ROOT_BYTES)
      if (checksum(root) !== chunk.readUInt32LE(at + ROOT_BYTES)) return { known, end }
      known.add(numberOf(root))
    }
    if (whole < chunk.length) return { known, end }
  }
}
