/** The long form of bit-flips.test.ts: ten thousand, counted. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { flipEverything } from '../support/bit-flip-run.ts'

const FLIPS = Number(process.env['HOLDFAST_FLIPS'] ?? 10_000)
const SEED = Number(process.env['HOLDFAST_FLIP_SEED'] ?? 20_000)

let scratch: string
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'holdfast-flips-'))
})
afterAll(() => rm(scratch, { recursive: true, force: true }))

test(`${FLIPS} flipped bits are noticed or without effect, seed ${SEED}`, async () => {
  const { flips, lines } = await flipEverything(FLIPS, { seed: SEED, scratch })
  process.stderr.write(`${flips} flips\n${lines}\n`)
  expect(flips).toBeGreaterThanOrEqual(FLIPS)
}, 7_200_000)
