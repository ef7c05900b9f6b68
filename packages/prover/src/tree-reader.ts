/**
 * Reads one payload's tree from its bytes and kept layers: blocks and pages as small trees, each
 * computed from what is on disk. Reads are planned first and made together. Keeps the last page of
 * every group, so that questions in payload order read and hash a page once.
 *
 * Does not judge: comparing what lies below with what lies above is `opening.ts`.
 */
import { type Engine, towerBytes } from '@holdfast/native'
import { type Bytes, NODE_BYTES, type SchemeId, toNumber } from '@holdfast/protocol'
import type { RunOfFile } from './answer-job.ts'
import { type LayerGroup, layerGroups, PAGE_LEVELS, PAGE_NODES } from './layers.ts'
import { ReadFailure, type ReadPlan } from './read-plan.ts'
import { bytesUnder, type SchemeShape, shapeOf, treeDepth } from './scheme.ts'

/** A payload with its layers, open for reading. */
export interface OpenPayload {
  readonly scheme: SchemeId
  readonly payload: RunOfFile & { readonly fd: number }
  /** Descriptor -1 when the payload is too small to keep layers. */
  readonly layers: RunOfFile & { readonly fd: number }
}

/** A subtree held whole: the nodes of every level from `from` to its top, one after another. */
export interface SmallTree {
  /** Position of the subtree among those of its top's level. */
  readonly index: bigint
  readonly from: number
  readonly to: number
  /** Where each level starts in `nodes`, in bytes. */
  readonly starts: readonly number[]
  readonly nodes: Uint8Array
}

export interface Block extends SmallTree {
  /** The block's leaves as proofs show them, completed with zeros. */
  readonly leaves: Uint8Array
}

/** The reads that one opening needs: numbers in a plan, or -1 for a page that is held already. */
export interface PlannedOpening {
  readonly index: bigint
  readonly block: number
  readonly pages: readonly number[]
}

const QUAD_BYTES = 127

/** Room for one small tree, used again by whoever reads next on this thread. */
interface Room {
  readonly buffer: Uint8Array
  /** Whose page lies there, so that it need not be made again. */
  owner: TreeReader | undefined
  tree: SmallTree | undefined
}

const rooms: Room[] = []
/** A level of 128 nodes and all above it: 255 nodes, and one zero node. */
const ROOM_BYTES = 256 * NODE_BYTES

const roomFor = (slot: number): Room => {
  const found = rooms[slot]
  if (found !== undefined) return found
  const made: Room = { buffer: new Uint8Array(ROOM_BYTES), owner: undefined, tree: undefined }
  rooms[slot] = made
  return made
}

let leafRoom = new Uint8Array(0)

const leafRoomOf = (length: number): Uint8Array => {
  if (leafRoom.length < length) leafRoom = new Uint8Array(length)
  return leafRoom.subarray(0, length)
}

interface LastPage {
  readonly index: bigint
  readonly read: number
  readonly plan: ReadPlan
}

export class TreeReader {
  readonly shape: SchemeShape
  readonly depth: number
  readonly groups: readonly LayerGroup[]
  readonly #engine: Engine
  readonly #open: OpenPayload
  readonly #blockBytes: number
  readonly #planned: (LastPage | undefined)[] = []

  constructor(engine: Engine, open: OpenPayload) {
    const length = BigInt(open.payload.length) as Bytes
    this.#engine = engine
    this.#open = open
    this.shape = shapeOf(open.scheme)
    this.depth = treeDepth(open.scheme, length)
    this.groups = layerGroups(open.scheme, length)
    this.#blockBytes = toNumber(bytesUnder(open.scheme, this.shape.keptLevel))
  }

  /** Notes the reads that the opening of a leaf needs. */
  plan(plan: ReadPlan, index: bigint): PlannedOpening {
    const { offset, length } = this.placeOf(this.blockOf(index))
    const block = this.#add(plan, this.#open.payload, offset, length)
    const pages = this.groups.map((group, slot) => {
      const page = this.pageOf(group, index)
      const last = this.#planned[slot]
      if (last !== undefined && last.index === page && last.plan === plan) return last.read
      const place = this.#pagePlace(group, page)
      const read = this.#add(plan, this.#open.layers, place.offset, place.count * NODE_BYTES)
      this.#planned[slot] = { index: page, read, plan }
      return read
    })
    return { index, block, pages }
  }

  blockOf(index: bigint): bigint {
    return index >> BigInt(this.shape.keptLevel)
  }

  pageOf(group: LayerGroup, index: bigint): bigint {
    return index >> BigInt(group.level + PAGE_LEVELS)
  }

  /** Where a block's bytes lie in the payload. */
  placeOf(block: bigint): { readonly offset: number; readonly length: number } {
    const offset = toNumber(block) * this.#blockBytes
    return { offset, length: Math.min(this.#blockBytes, this.#open.payload.length - offset) }
  }

  /** The block of the opening; a view until the next is asked for. @throws ReadFailure. */
  block(plan: ReadPlan, opening: PlannedOpening): Block {
    const index = this.blockOf(opening.index)
    const read = plan.result(opening.block)
    const { scheme } = this.#open
    const unit = scheme === 1 ? this.shape.leafWidth : QUAD_BYTES
    const data = this.#whole(read, unit)
    const to = Math.min(this.shape.keptLevel, this.depth)
    const room = roomFor(0)
    room.owner = undefined
    const nodes = leafRoomOf((data.length / unit) * (scheme === 1 ? NODE_BYTES : 128))
    if (scheme === 1) this.#engine.messages(data, unit, nodes)
    else this.#engine.fr32(data, nodes)
    const tree = this.#grow(nodes, { index, from: 0, to }, room)
    return { ...tree, leaves: scheme === 1 ? data : nodes }
  }

  /** The page of a group that the opening passes; a view until the next is asked for. @throws ReadFailure. */
  page(plan: ReadPlan, opening: PlannedOpening, slot: number): SmallTree {
    const group = this.groups[slot]
    const read = opening.pages[slot]
    if (group === undefined || read === undefined) throw new ReadFailure('there is no such page')
    const index = this.pageOf(group, opening.index)
    const room = roomFor(slot + 1)
    if (room.owner === this && room.tree?.index === index) return room.tree
    const to = Math.min(group.level + PAGE_LEVELS, this.depth)
    room.owner = undefined
    room.tree = this.#grow(plan.result(read), { index, from: group.level, to }, room)
    room.owner = this
    return room.tree
  }

  #grow(
    nodes: Uint8Array,
    place: { index: bigint; from: number; to: number },
    room: Room,
  ): SmallTree {
    const { from, to } = place
    const starts: number[] = []
    let at = 0
    for (let level = from, count = nodes.length / NODE_BYTES; level <= to; level++) {
      starts.push(at)
      at += (count + (count % 2)) * NODE_BYTES
      count = (count + (count % 2)) / 2
    }
    const all = room.buffer.subarray(0, towerBytes(nodes.length / NODE_BYTES, to - from))
    this.#engine.tower(nodes, { scheme: this.#open.scheme, from, to }, all)
    return { ...place, starts, nodes: all }
  }

  #whole(read: Uint8Array, unit: number): Uint8Array {
    if (read.length % unit === 0) return read
    const data = new Uint8Array(Math.ceil(read.length / unit) * unit)
    data.set(read)
    return data
  }

  #pagePlace(group: LayerGroup, page: bigint): { readonly offset: number; readonly count: number } {
    const first = toNumber(page) * PAGE_NODES
    const count = Math.min(PAGE_NODES, toNumber(group.count) - first)
    return { offset: toNumber(group.offset) + first * NODE_BYTES, count }
  }

  #add(
    plan: ReadPlan,
    file: RunOfFile & { readonly fd: number },
    offset: number,
    length: number,
  ): number {
    if (offset + length > file.length) {
      throw new ReadFailure(
        `${file.path} holds ${file.length} bytes, ${offset + length} are needed`,
      )
    }
    return plan.add(file, file.offset + offset, length)
  }
}
