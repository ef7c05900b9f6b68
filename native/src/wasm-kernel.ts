/**
 * The WASM kernels with their memory: input goes into a tile, results come out of another, and a
 * caller's bytes are copied once. Runs anywhere that has WebAssembly with SIMD; no Node API.
 *
 * Invariant: nothing outside the two tiles is written, and no call leaves state behind that another
 * depends on, the prepared message size excepted, which is remembered here.
 */
import { DIGEST_BYTES, type TreeScheme } from './engine.ts'
import { KERNEL_WASM } from './generated/kernel-wasm.ts'

/** What the module exports; see assembly/kernel.as. */
interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer }
  arena(): number
  begin(): void
  absorb(from: number, stride: number, blocks: number): void
  prepare(size: number): void
  close(): void
  emit(to: number): void
  messages(from: number, size: number, count: number, to: number): void
  pairs(at: number, count: number, top: number, levels: number): void
  fr32(from: number, quads: number, to: number): void
  crcTables(): void
  crc32c(seed: number, from: number, length: number): number
  beginKeccak(): void
  feedKeccak(from: number, blocks: number): void
  endKeccak(from: number, rest: number, to: number): void
  keccak(from: number, size: number, count: number, to: number): void
}

/** Bytes of the input tile: 64 leaves, or the Fr32 form of 512 quads. */
export const TILE_BYTES = 65_536
/** The most of a message that keccak is fed at once: whole blocks of 136 bytes. */
const KECCAK_BYTES = 481 * 136
/** What commp keeps of a digest's last byte. */
const TRUNC254 = 0x3f
const LANES = 4
const BLOCK = 64
/** Longer messages, and those that do not end on a block, are fed lane by lane. */
const DIRECT_MAX: number = TILE_BYTES / LANES
/** After each tile: room for the idle lanes of a last group, and for one zero node. */
const SLACK = 1024

/**
 * How many levels `pairs` can make of `count` pairs in one call, at most `levels`: between two levels
 * nodes stay in lanes, two groups of four at a time.
 */
export const levelsAtOnce = (count: number, levels: number): number => {
  let made = 1
  for (let left = count; made < levels && left % (2 * LANES) === 0; left /= 2) made++
  return made
}

interface WasmModule {
  readonly exports: unknown
}
/** The part of the WebAssembly API that is used; its types live in no library we compile with. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object, imports: object) => WasmModule
}

const decode = (text: string): Uint8Array =>
  Uint8Array.from(atob(text), (character) => character.charCodeAt(0))

let compiled: object | undefined

export class WasmKernel {
  /** The input tile; fill it, then call `leaves`, `expand` or `reduce`. */
  readonly tile: Uint8Array
  /** Where nodes are: results, and the input of `reduce`. */
  readonly nodes: Uint8Array
  readonly #wasm: Exports
  readonly #tileAt: number
  readonly #nodesAt: number
  #prepared = -1

  /** @throws Error when the machine's WebAssembly has no SIMD. */
  constructor() {
    compiled ??= new WebAssembly.Module(decode(KERNEL_WASM))
    const abort = (): never => {
      throw new Error('the WASM kernel stopped itself')
    }
    this.#wasm = new WebAssembly.Instance(compiled, { env: { abort } }).exports as Exports
    this.#tileAt = this.#wasm.arena()
    this.#nodesAt = this.#tileAt + TILE_BYTES + SLACK
    const { buffer } = this.#wasm.memory
    this.tile = new Uint8Array(buffer, this.#tileAt, TILE_BYTES)
    this.nodes = new Uint8Array(buffer, this.#nodesAt, TILE_BYTES + SLACK)
    this.#wasm.crcTables()
  }

  /** Digests of equal messages. Lengths are the caller's to check. */
  messages(input: Uint8Array, size: number, out: Uint8Array): void {
    if (size % BLOCK !== 0 || size > DIRECT_MAX) {
      this.#longMessages(input, size, out)
      return
    }
    this.#prepare(size)
    const group = LANES * Math.floor(TILE_BYTES / (LANES * size))
    const count = input.length / size
    for (let first = 0; first < count; first += group) {
      const now = Math.min(group, count - first)
      this.tile.set(input.subarray(first * size, (first + now) * size))
      this.#wasm.messages(this.#tileAt, size, now, this.#nodesAt)
      out.set(this.nodes.subarray(0, now * DIGEST_BYTES), first * DIGEST_BYTES)
    }
  }

  /** Hashes the `count` leaves of 1 KiB in the tile into the nodes. */
  leaves(count: number): void {
    this.#prepare(1024)
    this.#wasm.messages(this.#tileAt, 1024, count, this.#nodesAt)
  }

  /** Expands the `quads` times 127 bytes in the tile into the nodes. */
  expand(quads: number): void {
    this.#wasm.fr32(this.#tileAt, quads, this.#nodesAt)
  }

  /**
   * Hashes the `count` pairs among the nodes into the nodes, and what comes of them likewise, for
   * `levels` levels; no more of them than `levelsAtOnce` says.
   */
  pairs(count: number, scheme: TreeScheme, levels = 1): void {
    this.#prepare(BLOCK)
    this.#wasm.pairs(this.#nodesAt, count, scheme === 2 ? TRUNC254 : 0xff, levels)
  }

  /** keccak-256 of equal messages. Lengths are the caller's to check. */
  keccak(input: Uint8Array, size: number, out: Uint8Array): void {
    if (size > KECCAK_BYTES) {
      for (let at = 0; at < input.length; at += size) {
        out.set(this.#longKeccak(input.subarray(at, at + size)), (at / size) * DIGEST_BYTES)
      }
      return
    }
    const group = Math.min(Math.floor(TILE_BYTES / size), TILE_BYTES / DIGEST_BYTES)
    const count = input.length / size
    for (let first = 0; first < count; first += group) {
      const now = Math.min(group, count - first)
      this.tile.set(input.subarray(first * size, (first + now) * size))
      this.#wasm.keccak(this.#tileAt, size, now, this.#nodesAt)
      out.set(this.nodes.subarray(0, now * DIGEST_BYTES), first * DIGEST_BYTES)
    }
  }

  crc32c(seed: number, input: Uint8Array): number {
    let value = seed
    for (let at = 0; at < input.length; at += TILE_BYTES) {
      const part = input.subarray(at, at + TILE_BYTES)
      this.tile.set(part)
      value = this.#wasm.crc32c(value, this.#tileAt, part.length) >>> 0
    }
    return value >>> 0
  }

  #prepare(size: number): void {
    if (this.#prepared === size) return
    this.#wasm.prepare(size)
    this.#prepared = size
  }

  /** The digest of one message; a view until the next call. */
  #longKeccak(message: Uint8Array): Uint8Array {
    const whole = message.length - (message.length % KECCAK_BYTES)
    this.#wasm.beginKeccak()
    for (let at = 0; at < whole; at += KECCAK_BYTES) {
      this.tile.set(message.subarray(at, at + KECCAK_BYTES))
      this.#wasm.feedKeccak(this.#tileAt, KECCAK_BYTES / 136)
    }
    const rest = message.length - whole
    const blocks = Math.floor(rest / 136)
    this.tile.set(message.subarray(whole))
    this.#wasm.feedKeccak(this.#tileAt, blocks)
    this.#wasm.endKeccak(this.#tileAt + blocks * 136, rest - blocks * 136, this.#nodesAt)
    return this.nodes.subarray(0, DIGEST_BYTES)
  }

  #longMessages(input: Uint8Array, size: number, out: Uint8Array): void {
    const count = input.length / size
    const whole = size - (size % BLOCK)
    for (let first = 0; first < count; first += LANES) {
      const lanes = Math.min(LANES, count - first)
      const start = first * size
      this.#wasm.begin()
      for (let at = 0; at < whole; at += DIRECT_MAX) {
        const length = Math.min(DIRECT_MAX, whole - at)
        for (let lane = 0; lane < lanes; lane++) {
          const from = start + lane * size + at
          this.tile.set(input.subarray(from, from + length), lane * DIRECT_MAX)
        }
        this.#wasm.absorb(this.#tileAt, DIRECT_MAX, length / BLOCK)
      }
      this.#finishLanes(input.subarray(start, start + lanes * size), size)
      this.#wasm.emit(this.#nodesAt)
      out.set(this.nodes.subarray(0, lanes * DIGEST_BYTES), first * DIGEST_BYTES)
    }
  }

  /** The last one or two blocks of each message: what is left of it, and the padding. */
  #finishLanes(messages: Uint8Array, size: number): void {
    const rest = size % BLOCK
    const blocks = rest < BLOCK - 8 ? 1 : 2
    const ends = this.tile.subarray(0, LANES * 2 * BLOCK).fill(0)
    const length = new DataView(ends.buffer, ends.byteOffset, ends.length)
    for (let lane = 0; lane * size < messages.length; lane++) {
      const end = lane * 2 * BLOCK
      ends.set(messages.subarray((lane + 1) * size - rest, (lane + 1) * size), end)
      ends[end + rest] = 0x80
      length.setBigUint64(end + blocks * BLOCK - 8, BigInt(size) * 8n)
    }
    this.#wasm.absorb(this.#tileAt, 2 * BLOCK, blocks)
  }
}
