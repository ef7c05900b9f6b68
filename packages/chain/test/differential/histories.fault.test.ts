/**
 * Three hundred and more random histories told to the contracts on a chain and to the ledger in
 * memory. A seed that fails is printed with its whole story; `HOLDFAST_SEED=<n>` tells that one alone,
 * the same way again. `HOLDFAST_HISTORIES=<n>` tells so many under each of the rules.
 */
import { expect, test } from '@jest/globals'
import { describeWithAnvil } from '../support/with-anvil.ts'
import { openStage, RULES } from './histories.ts'
import { tellHistory } from './history.ts'
import type { Rules } from './stage.ts'

const STEPS = 120
const chosen = process.env['HOLDFAST_SEED']
const COUNT = Number(process.env['HOLDFAST_HISTORIES'] ?? 160)

/** Everything that can be done, in the words of the steps. */
const DONE =
  'seed deposit withdraw claim open settle close terminate resign consent top-up release fault recover ' +
  'commit prove show slash-audit report end register update stake unstake dispute answer slash'

const seedsOf = (rules: number): readonly number[] =>
  chosen === undefined
    ? Array.from({ length: COUNT }, (_, i) => 1000 * (rules + 1) + i)
    : Math.floor(Number(chosen) / 1000) - 1 === rules
      ? [Number(chosen)]
      : []

/** So many chains are told histories side by side: one alone waits for answers most of the time. */
const LANES = 6

/** Ends what hangs: a machine with other work takes an hour for what takes ten minutes alone. */
const TIME_MS = 6 * 3_600_000

class Campaign {
  readonly #left: number[]
  readonly seen = new Map<string, number>()
  told = 0
  #failed = false

  constructor(seeds: readonly number[]) {
    this.#left = [...seeds]
  }

  get steps(): number {
    return [...this.seen.values()].reduce((sum, n) => sum + n, 0)
  }

  /** One chain, and the histories that it is still time for. */
  async lane(rules: Rules): Promise<void> {
    const stage = await openStage(rules)
    try {
      for (let seed = this.#next(); seed !== undefined; seed = this.#next()) {
        const { counts } = await tellHistory(stage, seed, STEPS)
        for (const [kind, n] of counts) this.seen.set(kind, (this.seen.get(kind) ?? 0) + n)
        this.told += 1
        if (this.told % 20 === 0)
          process.stdout.write(`${this.told} histories, ${this.steps} steps\n`)
      }
    } catch (failure) {
      this.#failed = true
      throw failure
    } finally {
      await stage.close()
    }
  }

  #next(): number | undefined {
    return this.#failed ? undefined : this.#left.shift()
  }
}

describeWithAnvil('the ledger in memory and the contracts', () => {
  test.each(RULES.map((rules, i) => [i, rules] as const))(
    'say the same of every history under rules %i',
    async (index, rules) => {
      const seeds = seedsOf(index)
      const campaign = new Campaign(seeds)
      const lanes = Array.from({ length: Math.min(LANES, seeds.length) }, () =>
        campaign.lane(rules),
      )
      const ends = await Promise.allSettled(lanes)
      for (const end of ends) if (end.status === 'rejected') throw end.reason
      const { seen, steps } = campaign
      process.stdout.write(`${seeds.length} histories, ${steps} steps: ${listed(seen)}\n`)
      expect(steps).toBeGreaterThanOrEqual(seeds.length * STEPS)
      // Many histories reach everything: what none of them did was not compared.
      const missing = DONE.split(' ').filter((verb) => !seen.has(`${verb} done`))
      if (seeds.length >= 100) expect(missing).toEqual([])
    },
    TIME_MS,
  )
})

const listed = (seen: ReadonlyMap<string, number>): string =>
  [...seen]
    .sort(([a], [b]) => a.localeCompare(b, 'en'))
    .map(([kind, n]) => `${kind} ${n}`)
    .join('; ')
