/** CARs of other makers: the published fixtures, and archives that lie about their lengths. */
import { createReadStream } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { readCar } from '../../src/car/read-car.ts'
import { readJson, vectorPath } from '../support.ts'

async function* pieces(data: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < data.length; at += size) yield data.subarray(at, at + size)
}

const cids = async (data: Uint8Array, size = 7): Promise<readonly string[]> => {
  const { blocks } = await readCar(pieces(data, size))
  const found: string[] = []
  for await (const { cid } of blocks) found.push(cid.toString())
  return found
}

interface Fixture {
  readonly blocks: readonly { readonly cid: { readonly '/': string } }[]
}

test.each(['carv1-basic', 'carv2-basic'])('%s: all blocks, in any pieces', async (name) => {
  const { blocks } = (await readJson(vectorPath('car', `${name}.json`))) as Fixture
  const data = await readFile(vectorPath('car', `${name}.car`))
  const expected = blocks.map(({ cid }) => cid['/'])
  for (const size of [1, 2, 50, 100_000]) expect(await cids(data, size)).toEqual(expected)
})

describe('trustless-gateway fixtures', () => {
  test('every one is read and every block verified', async () => {
    const names = (await readdir(vectorPath('trustless-gateway'))).filter((n) => n.endsWith('.car'))
    expect(names.length).toBeGreaterThan(10)
    for (const name of names) {
      const { roots, blocks } = await readCar(
        createReadStream(vectorPath('trustless-gateway', name)),
      )
      let count = 0
      for await (const _ of blocks) count += 1
      expect(roots.length).toBeGreaterThan(0)
      expect(count).toBeGreaterThan(0)
    }
  })
})

const basic = await readFile(vectorPath('car', 'carv1-basic.car'))

test('an archive cut anywhere is refused, unless the cut is between blocks', async () => {
  const whole = await cids(basic)
  let accepted = 0
  for (let cut = 0; cut < basic.length; cut++) {
    const found = await cids(basic.subarray(0, cut)).catch((error: unknown) => {
      expect(error).toMatchObject({ detail: { code: 'CAR_INVALID' } })
      return undefined
    })
    if (found === undefined) continue
    accepted += 1
    expect(found).toEqual(whole.slice(0, found.length))
  }
  // Behind the header and behind each block but the last.
  expect(accepted).toBe(whole.length)
})

test('one flipped bit never changes a byte that is handed out', async () => {
  const contents = async (data: Uint8Array): Promise<readonly string[]> => {
    const { blocks } = await readCar(pieces(data, 64))
    const found: string[] = []
    for await (const { bytes } of blocks) found.push(Buffer.from(bytes).toString('hex'))
    return found
  }
  const truth = await contents(basic)
  const firstSection = 100
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: firstSection, max: basic.length - 1 }),
      fc.integer({ min: 0, max: 7 }),
      async (at, bit) => {
        const spoiled = Uint8Array.from(basic)
        spoiled[at] = (spoiled[at] ?? 0) ^ (1 << bit)
        // A CID's codec is not hashed: a flip there renames a block and changes none of its bytes.
        const found = await contents(spoiled).catch((error: unknown) => {
          expect(error).toMatchObject({
            detail: { code: expect.stringMatching(/^(CID_MISMATCH|CAR_INVALID)$/) },
          })
          return truth
        })
        expect(found).toEqual(truth)
      },
    ),
    { numRuns: 300 },
  )
})

test.each([
  ['a header of 33 KiB', [0x80, 0x88, 0x02]],
  ['a header of 0 bytes', [0x00]],
])('%s is refused before its bytes are waited for', async (_what, start) => {
  let asked = 0
  async function* endless(): AsyncGenerator<Uint8Array> {
    yield Uint8Array.from([...start, ...new Array(16).fill(1)])
    for (;;) {
      asked += 1
      yield new Uint8Array(65_536)
    }
  }
  await expect(readCar(endless())).rejects.toMatchObject({ detail: { code: 'CAR_INVALID' } })
  expect(asked).toBeLessThan(3)
})

test('a section above 4 MiB is refused before its bytes are waited for', async () => {
  let asked = 0
  async function* endless(): AsyncGenerator<Uint8Array> {
    yield basic.subarray(0, 100)
    yield Uint8Array.of(0x80, 0x80, 0x80, 0x04)
    for (;;) {
      asked += 1
      yield new Uint8Array(65_536)
    }
  }
  const { blocks } = await readCar(endless())
  const all = async (): Promise<void> => {
    for await (const _ of blocks);
  }
  await expect(all()).rejects.toMatchObject({ detail: { code: 'CAR_INVALID' } })
  expect(asked).toBeLessThan(3)
})
