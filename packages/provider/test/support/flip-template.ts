/**
 * A volume with everything that can be on one: full sectors with footers, an open one, sectors of one
 * payload, tombstones, uploads on their way; and which bytes of it are what.
 */
import { bytes, type Commitment, type Root, timestamp } from '@holdfast/protocol'
import { openChecksum } from '@holdfast/prover'
import type { Entry } from '../../src/store/record-entry.ts'
import { alignUp, FIRST_RECORD, layoutOf, SUPERBLOCK_BYTES } from '../../src/store/sector-format.ts'
import { sectorPath } from '../../src/store/sector-names.ts'
import { VolumeEngine } from '../../src/store/volume-engine.ts'
import { volumePaths } from '../../src/store/volume-paths.ts'
import { commitmentOf, payloadOf } from './payloads.ts'
import { SimulatedDisk } from './simulated-disk.ts'

export const PATHS = volumePaths('/volume')
const IDENTITY = 'ab'.repeat(16)
export const checksum = openChecksum()
const SHARED = [1, 700, 5_000, 9_000, 65_536, 70_000] as const
const OWN = 130_000

export const VOLUME_KINDS = [
  ...(['first superblock', 'second superblock', 'record header', 'payload'] as const),
  ...(['frame checksums', 'kept layers', 'record trailer', 'padding', 'footer'] as const),
  ...(['tombstone', 'reservation header', 'reserved bytes', 'own sector'] as const),
] as const
export type VolumeKind = (typeof VOLUME_KINDS)[number]

export interface Place {
  readonly path: string
  readonly at: number
  readonly length: number
}

export interface Stored {
  readonly data: Uint8Array
  readonly commitment: Commitment
}

/** The engine of a volume on a disk in memory. */
export const openOn = (
  disk: SimulatedDisk,
  { known, deep }: { readonly known: ReadonlyMap<string, Entry>; readonly deep: boolean },
): VolumeEngine => {
  let salt = 1
  return VolumeEngine.open({
    ...{ disk, paths: PATHS, identity: IDENTITY, checksum, known, deep },
    options: {
      ...{ capacity: 2n ** 40n, diskMargin: 0n },
      ...{ sharedPayloadMax: 100_000n, sharedSectorBytes: 200_000n },
    },
    random: { bytes: (n) => Uint8Array.from({ length: n }, () => (salt = (salt * 5 + 3) & 0xff)) },
    onTableMoved: () => undefined,
  })
}

export const store = (
  engine: VolumeEngine,
  name: string,
  data: Uint8Array,
  commitment: Commitment,
): void => {
  const layersBytes = bytes(Math.ceil(data.length / 1024) * 2)
  engine.apply<'reserve'>({ kind: 'reserve', name, commitment, layersBytes })
  engine.apply<'write'>({ kind: 'write', name, offset: 0, data })
  engine.commit()
  const prepared = engine.apply<'prepare'>({ kind: 'prepare', name })
  if (prepared?.readBack !== false) throw new Error('all frames have passed')
  const { framesCrc } = prepared
  engine.apply<'seal'>({ kind: 'seal', name, storedAt: timestamp(7), framesCrc })
  engine.commit()
}

export interface Built {
  readonly disk: SimulatedDisk
  readonly index: ReadonlyMap<string, Entry>
  readonly stored: ReadonlyMap<Root, Stored>
  readonly removed: ReadonlySet<Root>
  readonly reserved: ReadonlyMap<string, Stored>
  readonly places: ReadonlyMap<VolumeKind, readonly Place[]>
}

/** Makes the volume, and notes what lies where. */
export class TemplateBuilder {
  readonly #disk = new SimulatedDisk()
  readonly #stored = new Map<Root, Stored>()
  readonly #removed = new Set<Root>()
  readonly #reserved = new Map<string, Stored>()
  readonly #index = new Map<string, Entry>()
  readonly #places = new Map<VolumeKind, Place[]>()

  build(): Built {
    const file = this.#disk.open(PATHS.identity, 'create')
    const text = JSON.stringify({ version: 2, provider: '0x', id: IDENTITY })
    this.#disk.write(file, new TextEncoder().encode(text), 0)
    this.#disk.close(file)
    const engine = openOn(this.#disk, { known: new Map(), deep: false })
    for (let i = 0; i < 20; i++) this.#store(engine, SHARED[i % SHARED.length] ?? 1, i + 1)
    for (let i = 0; i < 3; i++) this.#store(engine, OWN + i, 100 + i)
    for (const root of [...this.#stored.keys()].filter((_, i) => i % 7 === 3)) {
      engine.apply<'remove'>({ kind: 'remove', root })
      engine.commit()
      this.#stored.delete(root)
      this.#removed.add(root)
    }
    for (let i = 0; i < 4; i++) this.#store(engine, SHARED[i] ?? 1, 200 + i)
    this.#reserve(engine, 'half-shared', 20_000)
    this.#reserve(engine, 'half-own', OWN)
    for (const [name, entry] of engine.report().changes) {
      if (entry !== undefined) this.#index.set(name, entry)
    }
    this.#notePlaces(engine)
    engine.end()
    return {
      ...{ disk: this.#disk, index: this.#index, stored: this.#stored },
      ...{ removed: this.#removed, reserved: this.#reserved, places: this.#places },
    }
  }

  #store(engine: VolumeEngine, size: number, seed: number): void {
    const data = payloadOf(size, seed)
    const commitment = commitmentOf(data)
    store(engine, `s${seed}`, data, commitment)
    this.#stored.set(commitment.root, { data, commitment })
  }

  #reserve(engine: VolumeEngine, name: string, size: number): void {
    const data = payloadOf(size, size)
    const commitment = commitmentOf(data)
    engine.apply<'reserve'>({ kind: 'reserve', name, commitment, layersBytes: bytes(64) })
    engine.apply<'write'>({ kind: 'write', name, offset: 0, data })
    engine.commit()
    this.#reserved.set(name, { data, commitment })
  }

  #note(kind: VolumeKind, path: string, at: number, length: number): void {
    const known = this.#places.get(kind) ?? []
    this.#places.set(kind, known)
    if (length > 0) known.push({ path, at, length })
  }

  #notePlaces(engine: VolumeEngine): void {
    for (const [path, content] of this.#disk.files) {
      if (!path.endsWith('.sector')) continue
      this.#note('first superblock', path, 0, SUPERBLOCK_BYTES)
      this.#note('second superblock', path, SUPERBLOCK_BYTES, SUPERBLOCK_BYTES)
      const tail = content.subarray(content.length - 64, content.length - 56)
      if (Buffer.from(tail).toString() !== 'HFFOOTER') continue
      const starts = new DataView(content.buffer, content.byteOffset + content.length - 64)
      const at = Number(starts.getBigUint64(32, true))
      this.#note('footer', path, at, content.length - at)
    }
    for (const entry of engine.table.values()) this.#noteRecord(entry)
    for (const { path, layout } of engine.reservations.values()) {
      this.#note('reservation header', path, layout.header, 128)
      this.#note('reserved bytes', path, layout.payload, layout.frameCrcs - layout.payload)
    }
    this.#noteTombstones()
  }

  #noteRecord({ sector, offset, trailer }: Entry): void {
    const path = sectorPath(PATHS.sectors, sector)
    const layout = layoutOf(offset, trailer)
    if (offset === FIRST_RECORD && trailer.commitment.length >= BigInt(OWN)) {
      this.#note('own sector', path, 0, layout.end)
    }
    this.#note('record header', path, layout.header, 128)
    this.#note('payload', path, layout.payload, layout.frameCrcs - layout.payload)
    this.#note('frame checksums', path, layout.frameCrcs, 4 * layout.frames)
    this.#note('kept layers', path, layout.layers, layout.trailer - layout.layers)
    this.#note('record trailer', path, layout.trailer, 128)
    this.#note('padding', path, layout.trailer + 128, layout.end - layout.trailer - 128)
  }

  /** Records of type 2: their type is the byte after magic and format. */
  #noteTombstones(): void {
    for (const [path, content] of this.#disk.files) {
      for (let at = FIRST_RECORD; at + 256 <= content.length; at = alignUp(at + 1)) {
        const magic = Buffer.from(content.subarray(at, at + 8)).toString()
        if (magic === 'HFRECORD' && content[at + 10] === 2) this.#note('tombstone', path, at, 256)
      }
    }
  }
}
