/**
 * Folding of nodes for the WASM engine: gathers nodes of the kept level in batches wide enough to
 * fill every lane, and joins the batches' roots like a binary counter. The twin of csrc/tree.c.
 */
import { DIGEST_BYTES, type SubtreeShape, type TreeScheme } from './engine.ts'
import { levelsAtOnce, type WasmKernel } from './wasm-kernel.ts'

const BATCH_LEVELS = 8

const zeroTowers = new Map<TreeScheme, readonly Uint8Array[]>()

/** Zero nodes of both schemes, made by the kernel itself the first time. */
const zeroTower = (kernel: WasmKernel, scheme: TreeScheme): readonly Uint8Array[] => {
  const found = zeroTowers.get(scheme)
  if (found !== undefined) return found
  const tower: Uint8Array[] = []
  for (let level = 0, node = new Uint8Array(DIGEST_BYTES); level < 64; level++) {
    tower.push(node)
    kernel.nodes.set(node, 0)
    kernel.nodes.set(node, DIGEST_BYTES)
    kernel.pairs(1, scheme)
    node = kernel.nodes.slice(0, DIGEST_BYTES)
  }
  zeroTowers.set(scheme, tower)
  return tower
}

export class NodeFold {
  readonly #kernel: WasmKernel
  readonly #scheme: TreeScheme
  readonly #level: number
  readonly #batchLevel: number
  readonly #batchTop: number
  readonly #zeros: readonly Uint8Array[]
  readonly #batch: Uint8Array
  readonly #stack: (Uint8Array | undefined)[] = []
  #held = 0

  constructor(kernel: WasmKernel, { scheme, level, keptLevel }: SubtreeShape) {
    this.#kernel = kernel
    this.#scheme = scheme
    this.#level = level
    this.#batchLevel = Math.min(keptLevel, level)
    this.#batchTop = Math.min(level, this.#batchLevel + BATCH_LEVELS)
    this.#zeros = zeroTower(kernel, scheme)
    this.#batch = new Uint8Array(DIGEST_BYTES << (this.#batchTop - this.#batchLevel))
  }

  /** Folds `count` leaf nodes in the kernel up to the batch level; returns how many remain. */
  raise(count: number): number {
    return this.#reduce(count, 0, this.#batchLevel)
  }

  /** Takes nodes of the batch level. */
  append(nodes: Uint8Array): void {
    for (let at = 0; at < nodes.length; ) {
      const take = Math.min(this.#batch.length - this.#held, nodes.length - at)
      this.#batch.set(nodes.subarray(at, at + take), this.#held)
      this.#held += take
      at += take
      if (this.#held === this.#batch.length) this.#push(this.#foldBatch())
    }
  }

  /** The root, zero nodes after what was appended. */
  finish(): Uint8Array {
    let open = this.#held > 0 ? this.#foldBatch() : undefined
    for (let level = this.#batchTop; level < this.#level; level++) {
      const left = this.#stack[level]
      if (left === undefined && open === undefined) continue
      open = this.#join(left ?? open, left === undefined ? undefined : open, level)
    }
    return open ?? this.#stack[this.#level] ?? this.#zero(this.#level)
  }

  #foldBatch(): Uint8Array {
    this.#kernel.nodes.set(this.#batch.subarray(0, this.#held))
    this.#reduce(this.#held / DIGEST_BYTES, this.#batchLevel, this.#batchTop)
    this.#held = 0
    return this.#kernel.nodes.slice(0, DIGEST_BYTES)
  }

  #push(root: Uint8Array): void {
    let node = root
    let level = this.#batchTop
    for (let left = this.#stack[level]; left !== undefined; left = this.#stack[level]) {
      node = this.#join(left, node, level)
      this.#stack[level] = undefined
      level++
    }
    this.#stack[level] = node
  }

  #join(left: Uint8Array | undefined, right: Uint8Array | undefined, level: number): Uint8Array {
    this.#kernel.nodes.set(left ?? this.#zero(level), 0)
    this.#kernel.nodes.set(right ?? this.#zero(level), DIGEST_BYTES)
    this.#kernel.pairs(1, this.#scheme)
    return this.#kernel.nodes.slice(0, DIGEST_BYTES)
  }

  #reduce(count: number, from: number, to: number): number {
    let left = count
    for (let level = from; level < to; ) {
      if (left % 2 === 1) {
        this.#kernel.nodes.set(this.#zero(level), left * DIGEST_BYTES)
        left++
      }
      const levels = levelsAtOnce(left / 2, to - level)
      this.#kernel.pairs(left / 2, this.#scheme, levels)
      left /= 2 ** levels
      level += levels
    }
    return left
  }

  #zero(level: number): Uint8Array {
    return this.#zeros[level] ?? new Uint8Array(DIGEST_BYTES)
  }
}
