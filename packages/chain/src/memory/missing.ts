/** Missed periods and the end of a provider: the rules of ProofLedger.sol on the in-memory state. */
import {
  HoldfastError,
  larger,
  MISS_BLOCK,
  PERIODS_TO_AN_END,
  type Period,
  type ProviderId,
  period,
  periodDeadline,
} from '@holdfast/protocol'
import { finalBefore, isProven, provenBetween, providerState, writeMissed } from './marks.ts'
import { stop } from './registry.ts'
import { patchState, snapshotAt, stateOf } from './trees.ts'
import type { World } from './world.ts'

/** Its window is over, it had a seed and something to prove, and it is not marked. */
export const isMissed = (world: World, provider: ProviderId, of: Period): boolean => {
  if (world.time < periodDeadline(world.network, of) || !world.seeds.has(of)) return false
  return !isProven(world, provider, of) && snapshotAt(world, provider, of).weight !== 0n
}

const isWritten = (world: World, provider: ProviderId, of: Period): boolean =>
  stateOf(world, provider).missed.includes(of)

export const reportMissed = (world: World, provider: ProviderId, of: Period): void => {
  const open = finalBefore(world, provider)
  if (of < open) throw providerState(provider, `period ${of} is final`)
  const until = (open / MISS_BLOCK + 2n) * MISS_BLOCK
  if (of >= until) throw providerState(provider, `period ${of} is too far ahead (${until})`)
  if (world.time < periodDeadline(world.network, of)) {
    throw new HoldfastError({ code: 'NOTHING_TO_DO', reason: `period ${of} can still be proven` })
  }
  if (isWritten(world, provider, of)) {
    const reason = `period ${of} is written down as missed already`
    throw new HoldfastError({ code: 'NOTHING_TO_DO', reason })
  }
  if (!isMissed(world, provider, of)) throw providerState(provider, `it did not miss period ${of}`)
  writeMissed(world, provider, of)
}

const refusedEnd = (provider: ProviderId): HoldfastError =>
  providerState(provider, 'its missed periods do not end it')

export const terminateProvider = (
  world: World,
  provider: ProviderId,
  missed: readonly Period[],
): void => {
  const { terminatedAt } = stateOf(world, provider)
  if (terminatedAt !== undefined) throw providerState(provider, `it ended (${terminatedAt})`)
  const [first] = missed
  const last = missed.at(-1)
  if (BigInt(missed.length) !== PERIODS_TO_AN_END || first === undefined || last === undefined) {
    throw refusedEnd(provider)
  }
  for (const [i, of] of missed.entries()) {
    const before = missed[i - 1]
    if (before !== undefined && of <= before) throw refusedEnd(provider)
    if (isWritten(world, provider, of) || isMissed(world, provider, of)) continue
    throw providerState(provider, `it did not miss period ${of}`)
  }
  const at = period(last + 1n)
  const final = finalBefore(world, provider)
  const to = larger(final, at)
  if (provenBetween(world, provider, { from: first, to }).length > 0) throw refusedEnd(provider)
  patchState(world, provider, { terminatedAt: at })
  world.emit({ kind: 'provider-terminated', provider, at })
  stop(world, provider)
}
