/**
 * F18 at length: the threads of a node's two volumes die at random moments under uploads, reads and
 * proofs. The seed is printed, and chooses payloads, moments and victims.
 */
import { expect, test } from '@jest/globals'
import { DeathRun } from './support/death-run.ts'

const DEATHS = Number(process.env['HOLDFAST_DEATHS'] ?? 100)
const SEED = Number(process.env['HOLDFAST_SEED'] ?? Date.now() % 1_000_000)

test(`${DEATHS} deaths of threads, seed ${SEED}: every receipt is honoured`, async () => {
  const run = await DeathRun.create(SEED)
  try {
    await run.run(DEATHS)
  } finally {
    await run.network.close()
  }
  const { deaths, uploads, refused, reads, periods } = run
  process.stderr.write(`${JSON.stringify({ deaths, uploads, refused, reads, periods })}\n`)
  expect(deaths).toBe(DEATHS)
  expect(uploads).toBeGreaterThan(DEATHS / 10)
  expect(refused).toBeGreaterThan(0)
  expect(periods).toBeGreaterThan(0)
})
