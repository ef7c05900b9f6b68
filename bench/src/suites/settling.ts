/**
 * Whether settlement grows with what a provider has: the gas of a period and of settling a deal from 1
 * deal of a MiB to 10,000 deals of 128 TiB in all, on a chain process. Payloads exist as roots only;
 * every deal is really opened, a hundred to a block. The Solidity tests say the same for every pair of
 * count and weight.
 */
import type { CaseResult } from '../harness.ts'
import { SettlementNetwork } from '../settlement.ts'
import type { SuiteContext } from '../suite.ts'
import { gasResult } from './gas.ts'

const MIB = 2 ** 20
const STEPS = [
  { count: 2, total: MIB, label: '1 MiB in a deal' },
  { count: 10, total: 2 ** 30, label: '1 GiB in 10 deals' },
  { count: 100, total: 2 ** 40, label: '1 TiB in 100 deals' },
  { count: 1_000, total: 2 ** 44, label: '16 TiB in 1,000 deals' },
  { count: 10_000, total: 2 ** 47, label: '128 TiB in 10,000 deals' },
] as const

/** Periods after which the first of them is final. */
const FINAL_AFTER = 4

interface Step {
  readonly label: string
  readonly commit: number
  readonly settle: number
}

const measure = async (
  network: SettlementNetwork,
  { count, total, label }: (typeof STEPS)[number],
): Promise<Step> => {
  // The deal of one leaf that every network begins with is not counted.
  await network.grow(count, total)
  let commit = 0
  for (let i = 0; i < FINAL_AFTER; i++) commit = (await network.commitNext()).commit
  const settle = await network.settle(network.deals.slice(0, 1))
  return { label, commit, settle }
}

/** Each result says what the largest costs beside all others: a ratio of one is flat. */
const flat = (what: string, steps: readonly Step[], of: (step: Step) => number): CaseResult => {
  const [largest, ...others] = [...steps].reverse()
  if (largest === undefined) throw new Error('no steps')
  const result = gasResult({
    name: `${what} with ${largest.label} : with less; stays flat`,
    ours: of(largest),
    rounds: steps.length,
  })
  const peers = Object.fromEntries(others.map((step) => [step.label, of(step)]))
  const ratio = Math.min(...Object.values(peers)) / result.ours
  return { ...result, peers, ratio, goal: { of: 'ratio', bound: 1 }, holds: ratio >= 1 }
}

/** The cases, one network for all steps. */
export const settlingCases = async ({
  folder,
  say,
}: SuiteContext): Promise<readonly CaseResult[]> => {
  const network = await SettlementNetwork.open(folder)
  try {
    const steps: Step[] = []
    for (const step of STEPS) {
      say(`opening deals: ${step.label}`)
      steps.push(await measure(network, step))
    }
    return [
      flat('proving a period', steps, ({ commit }) => commit),
      flat('settling a deal', steps, ({ settle }) => settle),
    ]
  } finally {
    await network.close()
  }
}
