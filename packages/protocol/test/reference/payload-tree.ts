/**
 * The `sha256-1k` tree as its definition reads, recursive: node(level, index) is the zero node when
 * all its leaves are missing, a padded leaf's hash at level 0, else the hash of its children.
 */
import { sha256 } from './bytes.ts'

export const leafCount = (length: number): number => Math.ceil(length / 1024)

/** The smallest d with 2^d >= count. */
export const depthOf = (count: number): number => {
  let depth = 0
  while (2 ** depth < count) depth++
  return depth
}

const pairOf = (below: Buffer): Buffer => sha256(below, below)

export const zero = (level: number): Buffer =>
  level === 0 ? Buffer.alloc(32) : pairOf(zero(level - 1))

export const leaf = (payload: Buffer, index: number): Buffer => {
  const padded = Buffer.alloc(1024)
  payload.copy(padded, 0, index * 1024, (index + 1) * 1024)
  return padded
}

export const node = (payload: Buffer, level: number, index: number): Buffer => {
  if (index * 2 ** level >= leafCount(payload.length)) return zero(level)
  if (level === 0) return sha256(leaf(payload, index))
  return sha256(node(payload, level - 1, 2 * index), node(payload, level - 1, 2 * index + 1))
}

export const root = (payload: Buffer): Buffer =>
  node(payload, depthOf(leafCount(payload.length)), 0)

/** Siblings from the leaf level up. */
export const path = (payload: Buffer, index: number): Buffer =>
  Buffer.concat(
    Array.from({ length: depthOf(leafCount(payload.length)) }, (_, level) =>
      node(payload, level, Math.floor(index / 2 ** level) ^ 1),
    ),
  )
