/**
 * A publisher, a watcher and one to three providers, the ledger and their disks in one thread, with
 * everything breaking that can: a few seeds here, a thousand in the fault suite. One seed alone, with
 * its whole trace: `HOLDFAST_SIMULATION_SEED=7 npm test -- tests/dist/simulation/simulation.test.js`.
 */
import { describe, expect, test } from '@jest/globals'
import { runSeed, seedsFrom, told } from './simulation.ts'

const ASKED = process.env['HOLDFAST_SIMULATION_SEED']

const show = (line: string): void => {
  process.stderr.write(`${line}\n`)
}

if (ASKED !== undefined) {
  test(`seed ${ASKED} keeps every promise`, async () => {
    const outcome = await runSeed({ seed: Number(ASKED), show })
    if (outcome.violations.length > 0) throw new Error(told(outcome))
  })
} else {
  describe('a simulation of client, providers, ledger and disks', () => {
    test.each(seedsFrom(1, 5))('seed %i: every promise is kept', async (seed) => {
      const outcome = await runSeed({ seed })
      if (outcome.violations.length > 0) throw new Error(told(outcome))
      expect(outcome.counts.receipts).toBeGreaterThan(0)
    })

    test('one seed gives one history', async () => {
      const first = await runSeed({ seed: 1 })
      const second = await runSeed({ seed: 1 })
      expect(second.lines).toBe(first.lines)
      expect(second.digest).toBe(first.digest)
    })
  })
}
