/**
 * Three hundred and more random histories told to the contracts on a chain and to the ledger in
 * memory. A seed that fails is printed with its whole story; `HOLDFAST_SEED=<n>` tells that one alone,
 * the same way again. `HOLDFAST_HISTORIES=<n>` tells so many under each of the rules.
 */
import { expect, test } from '@jest/globals'
import { describeWithAnvil } from '../support/with-anvil.ts'
import { openStage, RULES } from './histories.ts'
import { tellHistory } from './history.ts'

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

describeWithAnvil('the ledger in memory and the contracts', () => {
  test.each(RULES.map((rules, i) => [i, rules] as const))(
    'say the same of every history under rules %i',
    async (index, rules) => {
      const seeds = seedsOf(index)
      if (seeds.length === 0) return
      const stage = await openStage(rules)
      const seen = new Map<string, number>()
      try {
        for (const seed of seeds) {
          const { counts } = await tellHistory(stage, seed, STEPS)
          if (seed % 20 === 19) process.stdout.write(`history ${seed} and those before it\n`)
          for (const [kind, n] of counts) seen.set(kind, (seen.get(kind) ?? 0) + n)
        }
      } finally {
        await stage.close()
      }
      const total = [...seen.values()].reduce((sum, n) => sum + n, 0)
      process.stdout.write(`${seeds.length} histories, ${total} steps: ${listed(seen)}\n`)
      expect(total).toBeGreaterThanOrEqual(seeds.length * STEPS)
      // Many histories reach everything: what none of them did was not compared.
      if (seeds.length >= 100)
        expect(DONE.split(' ').filter((verb) => !seen.has(`${verb} done`))).toEqual([])
    },
  )
})

const listed = (seen: ReadonlyMap<string, number>): string =>
  [...seen]
    .sort(([a], [b]) => a.localeCompare(b, 'en'))
    .map(([kind, n]) => `${kind} ${n}`)
    .join('; ')
