/**
 * Every entry of the addon with wrong arguments: whatever comes, it throws or answers, and the bytes
 * around the views it was given stay as they were.
 */
import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { loadAddon } from '../src/native-engine.ts'

const load = loadAddon()

const GUARD = 64

/** A view inside a larger buffer whose borders are marked. */
const guarded = (length: number): { readonly view: Uint8Array; readonly intact: () => boolean } => {
  const all = new Uint8Array(length + 2 * GUARD).fill(0xa5)
  const view = all.subarray(GUARD, GUARD + length)
  const marked = (part: Uint8Array): boolean => part.every((byte) => byte === 0xa5)
  return {
    view,
    intact: () => marked(all.subarray(0, GUARD)) && marked(all.subarray(GUARD + length)),
  }
}

const number = fc.oneof(
  fc.integer({ min: -2, max: 300 }),
  fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31, 2 ** 53, 2 ** 60, 1.5, -0),
)
const junk = fc.oneof(
  fc.constant({ kind: 'view' as const, length: 0 }),
  fc.integer({ min: 0, max: 3000 }).map((length) => ({ kind: 'view' as const, length })),
  fc
    .constantFrom(32, 64, 127, 128, 254, 1024, 2048)
    .map((length) => ({ kind: 'view' as const, length })),
  number.map((value) => ({ kind: 'value' as const, value: value as unknown })),
  fc
    .constantFrom<unknown>(
      undefined,
      null,
      'x',
      {},
      [],
      5n,
      new DataView(new ArrayBuffer(8)),
      new ArrayBuffer(64),
      new Uint16Array(32),
      new Float64Array(3),
      new Int32Array(1),
    )
    .map((value) => ({ kind: 'value' as const, value })),
)

/** Entries that touch descriptors are kept away from those of this process. */
const ENTRIES = [
  'messages',
  'pairs',
  'pairs254',
  'keccak',
  'fr32',
  'crc32c',
  'subtree',
  'tower',
  'open',
] as const
const FILE_ENTRIES = [
  'fileSubtree',
  'readFile',
  'readMany',
  'nextData',
  'startWriting',
  'overwriteInPlace',
  'lockFile',
  'forget',
] as const

const attack = (entry: string, parts: readonly unknown[]): void => {
  if (!load.ok) return
  const call = (load.addon as unknown as Record<string, (...given: unknown[]) => unknown>)[entry]
  if (call === undefined) throw new Error(`the addon has no ${entry}`)
  try {
    call(...parts)
  } catch (cause) {
    if (!(cause instanceof Error) && !String(cause).includes('holdfast native')) throw cause
  }
}

const run = (entries: readonly string[], count: number, first: readonly unknown[]): void => {
  fc.assert(
    fc.property(fc.constantFrom(...entries), fc.array(junk, { maxLength: 11 }), (entry, parts) => {
      const views = parts.map((part) => (part.kind === 'view' ? guarded(part.length) : undefined))
      const given = parts.map((part, i) => (part.kind === 'view' ? views[i]?.view : part.value))
      attack(entry, [...first, ...given])
      for (const view of views) expect(view?.intact() ?? true).toBe(true)
    }),
    { numRuns: count },
  )
}

const whenNative = load.ok ? test : test.skip

whenNative('no arguments make an entry write where it may not', () => run(ENTRIES, 4000, []))

whenNative('with a kernel given, other arguments are met', () => run(ENTRIES, 4000, [0]))

whenNative('file entries answer for descriptors that are not open', () => {
  run(FILE_ENTRIES, 1000, [99_999_999])
  run(FILE_ENTRIES, 1000, [0, 99_999_999])
})
