/**
 * Bundles as their specification reads: hashes of entries in a plain list, nodes by recursion over
 * it, places by walking the slots from the left.
 */
import { keccak, keccakText, uint, unhex } from './bytes.ts'
import { base, type Context } from './challenge.ts'

export interface Entry {
  /** 0 global, 1 deal. */
  readonly class: number
  /** Zero in the class global. */
  readonly deal: string
  readonly i: number
  readonly answer: Buffer
}

const DOMAIN = keccakText('holdfast/bundle/v1')
export const NO_DEAL = `0x${'00'.repeat(32)}`

/** All questions of a period in the bundle's order; `slots` are deal ids, undefined where empty. */
export const questions = (
  slots: readonly (string | undefined)[],
): readonly Omit<Entry, 'answer'>[] => {
  const list: Omit<Entry, 'answer'>[] = []
  for (let i = 0; i < 460; i++) list.push({ class: 0, deal: NO_DEAL, i })
  for (const deal of slots) {
    for (let i = 0; i < 5; i++) if (deal !== undefined) list.push({ class: 1, deal, i })
  }
  return list
}

export const entryHash = (entry: Entry, index: number): Buffer =>
  keccak(
    DOMAIN,
    uint(entry.class, 1),
    unhex(entry.deal),
    uint(entry.i, 4),
    uint(index, 8),
    keccak(entry.answer),
  )

const depthOf = (count: number): number => {
  let depth = 0
  while (2 ** depth < count) depth++
  return depth
}

/** The node at `level` and `index` over these entry hashes; places after the last are zero. */
export const node = (hashes: readonly Buffer[], level: number, index: number): Buffer =>
  level === 0
    ? (hashes[index] ?? Buffer.alloc(32))
    : keccak(node(hashes, level - 1, 2 * index), node(hashes, level - 1, 2 * index + 1))

export const top = (hashes: readonly Buffer[]): Buffer => node(hashes, depthOf(hashes.length), 0)

export const root = (context: Context, hashes: readonly Buffer[]): Buffer =>
  keccak(DOMAIN, base(context), uint(hashes.length, 8), top(hashes))

/** Siblings from the entries up. */
export const path = (hashes: readonly Buffer[], index: number): Buffer =>
  Buffer.concat(
    Array.from({ length: depthOf(hashes.length) }, (_, level) =>
      node(hashes, level, Math.floor(index / 2 ** level) ^ 1),
    ),
  )
