/** Messages about bundles: valid values, and values with one bad field. */
import { dealId, hash32 } from '../../src/ids.ts'
import { period } from '../../src/units.ts'

type Bad = readonly [
  call: 'getBundle' | 'getBundleEntries',
  side: 'request' | 'response',
  field: string,
  value: unknown,
]

const DEAL = dealId(`0x${'6b'.repeat(32)}`)
const SHORT = '0x1234'
const U64 = (1n << 64n) - 1n
const BUNDLE = {
  period: period(9),
  root: hash32(`0x${'7c'.repeat(32)}`),
  count: 465n,
  absent: 465n,
}
const ENTRY = {
  index: 464n,
  count: 465n,
  answer: new Uint8Array(0),
  path: new Uint8Array(9 * 32),
}
const WIDE_ENTRY = {
  index: 0n,
  count: 460n + 5n * (1n << 32n),
  answer: new Uint8Array(77 + 32 * 40 + 1024 + 40 * 32),
  path: new Uint8Array(35 * 32),
}

export const BUNDLE_SAMPLES: Readonly<
  Record<'getBundle' | 'getBundleEntries', { request: unknown[]; response: unknown[] }>
> = {
  getBundle: { request: [{ period: period(U64) }], response: [BUNDLE, { ...BUNDLE, absent: 0n }] },
  getBundleEntries: {
    request: [
      { period: period(3), deal: DEAL },
      { period: period(U64), indices: Array.from({ length: 32 }, (_, i) => BigInt(i)) },
      { period: period(0), indices: [460n + 5n * (1n << 32n) - 1n] },
    ],
    response: [
      { entries: [ENTRY] },
      { entries: [] },
      { entries: Array.from({ length: 32 }, () => WIDE_ENTRY) },
    ],
  },
}

const entryWith = (field: string, change: object): Bad => [
  'getBundleEntries',
  'response',
  `entries[1].${field}`,
  { entries: [ENTRY, { ...ENTRY, ...change }] },
]

export const BAD_BUNDLES: readonly Bad[] = [
  ['getBundle', 'response', 'root', { ...BUNDLE, root: SHORT }],
  ['getBundle', 'response', 'count', { ...BUNDLE, count: 459n }],
  ['getBundle', 'response', 'absent', { ...BUNDLE, absent: 466n }],
  ['getBundleEntries', 'request', 'deal', { period: period(1), deal: SHORT }],
  ['getBundleEntries', 'request', 'deal', { period: period(1), indices: [] }],
  [
    'getBundleEntries',
    'request',
    'indices',
    { period: period(1), indices: Array.from({ length: 33 }, () => 1n) },
  ],
  [
    'getBundleEntries',
    'request',
    'indices[0]',
    { period: period(1), indices: [460n + 5n * (1n << 32n)] },
  ],
  ['getBundleEntries', 'response', 'count', { entries: [{ ...ENTRY, count: 461n }] }],
  entryWith('index', { index: 465n }),
  entryWith('answer', { answer: new Uint8Array(77 + 32 * 40 + 1024 + 40 * 32 + 1) }),
  entryWith('path', { path: new Uint8Array(10 * 32) }),
  ['getBundleEntries', 'response', 'entries', { entries: Array.from({ length: 33 }, () => ENTRY) }],
]
