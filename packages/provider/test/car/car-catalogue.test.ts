/** What a restart knows of payloads without reading them, and that losing it costs only time. */
import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bytes, type Root, silentLogger } from '@holdfast/protocol'
import { openChecksum } from '@holdfast/prover'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { Barren } from '../../src/car/barren.ts'
import { CarCatalogue, type CarCatalogueDependencies } from '../../src/car/car-catalogue.ts'
import { blockOf, carOf } from '../support/cars.ts'
import { until } from '../support/network.ts'

const checksum = openChecksum()
let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-catalogue-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const rootOf = (n: number): Root =>
  `0x${Buffer.from(Float64Array.of(n).buffer).toString('hex').repeat(4)}` as Root

describe('the list of payloads without blocks', () => {
  const place = (): string => join(folder, 'list')

  const fill = async (count: number): Promise<void> => {
    const list = await Barren.open(place(), checksum)
    for (let i = 0; i < count; i++) await list.add(rootOf(i))
    for (let i = 0; i < count; i++) await list.add(rootOf(i))
    await list.close()
  }

  const known = async (count: number): Promise<readonly number[]> => {
    const list = await Barren.open(place(), checksum)
    const all = Array.from({ length: count }, (_, i) => i)
    const found = all.filter((i) => list.has(rootOf(i)))
    await list.close()
    return found
  }

  test('is the same over restarts, and has each once', async () => {
    await fill(2000)
    expect(await known(2500)).toEqual(Array.from({ length: 2000 }, (_, i) => i))
    expect((await readFile(place())).length).toBe(8 + 2000 * 36)
  })

  test.each([0, 7, 8, 43, 44, 8 + 36 * 50 + 3])(
    'cut after %i bytes it keeps what is whole',
    async (n) => {
      await fill(100)
      await truncate(place(), n)
      const whole = Math.max(0, Math.floor((n - 8) / 36))
      expect(await known(100)).toEqual(Array.from({ length: whole }, (_, i) => i))
      await fill(100)
      expect((await known(100)).length).toBe(100)
    },
  )

  test('a bit that changed anywhere costs what comes after it, and names nobody', async () => {
    await fill(100)
    const good = await readFile(place())
    for (let at = 0; at < good.length; at += 101) {
      const bad = Buffer.from(good)
      bad[at] = (bad[at] ?? 0) ^ (1 << (at % 8))
      await writeFile(place(), bad)
      const whole = Math.max(0, Math.floor((at - 8) / 36))
      expect(await known(100)).toEqual(Array.from({ length: whole }, (_, i) => i))
    }
  })
})

describe('a catalogue', () => {
  const block = blockOf(Buffer.from('a block'))
  /** One CAR, and payloads that are none: by their first bytes, by what follows, and empty. */
  const payloads = new Map<Root, Buffer>([
    [rootOf(1), Buffer.from(carOf(block.cid, [block]))],
    [rootOf(2), Buffer.alloc(5000, 0xff)],
    [rootOf(3), Buffer.alloc(5000, 0x70)],
    [rootOf(4), Buffer.alloc(1, 0x20)],
  ])
  let reads = 0

  const dependencies = (): CarCatalogueDependencies => {
    const stored = (root: Root): object | undefined => {
      const length = payloads.get(root)?.length
      return length === undefined ? undefined : { commitment: { length: bytes(length) } }
    }
    const holdings = {
      find: stored,
      read: async function* (root: Root, { start, end }: { start: bigint; end: bigint }) {
        reads++
        // A copy: whoever takes it may hand its memory to a thread.
        yield new Uint8Array(payloads.get(root) ?? []).slice(Number(start), Number(end))
      },
    }
    const store = { roots: () => payloads.keys(), has: (root: Root) => payloads.has(root) }
    const made = { holdings, store, checksum, logger: silentLogger }
    return made as unknown as CarCatalogueDependencies
  }

  /** Runs until everything was looked at; returns how often a payload was read. */
  const live = async (): Promise<number> => {
    reads = 0
    const catalogue = await CarCatalogue.open(dependencies(), folder)
    const stop = new AbortController()
    const running = catalogue.run(stop.signal)
    await until('it waits', () => catalogue.isIdle)
    const made = reads
    expect(catalogue.size).toBe(1)
    expect((await catalogue.find(block.cid))?.payload).toBe(rootOf(1))
    expect(await catalogue.rootsOf(rootOf(1))).toEqual([String(block.cid)])
    stop.abort()
    await running
    await catalogue.close()
    return made
  }

  test('reads each payload once and none after a restart; what it forgets it reads again', async () => {
    expect(await live()).toBeGreaterThanOrEqual(payloads.size)
    expect(await live()).toBe(0)
    await truncate(join(folder, 'barren.list'), 8 + 36)
    expect(await live()).toBeGreaterThan(0)
    expect(await live()).toBe(0)
  })
})
