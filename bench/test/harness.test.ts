/** The harness: medians, ratios and goals, refusal of wrong results, and that peers are never dropped. */
import { describe, expect, test } from '@jest/globals'
import { type BenchCase, type Contestant, conclude, median, runCase } from '../src/harness.ts'
import { PeerList } from '../src/peers.ts'
import { performancePage, short, textTable } from '../src/tables.ts'

const busy = (name: string, turns: number): Contestant => ({
  name,
  work: turns,
  run: () => {
    let sum = 0
    for (let i = 0; i < turns * 1000; i++) sum += i % 7
    return sum
  },
})

const example = (change: Partial<BenchCase> = {}): BenchCase => ({
  name: 'sums',
  unit: 'sums/s',
  better: 'more',
  clock: 'thread',
  scale: 1,
  ours: busy('holdfast', 20),
  peers: [busy('peer@1.0.0', 20)],
  check: () => undefined,
  ...change,
})

describe('conclusions', () => {
  test('the median is the middle, or between the two middles', () => {
    expect(median([9, 1, 5])).toBe(5)
    expect(median([4, 1, 9, 2])).toBe(3)
  })

  test('a ratio is ours over the best peer, for costs the best peer over ours', () => {
    const more = conclude(example(), 30, { a: 10, b: 20 }, 5)
    const less = conclude(example({ better: 'less' }), 2, { a: 10, b: 20 }, 5)
    expect([more.ratio, less.ratio]).toEqual([1.5, 5])
    expect(conclude(example(), 30, {}, 5).ratio).toBeUndefined()
  })

  test('goals are of the ratio or of our own figure, either way round', () => {
    const goal = { of: 'ratio', bound: 1.4 } as const
    expect(conclude(example({ goal }), 30, { a: 20 }, 5).holds).toBe(true)
    expect(conclude(example({ goal }), 27, { a: 20 }, 5).holds).toBe(false)
    const cost = { of: 'figure', bound: 64 } as const
    expect(conclude(example({ better: 'less', goal: cost }), 60, {}, 5).holds).toBe(true)
    expect(conclude(example({ better: 'less', goal: cost }), 65, {}, 5).holds).toBe(false)
  })
})

describe('runs', () => {
  test('measure everybody at least five times', async () => {
    const result = await runCase(example({ rounds: 1 }))
    expect(result.rounds).toBe(5)
    expect(result.ours).toBeGreaterThan(0)
    expect(Object.keys(result.peers)).toEqual(['peer@1.0.0'])
  })

  test('stop at a wrong result, ours or a peer’s', async () => {
    const check = (_: unknown, { name }: Contestant): void => {
      if (name.startsWith('peer')) throw new Error(`${name} is wrong`)
    }
    await expect(runCase(example({ check }))).rejects.toThrow('peer@1.0.0 is wrong')
  })
})

test('a peer that is not there is named with the reason', async () => {
  const list = new PeerList()
  expect(await list.load('@nobody/nothing')).toBeUndefined()
  expect(list.absent).toEqual([expect.stringContaining('@nobody/nothing: ')])
  expect((await list.load('hash-wasm'))?.name).toMatch(/^hash-wasm@\d/)
})

test('tables show figures, ratios, goals and who is absent', () => {
  const goal = { of: 'ratio', bound: 1.2, stretch: 1.4 } as const
  const bench = example({ goal, absent: ['gone@2: not found'] })
  const result = conclude(bench, 3000, { 'peer@1.0.0': 2000 }, 7)
  const machine = {
    processor: 'CPU',
    cores: 2,
    memory: '4 GiB',
    system: 'os',
    node: 'v20',
    engines: ['wasm'],
  }
  const text = textTable({ suite: 'demo', machine, cases: [result] })
  expect(text).toContain('3,000  holdfast 1.5x   goal ≥ 1.2 (stretch 1.4): holds')
  expect(text).toContain('absent  gone@2: not found')
  const page = performancePage([{ suite: 'demo', machine, cases: [result] }], '2026-01-02')
  expect(page).toContain(
    '| sums | 3,000 sums/s | peer@1.0.0: 2,000 | 1.5x | ≥ 1.2 (stretch 1.4) | holds |',
  )
  expect([short(0.12345), short(12.345), short(123_456)]).toEqual(['0.123', '12.3', '123,456'])
})
