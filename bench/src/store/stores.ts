/**
 * Real stores to measure with: a volume set on the file system, opened empty for every round, and
 * payloads in memory with their commitments.
 */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock, systemRandom } from '@holdfast/chain'
import {
  address,
  bytes,
  type Commitment,
  type ProviderId,
  silentLogger,
  timestamp,
} from '@holdfast/protocol'
import type { Prover } from '@holdfast/prover'
import { createVolume, VolumeSet } from '@holdfast/provider'
import { noise } from '../data.ts'

export const MIB: number = 2 ** 20
export const PROVIDER: ProviderId = address(`0x${'ab'.repeat(20)}`)

type VolumeSetOptions = Parameters<typeof VolumeSet.open>[1]

/** Opens the store whose only volume lies in this directory. */
export const openStoreAt = (
  directory: string,
  prover: Parameters<typeof VolumeSet.open>[0]['prover'],
  change: Partial<VolumeSetOptions> = {},
): Promise<VolumeSet> =>
  VolumeSet.open(
    { prover, random: systemRandom, logger: silentLogger, clock: systemClock },
    {
      volumes: [{ directory, capacity: bytes(2 ** 40) }],
      indexes: join(directory, 'indexes'),
      provider: PROVIDER,
      diskMargin: bytes(0),
      ...change,
    },
  )

/** Stores of a suite, one after another, each in a directory of its own. */
export class Stores {
  readonly #folder: string
  readonly #prover: Prover
  #opened = 0
  #store: VolumeSet | undefined

  constructor(folder: string, prover: Prover) {
    this.#folder = folder
    this.#prover = prover
  }

  get current(): VolumeSet {
    if (this.#store === undefined) throw new Error('no store is open')
    return this.#store
  }

  /** Ends the last store, removes it, and opens an empty one. */
  async fresh(): Promise<void> {
    await this.close()
    const directory = join(this.#folder, `volume-${this.#opened++}`)
    await createVolume(directory, PROVIDER)
    this.#store = await openStoreAt(directory, this.#prover)
  }

  async close(): Promise<void> {
    await this.#store?.close()
    this.#store = undefined
    if (this.#opened === 0) return
    rmSync(join(this.#folder, `volume-${this.#opened - 1}`), { recursive: true, force: true })
  }
}

/** Bytes in memory, and what they are stored as. */
export interface Payload {
  readonly data: Uint8Array
  readonly commitment: Commitment
}

const inParts = async function* (data: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < data.length; at += MIB) yield data.subarray(at, at + MIB)
}

/** `total` bytes of noise as payloads of `size` bytes each. */
export const payloadsOf = async (
  prover: Prover,
  {
    total,
    size,
    seed = 1,
  }: { readonly total: number; readonly size: number; readonly seed?: number },
): Promise<readonly Payload[]> => {
  const all = noise(total, seed)
  const payloads: Payload[] = []
  for (let at = 0; at < total; at += size) {
    const data = all.subarray(at, at + size)
    payloads.push({ data, commitment: await prover.commitStream(inParts(data)) })
  }
  return payloads
}

/** Runs `work` on every item, `lanes` of them under way at once. */
export const inLanes = async <T>(
  lanes: number,
  items: readonly T[],
  work: (item: T, number: number) => Promise<unknown>,
): Promise<void> => {
  let next = 0
  const lane = async (): Promise<void> => {
    for (let number = next++; number < items.length; number = next++) {
      await work(items[number] as T, number)
    }
  }
  await Promise.all(Array.from({ length: lanes }, lane))
}

/** Stores a small payload: reserved, written, its root checked, durable when it resolves. */
export const storeSmall = async (
  store: VolumeSet,
  name: string,
  { data, commitment }: Payload,
): Promise<void> => {
  await store.reserve(name, commitment)
  await store.write(name, bytes(0), [data])
  await store.seal(name, timestamp(1))
}

/** Parts of an upload that are on their way at once, as the client sends them. */
const PARTS_AT_ONCE = 8

/** Stores a large payload as an upload brings it: in parts, each durable before it is called so. */
export const storeLarge = async (
  store: VolumeSet,
  { data, commitment }: Payload,
  partBytes: number,
): Promise<string> => {
  await store.reserve('payload', commitment)
  const parts = Array.from({ length: data.length / partBytes }, (_, i) => i * partBytes)
  await inLanes(PARTS_AT_ONCE, parts, async (part) => {
    await store.write('payload', bytes(part), [data.subarray(part, part + partBytes)])
    await store.sync('payload')
  })
  return (await store.seal('payload', timestamp(1))).commitment.root
}
