/**
 * Sinks for the import: one writes the payload to a file in a single pass (the header's length is
 * known beforehand, its root last), one only measures it.
 */
import { type FileHandle, open } from 'node:fs/promises'
import { type Bytes, bytes } from '@holdfast/protocol'
import { CID } from 'multiformats/cid'
import { create } from 'multiformats/hashes/digest'
import type { BlockSink } from '../unixfs/node-writer.ts'
import { RAW_CODE } from '../unixfs/node-writer.ts'
import type { Profile } from '../unixfs/profiles.ts'
import { CarLayout } from './car-layout.ts'
import { FileAppender } from './file-appender.ts'
import { encodeHeader } from './sections.ts'

export interface PayloadSize {
  readonly length: Bytes
  /** Distinct blocks of the dataset; the index's own are not counted. */
  readonly blocks: number
}

/**
 * The header's length before the root is known: all roots of a profile are equally long, except that
 * a small single file under a CIDv0 profile still has a CIDv0 root, so the version decides alone.
 */
const headerLengthFor = (profile: Profile): number => {
  const digest = create(0x12, new Uint8Array(32))
  const root = profile.cidVersion === 0 ? CID.createV0(digest) : CID.createV1(RAW_CODE, digest)
  return encodeHeader(root).length
}

/** Only measures: nothing is kept but the table of blocks. */
export class PayloadMeter implements BlockSink {
  readonly #layout: CarLayout

  constructor(profile: Profile) {
    this.#layout = new CarLayout(headerLengthFor(profile))
  }

  put(cid: CID, block: Uint8Array): undefined {
    this.#layout.place(cid, block.length)
    return undefined
  }

  finish(): PayloadSize {
    const { blocks } = this.#layout
    for (const _ of this.#layout.finish());
    return { length: bytes(this.#layout.length), blocks }
  }
}

/** Writes a payload file. Open, put blocks, `finish(root)`, close; an unfinished file is no CAR. */
export class PayloadWriter implements BlockSink {
  readonly #file: FileHandle
  readonly #layout: CarLayout
  readonly #appender: FileAppender

  private constructor(file: FileHandle, profile: Profile) {
    const start = headerLengthFor(profile)
    this.#file = file
    this.#layout = new CarLayout(start)
    this.#appender = new FileAppender(file, start)
  }

  static async open(path: string, profile: Profile): Promise<PayloadWriter> {
    return new PayloadWriter(await open(path, 'w', 0o600), profile)
  }

  put(cid: CID, block: Uint8Array): Promise<void> | undefined {
    const prefix = this.#layout.place(cid, block.length)
    if (prefix === undefined) return undefined
    const first = this.#appender.append(prefix)
    if (first === undefined) return this.#appender.append(block)
    const copy = Uint8Array.from(block)
    return first.then(() => this.#appender.append(copy))
  }

  /** Writes the index and the header, and waits until all bytes are in the file. */
  async finish(root: CID): Promise<PayloadSize> {
    const { blocks } = this.#layout
    for (const { prefix, block } of this.#layout.finish()) {
      await this.#appender.append(prefix)
      await this.#appender.append(block)
    }
    await this.#appender.finish()
    await this.#file.write(encodeHeader(root), 0, undefined, 0)
    return { length: bytes(this.#layout.length), blocks }
  }

  close(): Promise<void> {
    return this.#file.close()
  }
}
