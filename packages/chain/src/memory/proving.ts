/** Proving, in both modes, and answering audits: the rules of ProofLedger.sol on the in-memory state. */
import {
  type Address,
  globalChallenges,
  type Hash32,
  HoldfastError,
  type Period,
  type ProviderId,
  periodDeadline,
  periodStart,
  verifyAnswer,
  verifyBundleEntry,
} from '@holdfast/protocol'
import type {
  AnswerAuditParameters,
  CommitPeriodParameters,
  ProvePeriodParameters,
} from '../ledger.ts'
import { committedAt, contextOf, isProven, owedAudit, providerState } from './marks.ts'
import { checkHeld, invalid, patchState, snapshotAt, stateOf } from './trees.ts'
import { RING, type World } from './world.ts'

const checkOperator = (world: World, provider: ProviderId, sender: Address): void => {
  if (world.providers.get(provider)?.operator === sender) return
  const reason = `only the operator proves (${provider}, ${sender})`
  throw new HoldfastError({ code: 'UNAUTHORIZED', reason })
}

/** Refuses unless the provider may mark the period now, in either mode. */
const admit = (world: World, provider: ProviderId, of: Period): void => {
  if (world.time < periodStart(world.network, of)) {
    throw new HoldfastError({ code: 'SEED_MISSING', period: of })
  }
  const deadline = periodDeadline(world.network, of)
  if (world.time >= deadline) {
    throw new HoldfastError({ code: 'WINDOW_CLOSED', period: of, deadline })
  }
  contextOf(world, provider, of)
  const { last, terminatedAt } = stateOf(world, provider)
  if (terminatedAt !== undefined) throw providerState(provider, `it ended (${terminatedAt})`)
  if (last === undefined) return
  if (of <= last.period) {
    throw new HoldfastError({ code: 'NOTHING_TO_DO', reason: `period ${of} is proven already` })
  }
  const owed = owedAudit(world, provider)
  if (owed !== undefined) throw providerState(provider, `it owes an audit (${owed.period})`)
  checkHeld(world, provider, of)
}

const checkCount = (world: World, given: readonly unknown[]): void => {
  const count = world.network.directChallenges
  if (given.length === count) return
  throw invalid(`the number of answers is wrong (${count}, ${given.length})`)
}

const mark = (world: World, provider: ProviderId, of: Period, root: Hash32 | undefined): void => {
  const { proven, bundles, last, forceNext } = stateOf(world, provider)
  const follows = last?.period === of - 1n && isProven(world, provider, last.period)
  const places = Array.from({ length: RING }, (_, place) => bundles[place])
  places[Number(of % BigInt(RING))] = root
  const audited = root === undefined
  patchState(world, provider, {
    proven: [...proven, of],
    bundles: places,
    last: { period: of, audited, forced: !audited && (!follows || forceNext) },
    forceNext: false,
  })
}

export const provePeriod = (
  world: World,
  sender: Address,
  { provider, period: of, answers }: ProvePeriodParameters,
): void => {
  checkOperator(world, provider, sender)
  admit(world, provider, of)
  checkCount(world, answers)
  const tree = snapshotAt(world, provider, of)
  if (tree.weight === 0n) throw providerState(provider, 'its tree of that period is empty')
  const context = contextOf(world, provider, of)
  const positions = globalChallenges(context, answers.length, tree.weight)
  for (const [i, answer] of answers.entries()) verifyAnswer(tree, positions[i] ?? 0n, answer)
  mark(world, provider, of, undefined)
  world.emit({ kind: 'period-proven', provider, period: of })
}

export const commitPeriod = (
  world: World,
  sender: Address,
  { provider, period: of, root }: CommitPeriodParameters,
): void => {
  checkOperator(world, provider, sender)
  if (BigInt(root) <= 1n) throw invalid(`it is no bundle root (${root})`)
  admit(world, provider, of)
  mark(world, provider, of, root)
  world.emit({ kind: 'period-committed', provider, period: of, root })
}

export const answerAudit = (
  world: World,
  { provider, period: of, openings }: AnswerAuditParameters,
): void => {
  const owed = owedAudit(world, provider)
  if (owed?.period !== of) {
    throw new HoldfastError({ code: 'NOTHING_TO_DO', reason: `${provider} owes no audit of ${of}` })
  }
  checkCount(world, openings)
  const committed = committedAt(world, provider, of)
  if (committed === undefined) throw providerState(provider, 'the period is not committed')
  for (const [i, opening] of openings.entries()) {
    verifyBundleEntry(committed, { class: 'global', i }, opening)
  }
  patchState(world, provider, { last: { ...owed, audited: true } })
  world.emit({ kind: 'audit-answered', provider, period: of })
}
