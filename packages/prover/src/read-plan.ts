/**
 * Many reads made as one: places are noted first, then everything is read in one call, so that cold
 * reads wait for the disk together. The buffer belongs to the thread and is used again; what a plan
 * read is valid until the next plan is run.
 *
 * Invariant: a plan never asks for more than `PLAN_BYTES`, unless a single read is larger.
 */
import { getSystemErrorName } from 'node:util'
import type { Engine } from '@holdfast/native'

/** Bytes after which a plan is full. */
export const PLAN_BYTES: number = 4 << 20

/** Fewer bytes on disk than a payload's length or layers need, or a read that failed. */
export class ReadFailure extends Error {}

interface PlannedRead {
  readonly path: string
  readonly fd: number
  readonly offset: number
  readonly length: number
  readonly at: number
}

let buffer = new Uint8Array(0)

const bufferOf = (length: number): Uint8Array => {
  if (buffer.length < length) buffer = new Uint8Array(Math.max(length, PLAN_BYTES + (1 << 16)))
  return buffer.subarray(0, length)
}

export class ReadPlan {
  readonly #reads: PlannedRead[] = []
  #length = 0
  #data: Uint8Array = new Uint8Array(0)
  #got: Int32Array = new Int32Array(0)

  get full(): boolean {
    return this.#length >= PLAN_BYTES
  }

  /** Notes a read; returns its number, for `result`. */
  add(
    file: { readonly path: string; readonly fd: number },
    offset: number,
    length: number,
  ): number {
    this.#reads.push({ path: file.path, fd: file.fd, offset, length, at: this.#length })
    this.#length += length
    return this.#reads.length - 1
  }

  run(engine: Engine): void {
    const wanted = new Float64Array(3 * this.#reads.length)
    this.#reads.forEach(({ fd, offset, length }, i) => {
      wanted[3 * i] = fd
      wanted[3 * i + 1] = offset
      wanted[3 * i + 2] = length
    })
    this.#data = bufferOf(this.#length)
    this.#got = new Int32Array(this.#reads.length)
    engine.readMany(wanted, this.#data, this.#got)
  }

  /** What that read gave; a view. @throws ReadFailure that names the file and the place. */
  result(number: number): Uint8Array {
    const read = this.#reads[number]
    const got = this.#got[number]
    if (read === undefined || got === undefined)
      throw new ReadFailure('a read that was not planned')
    const { path, offset, length, at } = read
    if (got === length) return this.#data.subarray(at, at + length)
    const why = got < 0 ? getSystemErrorName(got) : 'the file ends there'
    throw new ReadFailure(`cannot read ${length} bytes at ${offset} of ${path}: ${why}`)
  }
}
