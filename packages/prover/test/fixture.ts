/**
 * What the prover's tests share: bytes that depend on a seed, files in a temporary folder that is
 * removed, and the slow reference for both trees.
 */
import { createCipheriv, createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Bytes, bytes } from '@holdfast/protocol'
import type { FileRange } from '../src/kept-payload.ts'

/** Pseudo-random bytes, the same for the same seed. */
export const noise = (length: number, seed = 1): Uint8Array => {
  const key = createHash('sha256').update(`noise ${seed}`).digest().subarray(0, 16)
  const cipher = createCipheriv('aes-128-ctr', key, new Uint8Array(16))
  return new Uint8Array(cipher.update(new Uint8Array(length)))
}

export interface Folder {
  readonly path: string
  file(name: string, data: Uint8Array): Promise<FileRange>
  place(name: string): string
  remove(): Promise<void>
}

export const openFolder = async (): Promise<Folder> => {
  const path = await mkdtemp(join(tmpdir(), 'holdfast-prover-'))
  return {
    path,
    place: (name) => join(path, name),
    file: async (name, data) => {
      await writeFile(join(path, name), data)
      return { path: join(path, name), offset: bytes(0), length: bytes(data.length) }
    },
    remove: () => rm(path, { recursive: true, force: true }),
  }
}

const sha256 = (...parts: readonly Uint8Array[]): Uint8Array => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return new Uint8Array(hash.digest())
}

const rise = (leaves: readonly Uint8Array[], depth: number, mask: number): Uint8Array => {
  let nodes = [...leaves]
  let zero: Uint8Array = new Uint8Array(32)
  const join2 = (left: Uint8Array, right: Uint8Array): Uint8Array => {
    const node = sha256(left, right)
    node[31] = (node[31] ?? 0) & mask
    return node
  }
  for (let level = 0; level < depth; level++) {
    const next: Uint8Array[] = []
    for (let i = 0; i < nodes.length; i += 2)
      next.push(join2(nodes[i] ?? zero, nodes[i + 1] ?? zero))
    nodes = next
    zero = join2(zero, zero)
  }
  const [root] = nodes
  if (nodes.length !== 1 || root === undefined) throw new Error('the depth does not fit')
  return root
}

const hex = (data: Uint8Array): string => `0x${Buffer.from(data).toString('hex')}`

/** Root of the `sha256-1k` tree, by the definition, one node at a time. */
export const plainRoot = (payload: Uint8Array): string => {
  const leaves: Uint8Array[] = []
  for (let at = 0; at < payload.length; at += 1024) {
    const leaf = new Uint8Array(1024)
    leaf.set(payload.subarray(at, at + 1024))
    leaves.push(sha256(leaf))
  }
  return hex(rise(leaves, Math.ceil(Math.log2(leaves.length)), 0xff))
}

/** Root of the CommP tree, by the definition: bit by bit. */
export const plainCommp = (payload: Uint8Array): string => {
  const quads = Math.max(1, Math.ceil(payload.length / 127))
  const out = new Uint8Array(quads * 128)
  for (let bit = 0; bit < payload.length * 8; bit++) {
    const value = ((payload[bit >> 3] ?? 0) >> (bit & 7)) & 1
    const to = Math.floor(bit / 254) * 256 + (bit % 254)
    out[to >> 3] = (out[to >> 3] ?? 0) | (value << (to & 7))
  }
  const leaves = Array.from({ length: quads * 4 }, (_, i) => out.slice(i * 32, i * 32 + 32))
  return hex(rise(leaves, Math.max(2, Math.ceil(Math.log2(leaves.length))), 0x3f))
}

/** A payload as a stream of chunks of changing sizes. */
export async function* chunks(payload: Uint8Array, size: number): AsyncIterable<Uint8Array> {
  for (let at = 0, turn = 0; at < payload.length; turn++) {
    const take = Math.max(1, (size * ((turn % 5) + 1)) >> 1)
    yield payload.subarray(at, at + take)
    at += take
  }
}

export const range = (path: string, length: Bytes): FileRange => ({
  path,
  offset: bytes(0),
  length,
})
