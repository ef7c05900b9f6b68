/**
 * The CAR indexes of all payloads that this provider stands by: made one at a time in the background,
 * opened when asked for, thrown away when they are damaged. Answers where a block is.
 *
 * Invariant: nothing here is needed to store or to prove; without an index a payload is only not served
 * by CID.
 */
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { bytes, HoldfastError, type Logger, type Root } from '@holdfast/protocol'
import type { Checksum } from '@holdfast/prover'
import type { CID } from 'multiformats/cid'
import type { Holdings } from '../holdings.ts'
import type { VolumeSet } from '../store/volume-set.ts'
import { nextCall } from '../wake.ts'
import { buildIndex } from './build-index.ts'
import { CarIndex, IndexDamaged } from './car-index.ts'
import { isSameBlock } from './cids.ts'
import { readSection } from './read-section.ts'

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
/** Payloads that are looked at in one turn. */
const SLICE = 4096

export class CarCatalogue {
  readonly #dependencies: CarCatalogueDependencies
  readonly #directory: string
  readonly #indexes = new Map<Root, CarIndex>()
  readonly #failed = new Set<Root>()
  readonly #waiting = new Set<Root>()
  readonly #listeners = new Set<() => void>()

  private constructor(dependencies: CarCatalogueDependencies, directory: string) {
    this.#dependencies = dependencies
    this.#directory = directory
  }

  /** Opens the indexes that are there; removes those of payloads that are gone, and unfinished ones. */
  static async open(
    dependencies: CarCatalogueDependencies,
    directory: string,
  ): Promise<CarCatalogue> {
    await mkdir(directory, { recursive: true, mode: 0o700 })
    const catalogue = new CarCatalogue(dependencies, directory)
    const { store } = dependencies
    for (const file of await readdir(directory)) {
      const root = file.slice(0, -SUFFIX.length) as Root
      const isOurs = INDEX_NAME.test(file) && store.has(root)
      if (!isOurs || !(await catalogue.#load(root)))
        await rm(join(directory, file), { force: true })
    }
    return catalogue
  }

  get size(): number {
    return this.#indexes.size
  }

  /** CIDs that the headers of a payload's CAR names; none as long as there is no index. */
  rootsOf(payload: Root): readonly string[] {
    return this.#indexes.get(payload)?.header.roots ?? []
  }

  /** A payload is here: it is indexed unless it is already. */
  add(root: Root): void {
    if (this.#indexes.has(root) || this.#failed.has(root)) return
    this.#waiting.add(root)
    for (const wake of [...this.#listeners]) wake()
  }

  /** A payload was removed: its index goes too, and what was known of it. */
  async remove(root: Root): Promise<void> {
    const index = this.#indexes.get(root)
    this.#indexes.delete(root)
    this.#waiting.delete(root)
    this.#failed.delete(root)
    await index?.close()
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
      if (!this.#indexes.has(next.value) && !this.#failed.has(next.value)) return next.value
    }
    return undefined
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
    for (const index of this.#indexes.values()) await index.close()
    this.#indexes.clear()
  }

  async #findIn(root: Root, cid: CID): Promise<FoundBlock | undefined> {
    const index = this.#indexes.get(root)
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

  async #drop(root: Root, reason: string): Promise<void> {
    this.#dependencies.logger.warn('index damaged, made again', { root, reason })
    const index = this.#indexes.get(root)
    this.#indexes.delete(root)
    await index?.close()
    this.add(root)
  }

  async #load(root: Root): Promise<boolean> {
    const index = await CarIndex.open(this.#pathOf(root), this.#dependencies.checksum)
    if (index === undefined || index.header.payload !== root) {
      await index?.close()
      return false
    }
    this.#indexes.set(root, index)
    return true
  }

  async #make(root: Root, signal: AbortSignal): Promise<void> {
    const { holdings, logger } = this.#dependencies
    const stored = holdings.find(root)
    this.#waiting.delete(root)
    if (stored === undefined) return
    const { length } = stored.commitment
    const task = { path: this.#pathOf(root), payload: root, payloadLength: Number(length) }
    try {
      const payload = holdings.read(root, { start: bytes(0), end: length }, { signal })
      const entries = await buildIndex(task, payload, { signal })
      if (holdings.find(root) === undefined) return await this.remove(root)
      await this.#load(root)
      const header = this.#indexes.get(root)?.header
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

  #pathOf(root: Root): string {
    return join(this.#directory, `${root}${SUFFIX}`)
  }
}
