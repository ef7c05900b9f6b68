/**
 * A volume's engine on a simulated disk, driven by chance, with an oracle of what was acknowledged.
 * One seed is one run: operations, power loss at some change of the disk or the death of the thread,
 * after which the disk has all that was written, recovery, check, and again.
 */
import { bytes, HoldfastError, type Root, timestamp } from '@holdfast/protocol'
import { openChecksum } from '@holdfast/prover'
import { runFrameTask } from '../../src/store/frame-task.ts'
import type { Entry } from '../../src/store/record-entry.ts'
import { layoutOf } from '../../src/store/sector-format.ts'
import { sectorPath } from '../../src/store/sector-names.ts'
import { type FormerLife, VolumeEngine } from '../../src/store/volume-engine.ts'
import { volumePaths } from '../../src/store/volume-paths.ts'
import { type Chance, chanceFrom, PowerLoss, SimulatedDisk } from './simulated-disk.ts'
import { MADE, type Payload } from './simulated-payloads.ts'
import { worthCopying } from './worth-copying.ts'

const PATHS = volumePaths('/volume')
const IDENTITY = 'ab'.repeat(16)
const SHARED_MAX = 10_000n
const SECTOR_BYTES = 60_000n
const checksum = openChecksum()

interface Upload {
  readonly payload: Payload
  /** Bytes written, and bytes known to be durable. */
  written: number
  durable: number
  /** Whether a sync came after its place was taken: only then must a restart know of it. */
  kept: boolean
}

/** What must be found of a payload that was ever sealed. */
interface Known {
  readonly payload: Payload
  state: 'stored' | 'gone' | 'unsure'
  /** What will be true when the last operation on it is durable. */
  next: 'stored' | 'gone'
}

export class SimulatedVolume {
  readonly disk = new SimulatedDisk()
  readonly chance: Chance
  readonly #seed: number
  #engine: VolumeEngine
  #index = new Map<string, Entry>()
  #olderIndex = new Map<string, Entry>()
  #uploads = new Map<string, Upload>()
  readonly #payloads = new Map<Root, Known>()
  #retired: number[] = []
  #names = 0
  #randomByte = 0
  losses = 0
  deaths = 0

  constructor(seed: number) {
    this.#seed = seed
    this.chance = chanceFrom(seed)
    const file = this.disk.open(PATHS.identity, 'create')
    const text = JSON.stringify({ version: 2, provider: '0x', id: IDENTITY })
    this.disk.write(file, new TextEncoder().encode(text), 0)
    this.disk.sync(file)
    this.disk.syncDirectory(PATHS.root)
    this.#engine = this.#open(false)
  }

  /** So many losses of power, each after some operations and perhaps some deaths of the thread. */
  run(rounds: number): void {
    while (this.losses < rounds) {
      this.disk.failAfter(1 + this.chance(120))
      try {
        for (;;) this.#batch()
      } catch (error) {
        if (!(error instanceof PowerLoss) && !isPowerLoss(error)) throw this.#told(error)
      }
      const former = this.chance(3) === 0 ? { readOnly: undefined } : undefined
      if (former === undefined) {
        this.losses++
        this.disk.restart(this.chance)
      } else {
        this.deaths++
        this.disk.unmount()
      }
      try {
        this.#recover(former)
      } catch (error) {
        throw this.#told(error)
      }
    }
  }

  #told(error: unknown): Error {
    const what = error instanceof Error ? error.message : String(error)
    return new Error(`seed ${this.#seed}, loss ${this.losses}, death ${this.deaths}: ${what}`, {
      cause: error,
    })
  }

  #open(deep: boolean, former?: FormerLife): VolumeEngine {
    const known = [this.#index, this.#olderIndex, new Map()][this.chance(3)] ?? new Map()
    return VolumeEngine.open({
      ...{ disk: this.disk, paths: PATHS, identity: IDENTITY, checksum, known, deep },
      options: {
        ...{ capacity: 2n ** 40n, diskMargin: 0n },
        ...{ sharedPayloadMax: SHARED_MAX, sharedSectorBytes: SECTOR_BYTES },
      },
      random: { bytes: (n) => Uint8Array.from({ length: n }, () => this.#salt()) },
      onTableMoved: () => undefined,
      former,
    })
  }

  #salt(): number {
    this.#randomByte = (this.#randomByte * 5 + 1 + this.chance(200)) & 0xff
    return this.#randomByte
  }

  /** A few operations and the sync after them: what it acknowledges becomes the oracle's. */
  #batch(): void {
    const acknowledged: (() => void)[] = []
    for (let i = this.chance(4); i >= 0; i--) acknowledged.push(this.#operation())
    this.#engine.commit()
    for (const acknowledge of acknowledged) acknowledge()
    for (const [file, entry] of this.#engine.report().changes) {
      if (this.chance(4) === 0) this.#olderIndex = new Map(this.#index)
      if (entry === undefined) this.#index.delete(file)
      else this.#index.set(file, entry)
    }
  }

  #operation(): () => void {
    const roll = this.chance(100)
    if (roll < 25) return this.#reserve()
    if (roll < 50) return this.#write()
    if (roll < 75) return this.#seal()
    if (roll < 80) return this.#discard()
    if (roll < 90) return this.#remove()
    return this.#collect()
  }

  #reserve(): () => void {
    const payload = MADE[this.chance(MADE.length)]
    if (payload === undefined) throw new Error('there are payloads')
    const busy = [...this.#uploads.values()].some((upload) => upload.payload === payload)
    if (busy) return nothing
    const name = `u${this.#names++}`
    const { commitment } = payload
    this.#engine.apply<'reserve'>({ kind: 'reserve', name, commitment, layersBytes: bytes(0) })
    const upload = { payload, written: 0, durable: 0, kept: false }
    this.#uploads.set(name, upload)
    return () => {
      upload.kept = true
    }
  }

  #write(): () => void {
    const [name, upload] = this.#anyUpload()
    if (name === undefined || upload === undefined) return nothing
    const { data } = upload.payload
    const end = Math.min(data.length, upload.written + 1 + this.chance(data.length))
    const part = data.subarray(upload.written, end)
    this.#engine.apply<'write'>({ kind: 'write', name, offset: upload.written, data: part })
    upload.written = end
    return () => {
      upload.durable = Math.max(upload.durable, end)
    }
  }

  #seal(): () => void {
    const [name, upload] = this.#anyUpload()
    if (name === undefined || upload === undefined) return nothing
    const { data, commitment } = upload.payload
    if (upload.written < data.length) return nothing
    const prepared = this.#engine.apply<'prepare'>({ kind: 'prepare', name })
    if (prepared === undefined) return nothing
    const { framesCrc } = prepared
    this.#uploads.delete(name)
    const { payload } = upload
    const known = this.#payloads.get(commitment.root) ?? {
      payload,
      state: 'unsure',
      next: 'stored',
    }
    this.#payloads.set(commitment.root, known)
    if (known.state !== 'stored') known.state = 'unsure'
    known.next = 'stored'
    this.#engine.apply<'seal'>({ kind: 'seal', name, storedAt: timestamp(7), framesCrc })
    return () => {
      known.state = known.next
    }
  }

  #discard(): () => void {
    const [name] = this.#anyUpload()
    if (name === undefined) return nothing
    this.#uploads.delete(name)
    this.#engine.apply<'discard'>({ kind: 'discard', name })
    return nothing
  }

  #remove(): () => void {
    const stored = [...this.#payloads].filter(([, { state }]) => state === 'stored')
    const [root, known] = stored[this.chance(Math.max(1, stored.length))] ?? []
    if (root === undefined || known === undefined) return nothing
    known.state = 'unsure'
    known.next = 'gone'
    this.#engine.apply<'remove'>({ kind: 'remove', root })
    return () => {
      known.state = known.next
    }
  }

  #collect(): () => void {
    const dropped = this.#retired.shift()
    if (dropped !== undefined) {
      this.#engine.apply<'drop'>({ kind: 'drop', sector: dropped })
      return nothing
    }
    const found = worthCopying(this.#engine)
    if (found === undefined) return nothing
    const { sector, live } = found
    if (live.length > 0) {
      for (const root of live) this.#engine.apply<'move'>({ kind: 'move', root, from: sector })
      return nothing
    }
    if (!this.#engine.apply<'retire'>({ kind: 'retire', sector })) return nothing
    return () => this.#retired.push(sector)
  }

  #anyUpload(): readonly [string?, Upload?] {
    const all = [...this.#uploads]
    return all[this.chance(Math.max(1, all.length))] ?? []
  }

  #recover(former: FormerLife | undefined): void {
    this.#retired = []
    this.#engine = this.#open(this.chance(4) === 0, former)
    for (const { level, event, fields } of this.#engine.notes) {
      if (level === 'error') throw new Error(`${event} ${JSON.stringify(fields)}`)
    }
    for (const [root, known] of this.#payloads) this.#checkPayload(root, known)
    for (const entry of this.#engine.table.values()) {
      const { root } = entry.trailer.commitment
      if (!this.#payloads.has(root)) throw new Error(`${root} was never sealed`)
    }
    for (const [name, upload] of this.#uploads) this.#checkUpload(name, upload)
    for (const name of this.#engine.reservations.keys()) {
      if (!this.#uploads.has(name)) this.#engine.apply<'discard'>({ kind: 'discard', name })
    }
    this.#engine.commit()
  }

  #checkPayload(root: Root, known: Known): void {
    const entry = this.#engine.table.get(root)
    if (entry === undefined) {
      if (known.state === 'stored') throw new Error(`${root} is lost`)
      known.state = 'gone'
      return
    }
    if (known.state === 'gone') throw new Error(`${root} was removed and is back`)
    known.state = 'stored'
    const { data } = known.payload
    const layout = layoutOf(entry.offset, entry.trailer)
    const result = runFrameTask(
      { disk: this.disk, checksum },
      {
        kind: 'read-frames',
        path: sectorPath(PATHS.sectors, entry.sector),
        offset: layout.payload,
        length: data.length,
        crcOffset: layout.frameCrcs,
        first: 0,
        count: layout.frames,
      },
    )
    if (!result.ok || result.bytes === undefined) throw new Error(`${root}: damaged`)
    if (!Buffer.from(result.bytes).equals(data)) throw new Error(`${root}: other bytes`)
  }

  #checkUpload(name: string, upload: Upload): void {
    const reservation = this.#engine.reservations.get(name)
    if (reservation === undefined && upload.kept) throw new Error(`the reservation ${name} is lost`)
    if (reservation === undefined) return void this.#uploads.delete(name)
    upload.kept = true
    const { path, layout } = reservation
    const file = this.disk.open(path, 'read')
    const read = new Uint8Array(upload.durable)
    this.disk.read(file, read, layout.payload)
    this.disk.close(file)
    const wanted = upload.payload.data.subarray(0, upload.durable)
    if (!Buffer.from(read).equals(wanted)) throw new Error(`durable bytes of ${name} changed`)
    upload.written = upload.durable
  }
}

const nothing = (): void => undefined

/** The engine says "read-only" when its disk fails; here that is the loss of power. */
const isPowerLoss = (error: unknown): boolean =>
  HoldfastError.is(error, 'STORE_READ_ONLY') && error.cause instanceof PowerLoss
