/**
 * A whole period of a provider with a thousand deals over 100 GiB: every global and deal challenge
 * that the protocol derives, answered as the provider does it. For the suite `prove`.
 */
import { closeSync, ftruncateSync, openSync } from 'node:fs'
import { join } from 'node:path'
import {
  bytes,
  dealChallenges,
  globalChallenges,
  hash32,
  leafIndex,
  leavesFor,
} from '@holdfast/protocol'
import { type AnswerJob, type AnswerOutcome, keptLayersLength, type Prover } from '@holdfast/prover'
import { mustEqual } from './data.ts'
import type { BenchCase } from './harness.ts'
import { checkOutcomes, type Stored } from './stored.ts'
import type { SuiteContext } from './suite.ts'

const GIB = 2 ** 30
/** Challenges of every deal in a period. */
const CHALLENGES = 5
const DEALS = 1000
const DEAL_BYTES = Math.floor((100 * GIB) / DEALS)

/** A thousand payloads in one sparse file of 100 GiB, each with layers of its own. */
const thousandDeals = async (
  { folder, say }: SuiteContext,
  prover: Prover,
): Promise<readonly Stored[]> => {
  const path = join(folder, 'sector')
  const layersPath = join(folder, 'sector.layers')
  const fd = openSync(path, 'w')
  ftruncateSync(fd, DEALS * DEAL_BYTES)
  closeSync(fd)
  say('committing to a thousand payloads, 100 GiB, sparse')
  const length = bytes(DEAL_BYTES)
  const kept = keptLayersLength(length)
  const stored: Stored[] = []
  for (let i = 0; i < DEALS; i++) {
    const payload = { path, offset: bytes(i * DEAL_BYTES), length }
    const place = { path: layersPath, offset: bytes(BigInt(i) * kept) }
    const commitment = await prover.commitFile(payload, { layers: place })
    stored.push({ payload, layers: { ...place, length: kept }, commitment })
  }
  return stored
}

/** Everything that one period asks of that provider, in payload order. */
const periodJobs = (deals: readonly Stored[]): readonly AnswerJob[] => {
  const context = {
    chainId: 1n,
    proofs: `0x${'11'.repeat(20)}`,
    provider: `0x${'22'.repeat(20)}`,
    period: 7n,
    seed: hash32(`0x${'33'.repeat(32)}`),
  } as unknown as Parameters<typeof globalChallenges>[0]
  const each = leavesFor(bytes(DEAL_BYTES))
  const wanted = deals.map((_, i) => {
    const deal = `0x${i.toString(16).padStart(64, '0')}` as Parameters<typeof dealChallenges>[1]
    return [...dealChallenges(context, deal, CHALLENGES, each)]
  })
  const weight = (each * BigInt(DEALS)) as typeof each
  for (const position of globalChallenges(context, 460, weight)) {
    wanted[Number(position / each)]?.push(leafIndex(position % each))
  }
  return deals.map((deal, i) => ({ ...deal, indices: wanted[i] ?? [] }))
}

export const periodCase = async (context: SuiteContext, prover: Prover): Promise<BenchCase> => {
  const jobs = periodJobs(await thousandDeals(context, prover))
  const answers = jobs.reduce((sum, { indices }) => sum + indices.length, 0)
  let checked: readonly AnswerOutcome[] = []
  const run = async (): Promise<number> => {
    let count = 0
    const seen: AnswerOutcome[] = []
    for await (const outcome of prover.answerEach(jobs)) {
      count += outcome.ok ? outcome.proofs.length : 0
      if (checked.length === 0) seen.push(outcome)
    }
    if (checked.length === 0) checked = seen
    return count
  }
  return {
    name: 'one period: 1,000 deals, 100 GiB, warm; answers per second and core',
    unit: 'answers/s',
    better: 'more',
    clock: 'process',
    scale: 1,
    ours: { name: prover.engine, work: answers, run },
    peers: [],
    check: (result) => {
      mustEqual(result, answers, 'the period')
      checkOutcomes(
        checked.filter((_, i) => i % 50 === 0),
        jobs.filter((_, i) => i % 50 === 0),
      )
    },
    goal: { of: 'figure', bound: 8000, stretch: 15_000 },
  }
}
