/**
 * Removes bundles that nobody can ask for on chain any more: those older than the ring in which roots
 * and trees are kept. Looks after every block that is folded.
 */
import { type Logger, type Period, period, periodAt, RING_PERIODS } from '@holdfast/protocol'
import type { SettlementRules } from '../follow/chain-state.ts'
import type { Follower } from '../follow/follower.ts'
import type { BundleShelf } from './bundle-shelf.ts'

export interface KeepBundlesDependencies {
  readonly shelf: BundleShelf
  readonly follower: Follower
  readonly network: SettlementRules
  readonly logger: Logger
}

/** Runs until the signal fires. */
export const keepBundles = async (
  { shelf, follower, network, logger }: KeepBundlesDependencies,
  signal: AbortSignal,
): Promise<void> => {
  let kept: Period | undefined
  while (!signal.aborted) {
    const { cursor } = follower.state
    const now = cursor === undefined ? 0n : periodAt(network, cursor.timestamp)
    const first = period(now > BigInt(RING_PERIODS) ? now - BigInt(RING_PERIODS) : 0n)
    if (first !== kept) {
      kept = first
      await shelf.keepFrom(first).catch((error: unknown) => {
        logger.warn('old bundles could not be removed', { reason: String(error) })
      })
    }
    await follower.nextUpdate(signal)
  }
}
