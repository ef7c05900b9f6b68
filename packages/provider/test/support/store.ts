/** A sector store in a temporary directory, with a prover that hashes by the slow reference. */
import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock, systemRandom } from '@holdfast/chain'
import {
  address,
  type Bytes,
  bytes,
  type Commitment,
  type Logger,
  timestamp,
} from '@holdfast/protocol'
import { createVolume } from '../../src/store/volume-files.ts'
import {
  VolumeSet,
  type VolumeSetDependencies,
  type VolumeSetOptions,
} from '../../src/store/volume-set.ts'
import { type LogLine, recordingLogger } from './network.ts'
import { commitmentOf } from './payloads.ts'
import { slowProver } from './slow-prover.ts'

export const PROVIDER = address(`0x${'ab'.repeat(20)}`)
/** Larger payloads get a sector of their own. */
export const SHARED_MAX = bytes(400_000)
export const NOW = timestamp(1_800_000_000)

export class StoreBox {
  readonly directory: string
  readonly indexes: string
  readonly log: LogLine[] = []
  readonly logger: Logger = recordingLogger(this.log)
  readonly #opened: VolumeSet[] = []

  private constructor(directory: string) {
    this.directory = join(directory, 'volume')
    this.indexes = join(directory, 'indexes')
  }

  /** @param empty without a volume in it. */
  static async create({ empty = false }: { empty?: boolean } = {}): Promise<StoreBox> {
    const directory = await mkdtemp(join(tmpdir(), 'holdfast-store-'))
    const box = new StoreBox(directory)
    if (!empty) await createVolume(box.directory, PROVIDER)
    return box
  }

  async open(
    change: Partial<VolumeSetDependencies & VolumeSetOptions & { readonly capacity: Bytes }> = {},
  ): Promise<VolumeSet> {
    const { capacity = bytes(2 ** 30), ...others } = change
    const given = {
      prover: slowProver,
      random: systemRandom,
      logger: this.logger,
      clock: systemClock,
    }
    const store = await VolumeSet.open(
      { ...given, ...others },
      {
        volumes: [{ directory: this.directory, capacity }],
        indexes: this.indexes,
        provider: PROVIDER,
        diskMargin: bytes(0),
        sharedPayloadMax: SHARED_MAX,
        ...others,
      },
    )
    this.#opened.push(store)
    return store
  }

  async close(store: VolumeSet): Promise<void> {
    this.#opened.splice(this.#opened.indexOf(store), 1)
    await store.close()
  }

  async remove(): Promise<void> {
    for (const store of this.#opened) await store.close()
    await rm(join(this.directory, '..'), { recursive: true, force: true })
  }
}

let names = 0

/** Stores a payload whole. */
export const storePayload = async (store: VolumeSet, payload: Uint8Array): Promise<Commitment> => {
  const commitment = commitmentOf(payload)
  const name = `s${names++}`
  await store.reserve(name, commitment)
  await store.write(name, bytes(0), [payload])
  await store.sync(name)
  await store.seal(name, NOW)
  return commitment
}

export const readAll = async (
  store: VolumeSet,
  { root, length }: Commitment,
): Promise<Uint8Array> => {
  const parts: Uint8Array[] = []
  for await (const part of store.read(root, { start: bytes(0), end: length })) parts.push(part)
  return new Uint8Array(Buffer.concat(parts))
}

/** Changes one byte of a file in place. */
export const flipByte = async (path: string, offset: number): Promise<void> => {
  const handle = await open(path, 'r+')
  try {
    const buffer = new Uint8Array(1)
    await handle.read(buffer, 0, 1, offset)
    buffer[0] = (buffer[0] ?? 0) ^ 0x40
    await handle.write(buffer, 0, 1, offset)
  } finally {
    await handle.close()
  }
}
