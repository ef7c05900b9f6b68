/**
 * The WASM engine: the same port as native code, on the kernels of `wasm-kernel.ts`. Runs wherever
 * WebAssembly has SIMD, browsers included; files are read by whoever opens it, straight into the
 * kernel's tile.
 */
import {
  checkSubtree,
  checkTower,
  DIGEST_BYTES,
  type Engine,
  type LevelSpan,
  type OpenRange,
  type SubtreeOutput,
  type SubtreeShape,
} from './engine.ts'
import { NodeFold } from './node-fold.ts'
import { zeroNodes } from './nodes.ts'
import { TILE_BYTES, WasmKernel } from './wasm-kernel.ts'

const LEAF_BYTES = 1024
const QUAD_BYTES = 127
const TILE_QUADS = 512
const PAIR_BYTES = 2 * DIGEST_BYTES

/** Puts the next `length` payload bytes at the start of the tile; false stops the work. */
type Fill = (tile: Uint8Array, at: number, length: number) => boolean

/** Reads up to `length` bytes of an open file to `into[at]`; 0 at its end. Throws with `errno`. */
export type ReadAt = (
  fd: number,
  into: Uint8Array,
  at: number,
  length: number,
  position: number,
) => number

const noFiles: ReadAt = () => {
  throw new Error('engine: opened without a way to read files')
}

const overlap = (a: Uint8Array, b: Uint8Array): boolean =>
  a.buffer === b.buffer &&
  a.length > 0 &&
  b.length > 0 &&
  a.byteOffset < b.byteOffset + b.length &&
  b.byteOffset < a.byteOffset + a.length

const refuse = (sentence: string): never => {
  throw new RangeError(`engine: ${sentence}`)
}

const checkMessages = (input: Uint8Array, size: number, out: Uint8Array): void => {
  if (!Number.isSafeInteger(size) || size < 1 || input.length % size !== 0) {
    refuse('input is not whole messages')
  }
  if (out.length !== (input.length / size) * DIGEST_BYTES) {
    refuse('output is not 32 bytes per message')
  }
  if (overlap(input, out)) refuse('output overlaps input')
}

class WasmEngine implements Engine {
  readonly name = 'wasm'
  readonly #kernel = new WasmKernel()
  readonly #readAt: ReadAt

  constructor(readAt: ReadAt) {
    this.#readAt = readAt
  }

  messages(input: Uint8Array, size: number, out: Uint8Array): void {
    checkMessages(input, size, out)
    this.#kernel.messages(input, size, out)
  }

  keccak(input: Uint8Array, size: number, out: Uint8Array): void {
    checkMessages(input, size, out)
    this.#kernel.keccak(input, size, out)
  }

  pairs(input: Uint8Array, out: Uint8Array): void {
    this.#pairs(input, out, 1)
  }

  pairs254(input: Uint8Array, out: Uint8Array): void {
    this.#pairs(input, out, 2)
  }

  fr32(input: Uint8Array, out: Uint8Array): void {
    if (input.length % QUAD_BYTES !== 0) refuse('input is not a multiple of 127 bytes')
    const quads = input.length / QUAD_BYTES
    if (out.length !== quads * 128) refuse('output is not 128 bytes per 127')
    if (overlap(input, out)) refuse('output overlaps input')
    for (let first = 0; first < quads; first += TILE_QUADS) {
      const now = Math.min(TILE_QUADS, quads - first)
      this.#kernel.tile.set(input.subarray(first * QUAD_BYTES, (first + now) * QUAD_BYTES))
      this.#kernel.expand(now)
      out.set(this.#kernel.nodes.subarray(0, now * 128), first * 128)
    }
  }

  crc32c(seed: number, input: Uint8Array): number {
    if (!Number.isInteger(seed) || seed < 0 || seed > 0xffffffff) refuse('seed is not 32 bits')
    return this.#kernel.crc32c(seed, input)
  }

  tower(nodes: Uint8Array, span: LevelSpan, out: Uint8Array): void {
    checkTower(nodes, span, out)
    if (overlap(nodes, out)) refuse('output overlaps input')
    const { scheme, from, to } = span
    const zeros = zeroNodes(this, scheme)
    out.set(nodes)
    let at = 0
    let count = nodes.length / DIGEST_BYTES
    for (let level = from; level < to; level++) {
      const end = at + count * DIGEST_BYTES
      if (count % 2 === 1) out.set(zeros[level] ?? new Uint8Array(DIGEST_BYTES), end)
      count += count % 2
      const above = at + count * DIGEST_BYTES
      count /= 2
      const into = out.subarray(above, above + count * DIGEST_BYTES)
      if (scheme === 1) this.pairs(out.subarray(at, above), into)
      else this.pairs254(out.subarray(at, above), into)
      at = above
    }
  }

  subtree(input: Uint8Array, shape: SubtreeShape, output: SubtreeOutput): void {
    checkSubtree(input.length, shape, output)
    this.#subtree(input.length, shape, output, (tile, at, length) => {
      tile.set(input.subarray(at, at + length))
      return true
    })
  }

  fileSubtree(
    range: OpenRange,
    shape: SubtreeShape,
    output: SubtreeOutput,
    cancel?: Int32Array,
  ): boolean {
    checkSubtree(range.length, shape, output)
    return this.#subtree(range.length, shape, output, (tile, at, length) => {
      if (cancel !== undefined && Atomics.load(cancel, 0) !== 0) return false
      const got = this.readFile(range.fd, range.offset + at, tile.subarray(0, length))
      if (got === length) return true
      throw Object.assign(
        new Error(`ENODATA: cannot read ${length} bytes at ${range.offset + at}`),
        {
          code: 'ENODATA',
        },
      )
    })
  }

  readFile(fd: number, offset: number, out: Uint8Array): number {
    let have = 0
    while (have < out.length) {
      const got = this.#readAt(fd, out, have, out.length - have, offset + have)
      if (got === 0) break
      have += got
    }
    return have
  }

  readMany(wanted: Float64Array, out: Uint8Array, got: Int32Array): void {
    if (wanted.length !== 3 * got.length) refuse('one result per run')
    let at = 0
    for (let i = 0; i < got.length; i++) {
      const [fd = -1, offset = 0, length = 0] = wanted.subarray(3 * i, 3 * i + 3)
      got[i] = this.#readRun(fd, offset, out.subarray(at, at + length))
      at += length
    }
    if (at !== out.length) refuse('output is not as long as the runs together')
  }

  #readRun(fd: number, offset: number, into: Uint8Array): number {
    try {
      return this.readFile(fd, offset, into)
    } catch (cause) {
      const errno = (cause as { readonly errno?: number }).errno ?? 0
      if (errno < 0) return errno
      throw cause
    }
  }

  /** Leaves every opening to its caller. */
  openLeaves(): number {
    return 0
  }

  nextData(): number {
    return -2
  }

  lockFile(): undefined {
    return undefined
  }

  overwriteInPlace(): boolean {
    return false
  }

  startWriting(): void {
    // There is no such call in Node: all of it is then left to the sync.
  }

  #pairs(input: Uint8Array, out: Uint8Array, scheme: 1 | 2): void {
    if (input.length % PAIR_BYTES !== 0) refuse('input is not whole pairs')
    if (out.length !== input.length / 2) refuse('output is not 32 bytes per pair')
    if (overlap(input, out) && input.byteOffset !== out.byteOffset) {
      refuse('output overlaps input elsewhere than at its start')
    }
    const { nodes } = this.#kernel
    for (let at = 0; at < input.length; at += TILE_BYTES) {
      const part = input.subarray(at, at + TILE_BYTES)
      nodes.set(part)
      this.#kernel.pairs(part.length / PAIR_BYTES, scheme)
      out.set(nodes.subarray(0, part.length / 2), at / 2)
    }
  }

  /** False when `fill` stopped it. */
  #subtree(length: number, shape: SubtreeShape, output: SubtreeOutput, fill: Fill): boolean {
    const { scheme } = shape
    const kernel = this.#kernel
    const unit = scheme === 1 ? LEAF_BYTES : QUAD_BYTES
    const step = scheme === 1 ? TILE_BYTES : TILE_QUADS * QUAD_BYTES
    const fold = new NodeFold(kernel, shape)
    let kept = 0
    for (let at = 0; at < length; at += step) {
      const now = Math.min(step, length - at)
      if (!fill(kernel.tile, at, now)) return false
      const units = Math.ceil(now / unit)
      kernel.tile.fill(0, now, units * unit)
      if (scheme === 1) kernel.leaves(units)
      else kernel.expand(units)
      const count = fold.raise(scheme === 1 ? units : units * 4)
      const nodes = kernel.nodes.slice(0, count * DIGEST_BYTES)
      if (output.kept.length > 0) output.kept.set(nodes, kept)
      kept += nodes.length
      fold.append(nodes)
    }
    output.root.set(fold.finish())
    return true
  }
}

/**
 * Opens the WASM engine.
 * @param readAt for the calls that take descriptors; without it they throw.
 * @throws Error when this machine's WebAssembly has no SIMD.
 */
export const openWasmEngine = (readAt: ReadAt = noFiles): Engine => new WasmEngine(readAt)
