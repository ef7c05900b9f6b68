/** The simulation over at least a thousand seeds; a failing seed is printed with what replays it. */
import { describe, test } from '@jest/globals'
import { runSeed, seedsFrom, told } from './simulation.ts'

const SEEDS = 1000
const PER_TEST = 50
/** Nothing of a seed is kept when it is over: a thousand take no more memory than fifty. */
const RESIDENT_MAX = 2 ** 31

describe('a simulation of client, providers, ledger and disks', () => {
  const starts = Array.from({ length: SEEDS / PER_TEST }, (_, i) => 1001 + i * PER_TEST)
  test.each(starts)(`${PER_TEST} seeds from %i keep every promise`, async (start) => {
    const failed: string[] = []
    for (const seed of seedsFrom(start, PER_TEST)) {
      const outcome = await runSeed({ seed })
      if (outcome.violations.length === 0) continue
      failed.push(told(outcome))
      // Heard of now: the rest takes its time.
      process.stderr.write(`${failed.at(-1)}\n`)
    }
    const { rss } = process.memoryUsage()
    process.stderr.write(
      `${PER_TEST} seeds from ${start}: ${Math.round(rss / 2 ** 20)} MiB resident\n`,
    )
    if (rss > RESIDENT_MAX) failed.push(`${rss} bytes are resident after ${start + PER_TEST}`)
    if (failed.length > 0) throw new Error(failed.join('\n\n'))
  })
})
