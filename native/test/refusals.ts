/**
 * Wrong lengths, levels and overlaps, for every call of an engine: each is refused before anything is
 * written.
 */
import { expect, test } from '@jest/globals'
import type { Engine } from '../src/engine.ts'

/** The error's name: errors of the addon belong to another realm than jest's. */
export const refusalOf = (call: () => unknown): string => {
  try {
    call()
    return 'accepted'
  } catch (cause) {
    return (cause as Error).name
  }
}

type Refusal = readonly [string, () => unknown]

const view = (length: number): Uint8Array => new Uint8Array(length)
const whole = { scheme: 1, level: 4, keptLevel: 4 } as const

const flatCalls = (engine: Engine): readonly Refusal[] => [
  ['messages: input is not whole', () => engine.messages(view(10), 3, view(96))],
  ['messages: no size', () => engine.messages(view(10), 0, view(0))],
  ['messages: fraction of a size', () => engine.messages(view(10), 2.5, view(128))],
  ['messages: negative size', () => engine.messages(view(10), -10, view(32))],
  ['messages: size is not a number', () => engine.messages(view(10), Number.NaN, view(32))],
  ['messages: short output', () => engine.messages(view(128), 64, view(63))],
  ['messages: long output', () => engine.messages(view(128), 64, view(65))],
  ['keccak: input is not whole', () => engine.keccak(view(10), 3, view(96))],
  ['keccak: no size', () => engine.keccak(view(0), 0, view(0))],
  ['keccak: short output', () => engine.keccak(view(128), 64, view(63))],
  ['keccak: long output', () => engine.keccak(view(128), 64, view(65))],
  ['pairs: odd input', () => engine.pairs(view(65), view(32))],
  ['pairs: short output', () => engine.pairs(view(128), view(32))],
  ['pairs254: long output', () => engine.pairs254(view(128), view(96))],
  ['fr32: odd input', () => engine.fr32(view(126), view(128))],
  ['fr32: short output', () => engine.fr32(view(254), view(255))],
]

const treeCalls = (engine: Engine): readonly Refusal[] => [
  ['subtree: empty', () => engine.subtree(view(0), whole, { kept: view(0), root: view(32) })],
  [
    'subtree: too long',
    () => engine.subtree(view(16_385), whole, { kept: view(0), root: view(32) }),
  ],
  ['subtree: short root', () => engine.subtree(view(10), whole, { kept: view(0), root: view(31) })],
  [
    'subtree: wrong kept',
    () => engine.subtree(view(10), whole, { kept: view(64), root: view(32) }),
  ],
  [
    'subtree: level too high',
    () => engine.subtree(view(10), { ...whole, level: 50 }, { kept: view(0), root: view(32) }),
  ],
  [
    'subtree: kept level too high',
    () => engine.subtree(view(10), { ...whole, keptLevel: 7 }, { kept: view(0), root: view(32) }),
  ],
  [
    'subtree: unknown scheme',
    () => engine.subtree(view(10), { ...whole, scheme: 3 as 1 }, { kept: view(0), root: view(32) }),
  ],
  [
    'fileSubtree: wrong root',
    () =>
      engine.fileSubtree({ fd: 0, offset: 0, length: 5 }, whole, {
        kept: view(0),
        root: view(3),
      }),
  ],
  ['tower: no nodes', () => engine.tower(view(0), { scheme: 1, from: 0, to: 1 }, view(32))],
  ['tower: too many nodes', () => engine.tower(view(96), { scheme: 1, from: 0, to: 1 }, view(160))],
  ['tower: short output', () => engine.tower(view(64), { scheme: 1, from: 0, to: 1 }, view(64))],
  ['crc32c: seed too large', () => engine.crc32c(2 ** 32, view(1))],
]

/** Declares the tests. */
export const refusals = (engine: Engine): void => {
  test.each([...flatCalls(engine), ...treeCalls(engine)])('refuses %s', (_, call) => {
    expect(refusalOf(call)).toBe('RangeError')
  })

  test('refuses outputs that lie over their input', () => {
    const both = view(256)
    const part = (from: number, to: number): Uint8Array => both.subarray(from, to)
    const span = { scheme: 1, from: 0, to: 1 } as const
    const calls = [
      () => engine.messages(part(0, 64), 64, part(32, 64)),
      () => engine.keccak(part(0, 64), 64, part(32, 64)),
      () => engine.pairs(part(0, 128), part(32, 96)),
      () => engine.fr32(part(0, 127), part(100, 228)),
      () => engine.tower(part(0, 64), span, part(0, 96)),
    ]
    for (const call of calls) expect(refusalOf(call)).toBe('RangeError')
  })
}
