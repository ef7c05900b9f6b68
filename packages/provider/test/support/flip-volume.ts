/**
 * One volume with everything that can be on it, and what happens when one bit of it changes: it is
 * opened again, everything is read and scrubbed. The oracle knows every payload byte for byte.
 */
import { bytes, type Commitment, type Root } from '@holdfast/protocol'
import type { Prover } from '@holdfast/prover'
import { runFrameTask } from '../../src/store/frame-task.ts'
import { readChecked, verifyRecord } from '../../src/store/payload-reads.ts'
import type { Entry } from '../../src/store/record-entry.ts'
import { sectorPath } from '../../src/store/sector-names.ts'
import type { VolumeEngine } from '../../src/store/volume-engine.ts'
import {
  type Built,
  checksum,
  openOn,
  PATHS,
  type Place,
  type Stored,
  store,
  TemplateBuilder,
  type VolumeKind,
} from './flip-template.ts'
import { commitmentOf } from './payloads.ts'
import { SimulatedDisk } from './simulated-disk.ts'

/** How a change was met. */
export type Outcome =
  | 'lost, and missed by whoever has a receipt'
  | 'found by reading'
  | 'found by scrubbing, written again'
  | 'found when sealing'
  | 'noticed when opening'
  | 'removed payload back, to be collected again'
  | 'without effect'

/** What costs a payload, or an upload, until it is repaired. */
const LOSSES: ReadonlySet<Outcome> = new Set<Outcome>([
  ...(['lost, and missed by whoever has a receipt', 'found by reading'] as const),
  'found when sealing',
])

export interface OpenHow {
  readonly withIndex: boolean
  readonly deep: boolean
}

export class FlipVolume {
  readonly files: ReadonlyMap<string, Uint8Array>
  readonly index: ReadonlyMap<string, Entry>
  readonly places: ReadonlyMap<VolumeKind, readonly Place[]>
  readonly #stored: ReadonlyMap<Root, Stored>
  readonly #removed: ReadonlySet<Root>
  readonly #reserved: ReadonlyMap<string, Stored>

  private constructor(built: Built) {
    this.files = built.disk.files
    this.index = built.index
    this.#stored = built.stored
    this.#removed = built.removed
    this.#reserved = built.reserved
    this.places = built.places
  }

  static build(): FlipVolume {
    return new FlipVolume(new TemplateBuilder().build())
  }

  /** The sector files, and how many payloads and uploads lie in each. */
  get sectors(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>()
    const count = (path: string): void => void counts.set(path, (counts.get(path) ?? 0) + 1)
    for (const path of this.files.keys()) if (path.endsWith('.sector')) counts.set(path, 0)
    for (const { path } of this.places.get('record header') ?? []) count(path)
    for (const { path } of this.places.get('reservation header') ?? []) count(path)
    return counts
  }

  /** A disk with this volume on it. */
  disk(): SimulatedDisk {
    return SimulatedDisk.holding(this.files)
  }

  /**
   * Opens what is on the disk, reads and scrubs everything, mends what can be mended; then opens it once
   * more from nothing but the records, and nothing more may be missing.
   * @throws Error when a wrong byte is served, more than one record is concerned, or nothing notices.
   */
  async judge(disk: SimulatedDisk, how: OpenHow): Promise<ReadonlySet<Outcome>> {
    const first = await this.look(disk, how)
    if (first.bad > 1) throw new Error(`${first.bad} records are concerned`)
    const again = await this.look(disk, { withIndex: false, deep: true })
    if (again.bad > first.bad) throw new Error('a rebuild finds less than there was')
    return first.outcomes
  }

  /** What one opening finds, and how many records are lost or damaged. @throws Error for wrong bytes. */
  async look(
    disk: SimulatedDisk,
    how: OpenHow,
  ): Promise<{ readonly outcomes: ReadonlySet<Outcome>; readonly bad: number }> {
    const engine = openOn(disk, { known: how.withIndex ? this.index : new Map(), deep: how.deep })
    const seen: Outcome[] = []
    for (const [root, stored] of this.#stored) {
      seen.push(await this.#judgePayload(engine, disk, root, stored))
    }
    for (const [name, stored] of this.#reserved) {
      seen.push(judgeReservation(engine, disk, name, stored))
    }
    for (const entry of engine.table.values()) {
      const { root } = entry.trailer.commitment
      if (this.#removed.has(root)) seen.push('removed payload back, to be collected again')
      else if (!this.#stored.has(root)) throw new Error(`${root} was never stored`)
    }
    engine.end()
    const bad = seen.filter((outcome) => LOSSES.has(outcome)).length
    const outcomes = new Set(seen)
    if (engine.notes.length > 0) outcomes.add('noticed when opening')
    if (outcomes.size > 1) outcomes.delete('without effect')
    return { outcomes, bad }
  }

  async #judgePayload(
    engine: VolumeEngine,
    disk: SimulatedDisk,
    root: Root,
    { data, commitment }: Stored,
  ): Promise<Outcome> {
    const entry = engine.table.get(root)
    if (entry === undefined) return 'lost, and missed by whoever has a receipt'
    const frames = {
      run: async (_lane: unknown, task: Parameters<typeof runFrameTask>[1]) =>
        runFrameTask({ disk, checksum }, task),
    }
    const place = {
      path: sectorPath(PATHS.sectors, entry.sector),
      offset: entry.offset,
      trailer: entry.trailer,
    }
    const read = await readWhole(frames, place, commitment).catch(() => undefined)
    if (read !== undefined && !Buffer.from(read).equals(data)) {
      throw new Error(`wrong bytes of ${root} were served`)
    }
    const prover = {
      // Only asked when every frame is as its checksum says.
      commitFile: async () => (read === undefined ? commitmentOf(new Uint8Array(1)) : commitment),
    } as unknown as Pick<Prover, 'commitFile'>
    const damage = await verifyRecord({ frames, prover }, place)
    if (read === undefined && damage === undefined)
      throw new Error('scrubbing misses what reading finds')
    if (damage === undefined) return 'without effect'
    if (damage.payloadWhole !== true) return 'found by reading'
    store(engine, 'mend', data, commitment)
    const again = engine.table.get(root)
    if (again?.trailer.sequence === entry.trailer.sequence) throw new Error('not written again')
    return 'found by scrubbing, written again'
  }
}

const readWhole = async (
  frames: Parameters<typeof readChecked>[0],
  place: Parameters<typeof readChecked>[1],
  { length }: Commitment,
): Promise<Uint8Array> => {
  const parts: Uint8Array[] = []
  for await (const part of readChecked(frames, place, { start: bytes(0), end: length })) {
    parts.push(part)
  }
  return Buffer.concat(parts)
}

/** What sealing it would say: the root is computed from what is on disk. */
const judgeReservation = (
  engine: VolumeEngine,
  disk: SimulatedDisk,
  name: string,
  { data, commitment }: Stored,
): Outcome => {
  const reservation = engine.reservations.get(name)
  if (reservation === undefined) return 'lost, and missed by whoever has a receipt'
  if (reservation.header.commitment.root !== commitment.root) throw new Error('another root')
  const there = disk.contentOf(reservation.path)
  const at = reservation.layout.payload
  const read = there?.subarray(at, at + data.length) ?? new Uint8Array(0)
  if (Buffer.from(read).equals(data)) return 'without effect'
  if (commitmentOf(read.slice()).root === commitment.root)
    throw new Error('wrong bytes, right root')
  return 'found when sealing'
}
