/**
 * Single bits change in every kind of file of a node: sectors place by place, journal and its mark,
 * indexes, chain state, CAR index, identity, TLS. No wrong byte is served, no changed value believed,
 * no synced entry forgotten, every index whole again. The long form is bit-flips.fault.test.ts.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { flipEverything } from '../support/bit-flip-run.ts'

const FLIPS = Number(process.env['HOLDFAST_FLIPS'] ?? 200)
const SEED = Number(process.env['HOLDFAST_FLIP_SEED'] ?? 1)

let scratch: string
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'holdfast-flips-'))
})
afterAll(() => rm(scratch, { recursive: true, force: true }))

test(`${FLIPS} flipped bits are noticed or without effect, seed ${SEED}`, async () => {
  const { flips } = await flipEverything(FLIPS, { seed: SEED, scratch })
  expect(flips).toBeGreaterThanOrEqual(FLIPS)
})
