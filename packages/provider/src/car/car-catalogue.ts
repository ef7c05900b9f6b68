/**
 * The CAR indexes of all payloads that this provider stands by: made one at a time in the background,
 * opened when asked for, thrown away when they are damaged. Answers where a block is.
 *
 * Invariants: nothing here is needed to store or to prove; without an index a payload is only not served
 * by CID. A restart reads the names of the indexes and the list of payloads without blocks, and no payload.
 */
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Bytes, bytes, HoldfastError, type Logger, type Root } from '@holdfast/protocol'
import type { Checksum } from '@holdfast/prover'
import type { CID } from 'multiformats/cid'
import type { Holdings } from '../holdings.ts'
import type { VolumeSet } from '../store/volume-set.ts'
import { nextCall } from '../wake.ts'
import { Barren } from './barren.ts'
import { buildIndex } from './build-index.ts'
import { CarIndex, IndexDamaged } from './car-index.ts'
import { isSameBlock } from './cids.ts'
import { readSection } from './read-section.ts'
import { SectionWalker } from './section-walker.ts'

/** A block that is here: its payload and where its bytes are in it. */
export interface FoundBlock {
  readonly payload: Root
  readonly cid: CID
  /** Of the block's bytes, without length and CID. */
  readonly offset: number
  readonly length: number
  /** Of the section that it stands in. */
  readonly section: { readonly offset: number; readonly length: number }
  readonly ordinal: number
}

export interface CarCatalogueDependencies {
  readonly holdings: Holdings
  /** Everything stored, and whether one payload is. */
  readonly store: Pick<VolumeSet, 'roots' | 'has'>
  readonly checksum: Checksum
  readonly logger: Logger
}

const SUFFIX = '.cidx'
const INDEX_NAME = /^0x[0-9a-f]{64}\.cidx$/
const BARREN_NAME = 'barren.list'
/** Of most payloads that are no CAR the first bytes show it, without a thread. */
const HEAD_BYTES = 256n
/** Payloads that are looked at in one turn. */
const SLICE = 4096

export class CarCatalogue {
  readonly #dependencies: CarCatalogueDependencies
  readonly #directory: string
  readonly #barren: Barren
  /** Undefined: the file is there and nobody has asked for it yet. */
  readonly #indexes = new Map<Root, CarIndex | undefined>()
  readonly #failed = new Set<Root>()
  readonly #waiting = new Set<Root>()
  readonly #listeners = new Set<() => void>()

  private constructor(dependencies: CarCatalogueDependencies, directory: string, barren: Barren) {
    this.#dependencies = dependencies
    this.#directory = directory
    this.#barren = barren
  }

  /** Notes the indexes that are there; removes those of payloads that are gone, and unfinished ones. */
  static async open(
    dependencies: CarCatalogueDependencies,
    directory: string,
  ): Promise<CarCatalogue> {
    await mkdir(directory, { recursive: true, mode: 0o700 })
    const { store, checksum } = dependencies
    const barren = await Barren.open(join(directory, BARREN_NAME), checksum)
    const catalogue = new CarCatalogue(dependencies, directory, barren)
    for (const file of await readdir(directory)) {
      if (file === BARREN_NAME) continue
      const root = file.slice(0, -SUFFIX.length) as Root
      if (INDEX_NAME.test(file) && store.has(root)) catalogue.#indexes.set(root, undefined)
      else await rm(join(directory, file), { force: true })
    }
    return catalogue
  }

  /** Nothing waits and everything stored before was looked at. */
  get isIdle(): boolean {
    return this.#listeners.size > 0 && this.#waiting.size === 0
  }

  /** Payloads with an index. */
  get size(): number {
    return this.#indexes.size
  }

  /** CIDs that the headers of a payload's CAR names; none as long as there is no index. */
  async rootsOf(payload: Root): Promise<readonly string[]> {
    return (await this.#opened(payload))?.header.roots ?? []
  }

  /** A payload is here: it is indexed unless it is already. */
  add(root: Root): void {
    if (this.#isDone(root)) return
    this.#waiting.add(root)
    for (const wake of [...this.#listeners]) wake()
  }

  /** A payload was removed: its index goes too, and what was known of it. */
  async remove(root: Root): Promise<void> {
    this.#indexes.delete(root)
    this.#waiting.delete(root)
    this.#failed.delete(root)
    await rm(this.#pathOf(root), { force: true })
  }

  /**
   * Makes what is waiting, one after the other, until the signal fires: what was stored before this
   * run, and before that whatever comes in meanwhile. A million payloads are gone through as they lie,
   * without a list of them.
   */
  async run(signal: AbortSignal): Promise<void> {
    const before = this.#dependencies.store.roots()[Symbol.iterator]()
    while (!signal.aborted) {
      const [fresh] = this.#waiting
      const root = fresh ?? (await this.#nextWithout(before))
      if (root !== undefined) await this.#make(root, signal)
      else if (this.#waiting.size === 0) await nextCall(this.#listeners, signal)
    }
  }

  async #nextWithout(roots: Iterator<Root>): Promise<Root | undefined> {
    let seen = 0
    for (let next = roots.next(); !next.done; next = roots.next()) {
      if (++seen % SLICE === 0) await new Promise((resolve) => setImmediate(resolve))
      if (!this.#isDone(next.value)) return next.value
    }
    return undefined
  }

  #isDone(root: Root): boolean {
    return this.#indexes.has(root) || this.#failed.has(root) || this.#barren.has(root)
  }

  /**
   * Where a block is; `preferred` is looked at first. Undefined when no index has it.
   * @throws HoldfastError as reading a payload.
   */
  async find(cid: CID, preferred?: Root): Promise<FoundBlock | undefined> {
    const first = preferred === undefined ? undefined : await this.#findIn(preferred, cid)
    if (first !== undefined) return first
    for (const root of this.#indexes.keys()) {
      if (root === preferred) continue
      const found = await this.#findIn(root, cid)
      if (found === undefined) continue
      this.#favour(root)
      return found
    }
    return undefined
  }

  async close(): Promise<void> {
    this.#indexes.clear()
    await this.#barren.close()
  }

  async #findIn(root: Root, cid: CID): Promise<FoundBlock | undefined> {
    const index = await this.#opened(root)
    const { holdings } = this.#dependencies
    if (index === undefined || holdings.find(root) === undefined) return undefined
    try {
      const hit = await index.find(cid)
      if (hit === undefined) return undefined
      const section = await readSection(holdings, root, hit.offset)
      if (section === undefined || !isSameBlock(section.cid, cid)) {
        throw new IndexDamaged(`entry ${hit.ordinal} of the index of ${root}`)
      }
      return { ...section, payload: root, ordinal: hit.ordinal }
    } catch (error) {
      // Removed while it was looked into.
      if (this.#indexes.get(root) !== index) return undefined
      if (!(error instanceof IndexDamaged)) throw error
      await this.#drop(root, error.message)
      return undefined
    }
  }

  /** Moves a payload to the front: whoever asks for one block asks for its neighbours. */
  #favour(root: Root): void {
    const rest = [...this.#indexes].filter(([other]) => other !== root)
    const own = this.#indexes.get(root)
    if (own === undefined || rest.length === this.#indexes.size) return
    this.#indexes.clear()
    this.#indexes.set(root, own)
    for (const [other, index] of rest) this.#indexes.set(other, index)
  }

  /** The index of a payload; one that turns out to be damaged is made again. */
  async #opened(root: Root): Promise<CarIndex | undefined> {
    const known = this.#indexes.get(root)
    if (known !== undefined || !this.#indexes.has(root)) return known
    if (await this.#load(root)) return this.#indexes.get(root)
    await this.#drop(root, 'not whole')
    return undefined
  }

  async #drop(root: Root, reason: string): Promise<void> {
    this.#dependencies.logger.warn('index damaged, made again', { root, reason })
    this.#indexes.delete(root)
    this.add(root)
  }

  async #load(root: Root): Promise<boolean> {
    const index = await CarIndex.open(this.#pathOf(root), this.#dependencies.checksum)
    if (index?.header.payload !== root) return false
    // Removed or dropped while it was read: then it stays so.
    if (this.#indexes.has(root)) this.#indexes.set(root, index)
    return true
  }

  async #make(root: Root, signal: AbortSignal): Promise<void> {
    const { holdings, logger, checksum } = this.#dependencies
    const stored = holdings.find(root)
    this.#waiting.delete(root)
    if (stored === undefined) return
    const { length } = stored.commitment
    const task = { path: this.#pathOf(root), payload: root, payloadLength: Number(length) }
    try {
      if (await this.#isNoCar(root, length, signal)) return await this.#barren.add(root)
      const payload = holdings.read(root, { start: bytes(0), end: length }, { signal })
      const entries = await buildIndex(task, payload, { signal })
      if (holdings.find(root) === undefined) return await this.remove(root)
      const header = (await CarIndex.open(task.path, checksum))?.header
      if (entries === 0 && header?.roots.length === 0) {
        await rm(task.path, { force: true })
        return await this.#barren.add(root)
      }
      this.#indexes.set(root, undefined)
      const { unknown, wrong, ended } = header ?? {}
      logger.info('payload indexed', { root, blocks: entries, unknown, wrong, ended })
    } catch (error) {
      if (signal.aborted) return
      this.#failed.add(root)
      const reason =
        HoldfastError.is(error) || error instanceof Error ? error.message : String(error)
      logger.warn('payload not indexed: not served by CID', { root, reason })
    }
  }

  /** Whether the first bytes already show that a payload is no CAR. */
  async #isNoCar(root: Root, length: Bytes, signal: AbortSignal): Promise<boolean> {
    const walker = new SectionWalker(() => true)
    const head = { start: bytes(0), end: bytes(length < HEAD_BYTES ? length : HEAD_BYTES) }
    for await (const piece of this.#dependencies.holdings.read(root, head, { signal })) {
      walker.feed(piece)
    }
    const { isOver } = walker
    const { roots, blocks } = walker.end()
    return isOver && roots.length === 0 && blocks === 0
  }

  #pathOf(root: Root): string {
    return join(this.#directory, `${root}${SUFFIX}`)
  }
}
