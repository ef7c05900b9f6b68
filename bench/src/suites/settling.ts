/**
 * Whether settlement grows with what a provider has: the gas of a period and of settling a deal from 1
 * deal of a MiB to 10,000 deals of 128 TiB in all, on a chain process. Payloads exist as roots only. A
 * thousand deals are opened one by one; for ten thousand, which would take some ten minutes, the tree
 * that they would leave is written into the ledger's storage. A second network, planted where the first
 * was opened, must cost the same to the unit. The Solidity tests say the same for every pair of count
 * and weight.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
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
  { count: 10_000, total: 2 ** 47, label: '128 TiB in 10,000 deals, planted' },
] as const

/** More deals than these are not opened one by one. */
const OPENED_MAX = 1_000

/** Where a planted tree is held against an opened one. */
const COMPARED = 100

/** What a byte of calldata that is not zero costs more than one that is. */
const BYTE_GAS = 12

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
  openedMax: number = OPENED_MAX,
): Promise<Step> => {
  // The deal of one leaf that every network begins with is not counted.
  if (count <= openedMax) await network.grow(count, total)
  else await network.plant(count, total)
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

/** The id of the settled deal is calldata: without its zero bytes networks can be compared. */
const withoutZeros = (settle: number, id: string): number =>
  settle + BYTE_GAS * (id.slice(2).match(/../g) ?? []).filter((byte) => byte === '00').length

/** The same steps with a tree that is planted in the end, and what it costs beside the opened one. */
const plantedCases = async (
  folder: string,
  opened: Step,
  openedDeal: string,
): Promise<readonly CaseResult[]> => {
  mkdirSync(folder, { recursive: true })
  const network = await SettlementNetwork.open(folder)
  try {
    let planted: Step | undefined
    for (const step of STEPS.filter(({ count }) => count <= COMPARED)) {
      planted = await measure(network, step, COMPARED - 1)
    }
    const [deal] = network.deals
    if (planted === undefined || deal === undefined) throw new Error('nothing was planted')
    const equal = (what: string, ours: number, theirs: number): CaseResult => {
      const result = gasResult({ name: `${what} with a planted tree : an opened one; equal`, ours })
      const goal = { of: 'ratio', bound: 1 } as const
      return {
        ...result,
        peers: { opened: theirs },
        ratio: theirs / ours,
        goal,
        holds: ours === theirs,
      }
    }
    const [ours, theirs] = [
      withoutZeros(planted.settle, deal),
      withoutZeros(opened.settle, openedDeal),
    ]
    return [
      equal('proving a period', planted.commit, opened.commit),
      equal('settling a deal', ours, theirs),
    ]
  } finally {
    await network.close()
  }
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
    const [compared, [deal]] = [STEPS.findIndex(({ count }) => count === COMPARED), network.deals]
    const opened = steps[compared]
    if (opened === undefined || deal === undefined) throw new Error('nothing was opened')
    say(`planting ${COMPARED} deals on a chain of their own`)
    return [
      flat('proving a period', steps, ({ commit }) => commit),
      flat('settling a deal', steps, ({ settle }) => settle),
      ...(await plantedCases(join(folder, 'planted'), opened, deal)),
    ]
  } finally {
    await network.close()
  }
}
