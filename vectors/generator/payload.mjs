/**
 * Payload commitments and openings of single leaves, good and spoilt.
 */
import { bytes, payloadTree } from './reference.mjs'

const { hex, payloadBytes, sha256 } = bytes
const KIB = 1024

/** Every shape that has gone wrong somewhere: around leaves, powers of two, blocks, tiles, MiB. */
const LENGTHS = [
  1,
  2,
  31,
  32,
  33,
  63,
  64,
  65,
  127,
  1000,
  1023,
  1024,
  1025,
  2047,
  2048,
  2049,
  3071,
  3072,
  3073,
  4095,
  4096,
  4097,
  5000,
  7 * KIB,
  8 * KIB - 1,
  8 * KIB,
  8 * KIB + 1,
  9 * KIB,
  15 * KIB,
  16 * KIB - 1,
  16 * KIB,
  16 * KIB + 1,
  17 * KIB,
  31 * KIB + 5,
  32 * KIB,
  33 * KIB,
  63 * KIB,
  64 * KIB - 1,
  64 * KIB,
  64 * KIB + 1,
  65 * KIB,
  100_000,
  127 * KIB,
  128 * KIB,
  129 * KIB,
  255 * KIB,
  256 * KIB + 1,
  500_000,
  512 * KIB,
  KIB * KIB - 1,
  KIB * KIB,
  KIB * KIB + 1,
  1_500_000,
  2 * KIB * KIB,
  2 * KIB * KIB + 1,
  3 * KIB * KIB + 5,
  4 * KIB * KIB,
]

const shape = (payload) => {
  const leaves = payloadTree.leafCount(payload.length)
  return { length: payload.length, leaves, depth: payloadTree.depthOf(leaves) }
}

export const commitments = () => {
  const of = (content, seed, payload) => ({
    content,
    seed,
    ...shape(payload),
    sha256: hex(sha256(payload)),
    root: hex(payloadTree.root(payload)),
  })
  return [
    ...LENGTHS.map((length, i) => of('stream', i + 1, payloadBytes(i + 1, length))),
    ...[1, KIB, KIB + 1, 5 * KIB, 64 * KIB, 64 * KIB + 1].map((length) =>
      of('zeros', 0, Buffer.alloc(length)),
    ),
    ...[1, 1023, KIB, 3 * KIB].map((length) => of('ones', 0, Buffer.alloc(length, 0xff))),
  ]
}

const flipped = (data, at) => {
  const copy = Buffer.from(data)
  copy[at] ^= 1
  return copy
}

const openingOf = (payload, index) => ({
  index,
  leaf: payloadTree.leaf(payload, index),
  path: payloadTree.path(payload, index),
})

/** Spoilt openings of one leaf: whatever one changes, the root must not come out. */
const spoilt = (opening, leaves) => {
  const { index, leaf, path } = opening
  const cases = [
    ['leaf: first bit', { ...opening, leaf: flipped(leaf, 0) }],
    ['leaf: last bit', { ...opening, leaf: flipped(leaf, 1023) }],
  ]
  if (path.length > 0) {
    cases.push(
      ['path: first sibling', { ...opening, path: flipped(path, 0) }],
      ['path: last sibling', { ...opening, path: flipped(path, path.length - 1) }],
      ['path: one short', { ...opening, path: path.subarray(32) }],
      ['path: one cut off', { ...opening, path: path.subarray(0, path.length - 32) }],
      ['index: neighbour', { ...opening, index: index ^ 1 }],
    )
  }
  cases.push(
    ['path: one long', { ...opening, path: Buffer.concat([path, Buffer.alloc(32)]) }],
    ['path: a byte long', { ...opening, path: Buffer.concat([path, Buffer.alloc(1)]) }],
    ['index: outside', { ...opening, index: leaves }],
  )
  return cases
}

export const leafProofs = () => {
  const cases = []
  const add = (payload, root, valid, reason, { index, leaf, path }) =>
    cases.push({
      ...shape(payload),
      root,
      index,
      leaf: hex(leaf),
      path: hex(path),
      valid,
      reason,
    })
  for (const length of [1, 1024, 1025, 2049, 5000, 8192, 16_385]) {
    const payload = payloadBytes(length, length)
    const { leaves } = shape(payload)
    const root = hex(payloadTree.root(payload))
    const indices = [...new Set([0, 1, leaves >> 1, leaves - 1].filter((i) => i < leaves))]
    for (const index of indices) add(payload, root, true, '', openingOf(payload, index))
    for (const [reason, bad] of spoilt(openingOf(payload, leaves - 1), leaves)) {
      add(payload, root, false, reason, bad)
    }
  }
  for (const index of [0, 1, 511, 700, 976]) {
    const payload = payloadBytes(7, 1_000_000)
    add(payload, hex(payloadTree.root(payload)), true, '', openingOf(payload, index))
  }
  return cases
}
