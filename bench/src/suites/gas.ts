/**
 * What settlement costs in gas, from the receipts of real transactions on a chain process, beside the
 * incumbent: Filecoin's PDPVerifier with its warm-storage service and Filecoin Pay, whose published
 * contracts were run on the same chain program (figures and sources: docs/gas.md). Answers of disputes
 * and audits at 1 TiB and more are measured by the Solidity tests; their snapshots stand in for them.
 */
import { readFileSync } from 'node:fs'
import { type CaseResult, conclude, type Goal } from '../harness.ts'
import { SettlementNetwork } from '../settlement.ts'
import type { Suite } from '../suite.ts'

const DEALS = 100
const TIB = 2 ** 40
const WEEK = 7
const SNAPSHOTS = new URL(
  '../../../../packages/chain/contracts/snapshots/gas.json',
  import.meta.url,
)

/** Gas of the incumbent at 1 TiB in a data set. */
const INCUMBENT = 'PDPVerifier + FWSS 1.3.1 + Filecoin Pay V1'
const PROVE = 409_600 + 76_884
const OPEN = 725_700 + 414_000
const SETTLE = 116_953
const MONTH = 15_100_000

interface Figure {
  readonly name: string
  readonly ours: number
  readonly theirs?: number
  readonly goal?: Goal
  readonly rounds?: number
}

export const gasResult = ({ name, ours, theirs, goal, rounds = 1 }: Figure): CaseResult =>
  conclude(
    {
      ...{ name, unit: 'gas', better: 'less', clock: 'wall', scale: 1 },
      ...{ ours: { name: 'holdfast', work: 1, run: () => undefined }, peers: [] },
      ...{ check: () => undefined, ...(goal === undefined ? {} : { goal }) },
    },
    ours,
    theirs === undefined ? {} : { [INCUMBENT]: theirs },
    rounds,
  )

const atMost = (bound: number): Goal => ({ of: 'figure', bound })

/** Of a snapshot that the Solidity tests compare with what they measure. */
const snapshot = (gas: Readonly<Record<string, string>>, name: string): number => {
  const figure = gas[name]
  if (figure === undefined) throw new Error(`no snapshot has "${name}"`)
  return Number(figure)
}

/** 30 commitments, 30/7 settlements of all deals, an audit, and a hundredth of 30 seeds; for a TiB. */
const monthOf = (commit: number, week: number, audit: number, seed: number): number =>
  (30 * commit + (week * 30) / WEEK + audit + (30 * seed) / 100) / DEALS

const fromSnapshots = (gas: Readonly<Record<string, string>>): readonly CaseResult[] =>
  [
    ['prove-direct-5-at-1-tib', 'a direct proof of 5 answers at 1 TiB (snapshot)', 500_000],
    ['prove-direct-20-at-1-tib', 'a direct proof of 20 answers at 1 TiB (snapshot)', 1_750_000],
    ['answer-dispute-10k-deals-of-1-tib', 'the answer of a dispute at 1 TiB (snapshot)', 130_000],
    ['answer-dispute-10k-deals-of-128-tib', 'the same at 128 TiB (snapshot)', 145_000],
  ].map(([key, name, bound]) =>
    gasResult({
      name: String(name),
      ours: snapshot(gas, String(key)),
      goal: atMost(Number(bound)),
    }),
  )

export const gasSuite: Suite = {
  name: 'gas',
  about: 'what settlement costs, from receipts of a chain process, beside the incumbent',
  async *cases({ folder, say }) {
    const gas = JSON.parse(readFileSync(SNAPSHOTS, 'utf8')) as Record<string, string>
    say(`opening ${DEALS} deals of 1 TiB on a chain of its own`)
    const network = await SettlementNetwork.open(folder)
    try {
      await network.grow(DEALS, DEALS * TIB)
      const last = network.openGas.at(-1) ?? 0
      // Settled once, so that the week below finds nothing zero.
      for (let i = 0; i < 5; i++) await network.commitNext()
      await network.settle(network.deals)
      const weeks: { seed: number; commit: number }[] = []
      for (let i = 0; i < WEEK; i++) weeks.push(await network.commitNext())
      const commit = Math.max(...weeks.map((week) => week.commit))
      const seed = Math.max(...weeks.map((week) => week.seed))
      const week = await network.settle(network.deals)
      await network.commitNext()
      const one = await network.settle(network.deals.slice(0, 1))
      await network.commitNext()
      const ten = await network.settle(network.deals.slice(0, 10))
      const prove = { name: 'a period of 100 deals of 1 TiB', theirs: DEALS * PROVE }
      yield gasResult({ ...prove, ours: commit, goal: atMost(40_000), rounds: WEEK })
      const open = { name: 'opening a paid deal, all in', theirs: OPEN, goal: atMost(200_000) }
      yield gasResult({ ...open, ours: last })
      const single = { name: 'settling one deal', theirs: SETTLE, goal: atMost(50_000) }
      yield gasResult({ ...single, ours: one })
      const each = { name: 'settling each of ten', theirs: SETTLE, goal: atMost(16_000) }
      yield gasResult({ ...each, ours: ten / 10 })
      const seeding = { name: 'the seed of a period, for the whole network', goal: atMost(180_000) }
      yield gasResult({ ...seeding, ours: seed, rounds: WEEK })
      const month = monthOf(commit, week, snapshot(gas, 'audit-10-at-100-tib'), seed)
      const name = 'a TiB for a month, 100 TiB in 100 deals; the audit from a snapshot'
      yield gasResult({ name, ours: month, theirs: MONTH, goal: { of: 'ratio', bound: 200 } })
    } finally {
      await network.close()
    }
    yield* fromSnapshots(gas)
  },
}
