/**
 * Reads one payload's tree from its bytes and kept layers: blocks and pages as small trees, each
 * computed from what is on disk. Synchronous, for workers. Keeps the last page of every group, so
 * that questions in payload order read a page once.
 *
 * Does not judge: comparing what lies below with what lies above is `opening.ts`.
 */
import { type Engine, foldNodes } from '@holdfast/native'
import { type Bytes, NODE_BYTES, type SchemeId, toNumber } from '@holdfast/protocol'
import { type LayerGroup, layerGroups, PAGE_LEVELS, PAGE_NODES } from './layers.ts'
import { bytesUnder, type SchemeShape, shapeOf, treeDepth } from './scheme.ts'
import type { RunOfFile } from './tasks.ts'

/** A payload with its layers, open for reading. */
export interface OpenPayload {
  readonly scheme: SchemeId
  readonly payload: RunOfFile & { readonly fd: number }
  /** Descriptor -1 when the payload is too small to keep layers. */
  readonly layers: RunOfFile & { readonly fd: number }
}

/** A subtree held whole: `levels[i]` are the nodes of level `from + i`, the last being its top. */
export interface SmallTree {
  /** Position of the subtree among those of its top's level. */
  readonly index: bigint
  readonly from: number
  readonly levels: readonly Uint8Array[]
}

export interface Block extends SmallTree {
  /** The block's leaves as proofs show them, completed with zeros. */
  readonly leaves: Uint8Array
}

/** Fewer bytes on disk than the payload's length or layers need. */
export class ShortFile extends Error {}

const QUAD_BYTES = 127

const padded = (length: number, unit: number): number => Math.ceil(length / unit) * unit

export class TreeReader {
  readonly shape: SchemeShape
  readonly depth: number
  readonly groups: readonly LayerGroup[]
  readonly #engine: Engine
  readonly #open: OpenPayload
  readonly #pages: (SmallTree | undefined)[] = []

  constructor(engine: Engine, open: OpenPayload) {
    const length = BigInt(open.payload.length) as Bytes
    this.#engine = engine
    this.#open = open
    this.shape = shapeOf(open.scheme)
    this.depth = treeDepth(open.scheme, length)
    this.groups = layerGroups(open.scheme, length)
  }

  /** Says which bytes an opening of this leaf will read. */
  announce(index: bigint): void {
    const { payload, layers } = this.#open
    const block = this.#blockPlace(this.blockOf(index))
    this.#engine.announce(payload.fd, payload.offset + block.offset, block.length)
    for (const group of this.groups) {
      const page = this.#pagePlace(group, this.pageOf(group, index))
      this.#engine.announce(layers.fd, layers.offset + page.offset, page.count * NODE_BYTES)
    }
  }

  blockOf(index: bigint): bigint {
    return index >> BigInt(this.shape.keptLevel)
  }

  pageOf(group: LayerGroup, index: bigint): bigint {
    return index >> BigInt(group.level + PAGE_LEVELS)
  }

  /** @throws ShortFile, or the system's error. */
  block(index: bigint): Block {
    const { scheme, payload } = this.#open
    const { offset, length } = this.#blockPlace(index)
    const unit = scheme === 1 ? this.shape.leafBytes : QUAD_BYTES
    const data = new Uint8Array(padded(length, unit))
    this.#read(payload, offset, data.subarray(0, length))
    const to = Math.min(this.shape.keptLevel, this.depth)
    const leaves = scheme === 1 ? data : new Uint8Array((data.length / unit) * 128)
    const count = leaves.length / this.shape.leafBytes
    const nodes = new Uint8Array((count + 1) * NODE_BYTES)
    if (scheme === 1) {
      this.#engine.messages(data, unit, nodes.subarray(0, count * NODE_BYTES))
    } else {
      this.#engine.fr32(data, leaves)
      nodes.set(leaves)
    }
    return { index, leaves, ...this.#grow(nodes, count, 0, to) }
  }

  /** @throws ShortFile, or the system's error. */
  page(group: LayerGroup, index: bigint): SmallTree {
    const slot = this.groups.indexOf(group)
    const held = this.#pages[slot]
    if (held?.index === index) return held
    const { offset, count } = this.#pagePlace(group, index)
    const nodes = new Uint8Array((count + 1) * NODE_BYTES)
    this.#read(this.#open.layers, offset, nodes.subarray(0, count * NODE_BYTES))
    const to = Math.min(group.level + PAGE_LEVELS, this.depth)
    const page = { index, ...this.#grow(nodes, count, group.level, to) }
    this.#pages[slot] = page
    return page
  }

  /** Where a block's bytes lie in the payload. */
  placeOf(block: bigint): { readonly offset: number; readonly length: number } {
    return this.#blockPlace(block)
  }

  #grow(nodes: Uint8Array, count: number, from: number, to: number): Omit<SmallTree, 'index'> {
    const levels: Uint8Array[] = []
    const fold = { scheme: this.#open.scheme, from, to }
    foldNodes(this.#engine, nodes, count, fold, (_, level) => levels.push(level.slice()))
    levels.push(nodes.slice(0, NODE_BYTES))
    return { from, levels }
  }

  #blockPlace(block: bigint): { readonly offset: number; readonly length: number } {
    const size = toNumber(bytesUnder(this.#open.scheme, this.shape.keptLevel))
    const offset = toNumber(block) * size
    return { offset, length: Math.min(size, this.#open.payload.length - offset) }
  }

  #pagePlace(group: LayerGroup, page: bigint): { readonly offset: number; readonly count: number } {
    const first = toNumber(page) * PAGE_NODES
    const count = Math.min(PAGE_NODES, toNumber(group.count) - first)
    return { offset: toNumber(group.offset) + first * NODE_BYTES, count }
  }

  #read(file: RunOfFile & { readonly fd: number }, offset: number, into: Uint8Array): void {
    const fits = offset + into.length <= file.length
    const got = fits ? this.#engine.readFile(file.fd, file.offset + offset, into) : 0
    if (got < into.length) {
      const at = file.offset + offset
      throw new ShortFile(`${file.path} ends before byte ${at + into.length}`)
    }
  }
}
