/** Sources of payload bytes for tests: a file, counted, and sources that lie. */
import { open } from 'node:fs/promises'
import { HoldfastError } from '@holdfast/protocol'
import type { RangeSource } from '../../src/retrieve/range-source.ts'

export class BytesSource implements RangeSource {
  readonly length: number
  readonly #data: Uint8Array
  requests = 0
  bytes = 0

  constructor(data: Uint8Array) {
    this.#data = data
    this.length = data.length
  }

  async read(start: number, end: number): Promise<Uint8Array> {
    if (start < 0 || start >= end || end > this.length) throw new Error(`span ${start} to ${end}`)
    this.requests += 1
    this.bytes += end - start
    return Uint8Array.from(this.#data.subarray(start, end))
  }
}

/** Changes some of the bytes it is asked for. */
export const spoiled = (source: RangeSource, spoil: (at: number) => number): RangeSource => ({
  length: source.length,
  read: async (start, end) => {
    const data = await source.read(start, end)
    for (let i = 0; i < data.length; i++) data[i] = (data[i] ?? 0) ^ spoil(start + i)
    return data
  },
})

export const unreachable = (length: number): RangeSource => ({
  length,
  read: async () => {
    throw new HoldfastError({ code: 'PEER_UNREACHABLE', peer: 'test', reason: 'it is down' })
  },
})

/** A file as a source, for payloads that should not be in memory. */
export const fileSource = async (
  path: string,
): Promise<RangeSource & { close(): Promise<void> }> => {
  const file = await open(path, 'r')
  const { size } = await file.stat()
  return {
    length: size,
    read: async (start, end) => {
      const out = Buffer.alloc(end - start)
      await file.read(out, 0, out.length, start)
      return out
    },
    close: () => file.close(),
  }
}
