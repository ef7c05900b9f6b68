/**
 * Worker side of reading a bundle: its head, single entries with their paths, pages of answers. What
 * is read is climbed to the bundle's root before it is given out; what does not lead there is
 * `STORE_CORRUPT` with its place.
 */
import { fstatSync } from 'node:fs'
import type { Engine } from '@holdfast/native'
import {
  type BundleQuestion,
  bundleEntryPreimage,
  bundleRoot,
  bundleZeroNode,
  bytesUint,
  dealId,
  equalBytes,
  HoldfastError,
  keccak,
  NODE_BYTES,
  toHex,
} from '@holdfast/protocol'
import { withFile } from '../subtree-task.ts'
import {
  type BundleHead,
  type BundleLayout,
  bundleLayout,
  decodeHead,
  GLOBALS,
  HEAD_BYTES,
  PER_DEAL,
  PLACE_BYTES,
  readPlace,
} from './layout.ts'
import type {
  BundleEntryTask,
  BundleFindTask,
  BundleHeadTask,
  BundlePageTask,
  BundleSource,
} from './tasks.ts'

/** Levels under one page's node. */
const PAGE_LEVELS = 7
/** Entries that are checked together. */
export const PAGE_ENTRIES: number = 1 << PAGE_LEVELS
/** More than any answer has: 32 levels of slots and 40 of leaves. */
const ANSWER_MAX = 4096

const EMPTY_HASH = keccak(new Uint8Array(0))

class BundleReader {
  readonly layout: BundleLayout
  readonly #engine: Engine
  readonly #fd: number
  readonly #source: BundleSource

  constructor(engine: Engine, fd: number, source: BundleSource) {
    this.#engine = engine
    this.#fd = fd
    this.#source = source
    this.layout = bundleLayout(source.head.deals)
  }

  read(at: number, length: number): Uint8Array {
    const out = new Uint8Array(length)
    const got = this.#engine.readFile(this.#fd, at, out)
    if (got !== length) this.corrupt(at + got, 'the file was cut')
    return out
  }

  node(level: number, index: number): Uint8Array {
    return this.read((this.layout.nodesAt[level] ?? 0) + index * NODE_BYTES, NODE_BYTES)
  }

  corrupt(offset: number, reason: string): never {
    const { path } = this.#source
    throw new HoldfastError({ code: 'STORE_CORRUPT', path, offset: BigInt(offset), reason })
  }

  /** The answers `first` to `first` + `count` - 1; empty ones are absent. */
  answers(first: number, count: number): readonly Uint8Array[] {
    const rowsAt = this.layout.placesAt + first * PLACE_BYTES
    const rows = this.read(rowsAt, count * PLACE_BYTES)
    return Array.from({ length: count }, (_, i) => {
      const at = i * PLACE_BYTES
      const { offset, length } = readPlace(rows.subarray(at, at + PLACE_BYTES))
      const inside = offset >= this.layout.answersAt && offset + length <= this.#source.head.length
      if (!inside || length > ANSWER_MAX) {
        this.corrupt(rowsAt + at, `entry ${first + i} has ${length} bytes at ${offset}`)
      }
      return this.read(offset, length)
    })
  }

  /** The entry's hash, as its answer gives it. */
  entryHash(index: number, answer: Uint8Array): Uint8Array {
    const question = this.#questionAt(index)
    const preimage = bundleEntryPreimage(question, BigInt(index), this.#keccak(answer))
    return this.#keccak(preimage)
  }

  /** The siblings of a node, joined: its own level first. */
  path(level: number, index: number): Uint8Array {
    const { depth, nodes } = this.layout
    const path = new Uint8Array((depth - level) * NODE_BYTES)
    for (let l = level, at = index; l < depth; l++, at = Math.floor(at / 2)) {
      const sibling = at % 2 === 0 ? at + 1 : at - 1
      const node = sibling < (nodes[l] ?? 0) ? this.node(l, sibling) : bundleZeroNode(l)
      path.set(node, (l - level) * NODE_BYTES)
    }
    return path
  }

  /** @throws HoldfastError `STORE_CORRUPT` naming `what` unless the node leads to the root. */
  check(
    place: { readonly level: number; readonly index: number },
    node: Uint8Array,
    path: Uint8Array,
    what: string,
  ): void {
    const { context, root } = this.#source.head
    const pair = new Uint8Array(2 * NODE_BYTES)
    let [at, top] = [place.index, node]
    for (let from = 0; from < path.length; from += NODE_BYTES, at = Math.floor(at / 2)) {
      const right = at % 2
      pair.set(top, right * NODE_BYTES)
      pair.set(path.subarray(from, from + NODE_BYTES), (1 - right) * NODE_BYTES)
      top = this.#keccak(pair)
    }
    if (bundleRoot(context, BigInt(this.layout.count), top) === root) return
    const offset = (this.layout.nodesAt[place.level] ?? 0) + place.index * NODE_BYTES
    this.corrupt(offset, `${what} does not lead to the bundle's root ${root}`)
  }

  /** The hashes of the entries of one page, shown to lead to the root. */
  pageHashes(page: number): Uint8Array {
    const first = page * PAGE_ENTRIES
    const count = Math.min(PAGE_ENTRIES, this.layout.count - first)
    const hashes = this.read((this.layout.nodesAt[0] ?? 0) + first * NODE_BYTES, count * NODE_BYTES)
    let below = new Uint8Array(PAGE_ENTRIES * NODE_BYTES)
    below.set(hashes)
    for (let level = 0; level < PAGE_LEVELS; level++) {
      const above = new Uint8Array(below.length / 2)
      this.#engine.keccak(below, 2 * NODE_BYTES, above)
      below = above
    }
    const place = { level: PAGE_LEVELS, index: page }
    this.check(place, below, this.path(PAGE_LEVELS, page), `page ${page} of the entry hashes`)
    return hashes
  }

  #keccak(message: Uint8Array): Uint8Array {
    if (message.length === 0) return EMPTY_HASH
    const out = new Uint8Array(NODE_BYTES)
    this.#engine.keccak(message, message.length, out)
    return out
  }

  #questionAt(index: number): BundleQuestion {
    if (index < GLOBALS) return { class: 'global', i: index }
    const rank = Math.floor((index - GLOBALS) / PER_DEAL)
    const deal = dealId(toHex(this.read(this.layout.dealsAt + rank * NODE_BYTES, NODE_BYTES)))
    return { class: 'deal', deal, i: (index - GLOBALS) % PER_DEAL }
  }
}

const withBundle = <T>(engine: Engine, source: BundleSource, use: (reader: BundleReader) => T): T =>
  withFile(source.path, 'r', (fd) => use(new BundleReader(engine, fd, source)))

/** @throws HoldfastError `STORE_CORRUPT`, `INPUT_UNREADABLE`. */
export const runBundleHead = (engine: Engine, { path }: BundleHeadTask): BundleHead =>
  withFile(path, 'r', (fd) => {
    const data = new Uint8Array(HEAD_BYTES)
    const got = engine.readFile(fd, 0, data)
    const head = decodeHead(engine, data.subarray(0, got))
    if (typeof head === 'string') {
      throw new HoldfastError({ code: 'STORE_CORRUPT', path, offset: 0n, reason: head })
    }
    const { size } = fstatSync(fd)
    const reader = new BundleReader(engine, fd, { path, head })
    if (size !== head.length) reader.corrupt(size, `${head.length} bytes were written`)
    const { depth } = reader.layout
    reader.check({ level: depth, index: 0 }, reader.node(depth, 0), new Uint8Array(0), 'the top')
    return head
  })

/** One entry and its path. @throws HoldfastError `STORE_CORRUPT`, `INPUT_UNREADABLE`. */
export const runBundleEntry = (
  engine: Engine,
  { source, index }: BundleEntryTask,
): { readonly answer: Uint8Array; readonly path: Uint8Array } =>
  withBundle(engine, source, (reader) => {
    const [answer = new Uint8Array(0)] = reader.answers(index, 1)
    const path = reader.path(0, index)
    reader.check({ level: 0, index }, reader.entryHash(index, answer), path, `entry ${index}`)
    return { answer, path }
  })

/**
 * The rank of a deal, -1 when it has none. A damaged table can hide a deal or name a wrong one,
 * never make a wrong entry verify.
 */
export const runBundleFind = (engine: Engine, { source, deal }: BundleFindTask): number =>
  withBundle(engine, source, (reader) => {
    const { deals, dealsAt, sortedAt } = reader.layout
    let [low, high] = [0, deals]
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      const rank = Number(bytesUint(reader.read(sortedAt + middle * 4, 4)))
      if (rank >= deals) reader.corrupt(sortedAt + middle * 4, `there is no deal of rank ${rank}`)
      const order = Buffer.compare(reader.read(dealsAt + rank * NODE_BYTES, NODE_BYTES), deal)
      if (order === 0) return rank
      if (order < 0) low = middle + 1
      else high = middle
    }
    return -1
  })

/** Answers of one page. @throws HoldfastError `STORE_CORRUPT`, `INPUT_UNREADABLE`. */
export const runBundlePage = (
  engine: Engine,
  { source, first, count }: BundlePageTask,
): readonly Uint8Array[] =>
  withBundle(engine, source, (reader) => {
    const page = Math.floor(first / PAGE_ENTRIES)
    const hashes = reader.pageHashes(page)
    const answers = reader.answers(first, count)
    for (const [i, answer] of answers.entries()) {
      const index = first + i
      const at = (index - page * PAGE_ENTRIES) * NODE_BYTES
      const expected = hashes.subarray(at, at + NODE_BYTES)
      if (equalBytes(reader.entryHash(index, answer), expected)) continue
      const place = (reader.layout.nodesAt[0] ?? 0) + index * NODE_BYTES
      reader.corrupt(place, `entry ${index} is not what its hash was made of`)
    }
    return answers
  })
