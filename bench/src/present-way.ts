/**
 * How proofs of possession are made today, re-created on the best node hasher of the registry so that
 * the comparison shows the method and not a slow kernel. A piece commitment (Fr32, SHA-256 trunc254);
 * one layer of it is cached, whose nodes cover 4 MiB each. For every challenge 4 MiB are read, expanded
 * and hashed to find the lower path, then the tree above the cached layer is built again for the upper
 * one. (Method: Curio's prover, 2026-08; its database is left out, so this is kinder than it is.)
 */
import { readSync } from 'node:fs'
import type { Peer } from './peers.ts'

/** Level of the cached layer: 2^17 leaves of 32 bytes. */
export const CACHED_LEVEL = 17
/** Payload bytes under one cached node. */
export const CACHED_BYTES: number = 127 * 2 ** (CACHED_LEVEL - 2)
const NODE = 32

type HashInto = (input: Uint8Array, output: Uint8Array) => void

/** A leaf with its path, leaf level first. */
export interface PresentProof {
  readonly leaf: Uint8Array
  readonly path: readonly Uint8Array[]
}

/** Fr32 on 32-bit words: the same shifts as native code, as fast as JavaScript does them. */
const expand = (input: Uint8Array, out: Uint32Array): void => {
  const quads = input.length / 127
  const source = new Uint8Array(128)
  const words = new Uint32Array(source.buffer)
  for (let quad = 0; quad < quads; quad++) {
    source.set(input.subarray(quad * 127, quad * 127 + 127))
    const to = quad * 32
    for (let i = 0; i < 8; i++) out[to + i] = words[i] ?? 0
    for (let e = 1; e < 4; e++) {
      const up = 2 * e
      const at = 8 * e
      for (let i = 0; i < 8; i++) {
        out[to + at + i] = ((words[at + i - 1] ?? 0) >>> (32 - up)) | ((words[at + i] ?? 0) << up)
      }
    }
    for (let e = 0; e < 4; e++) out[to + 8 * e + 7] = (out[to + 8 * e + 7] ?? 0) & 0x3fffffff
  }
}

export class PresentWay {
  readonly #hashInto: HashInto
  readonly #layer: Uint8Array
  readonly #data = new Uint8Array(CACHED_BYTES)
  readonly #words = new Uint32Array(2 ** CACHED_LEVEL * 8)
  readonly #levels: readonly Uint8Array[]

  /** `layer`: the cached nodes, one after another; their number is a power of two. */
  constructor(hashtree: Peer, layer: Uint8Array) {
    const module = (hashtree.module['hashInto'] ? hashtree.module : hashtree.module['default']) as {
      readonly hashInto: HashInto
    }
    this.#hashInto = module.hashInto
    this.#layer = layer
    const leaves = new Uint8Array(this.#words.buffer)
    this.#levels = Array.from({ length: CACHED_LEVEL + 1 }, (_, level) =>
      level === 0 ? leaves : new Uint8Array((NODE * 2 ** CACHED_LEVEL) / 2 ** level),
    )
  }

  /** Opens one leaf of 32 bytes. */
  prove(fd: number, leaf: number): PresentProof {
    const chunk = Math.floor(leaf / 2 ** CACHED_LEVEL)
    const got = readSync(fd, this.#data, 0, CACHED_BYTES, chunk * CACHED_BYTES)
    this.#data.fill(0, got)
    expand(this.#data, this.#words)
    for (let level = 1; level <= CACHED_LEVEL; level++) this.#raise(this.#levels, level)
    const top = [this.#layer]
    for (let width = this.#layer.length / 2; width >= NODE; width /= 2) {
      top.push(new Uint8Array(width))
      this.#raise(top, top.length - 1)
    }
    const path: Uint8Array[] = []
    let index = leaf % 2 ** CACHED_LEVEL
    for (let level = 0; level < CACHED_LEVEL; level++, index >>= 1) {
      path.push(siblingOf(this.#levels[level], index))
    }
    index = chunk
    for (let level = 0; level < top.length - 1; level++, index >>= 1) {
      path.push(siblingOf(top[level], index))
    }
    const at = (leaf % 2 ** CACHED_LEVEL) * NODE
    return { leaf: (this.#levels[0] ?? this.#layer).slice(at, at + NODE), path }
  }

  #raise(levels: readonly Uint8Array[], level: number): void {
    const [below, out] = [levels[level - 1], levels[level]]
    if (!below || !out) throw new Error('there is no such level')
    this.#hashInto(below, out)
    for (let at = NODE - 1; at < out.length; at += NODE) out[at] = (out[at] ?? 0) & 0x3f
  }
}

const siblingOf = (nodes: Uint8Array | undefined, index: number): Uint8Array => {
  const at = (index ^ 1) * NODE
  return (nodes ?? new Uint8Array(0)).slice(at, at + NODE)
}
