/**
 * Performs a prove duty in commit mode: makes the period's bundle, durable in the home before
 * anything is sent, checks a sample of it with the contracts' own rule, and sends its root.
 *
 * Invariants: a bundle with absent entries is not committed; what was found damaged on the way is
 * written down, and the next duties follow from that; a bundle that cannot be kept (disk full) is
 * not committed either: the period is proven in direct mode.
 */
import type { ProviderLedger, SendOptions, TxReceipt } from '@holdfast/chain'
import {
  BUNDLE_GLOBALS,
  BUNDLE_PER_DEAL,
  bundleEntryAt,
  bundleOrder,
  HoldfastError,
  type Logger,
  type ProviderId,
  verifyBundleEntry,
} from '@holdfast/protocol'
import type { StoredBundle } from '@holdfast/prover'
import type { BundleDesk } from '../bundles/bundle-desk.ts'
import type { BundleShelf, BundleWanted } from '../bundles/bundle-shelf.ts'
import type { Holdings } from '../holdings.ts'
import type { PromiseBook } from '../journal/promise-book.ts'
import type { DutyOf } from './duty.ts'

export interface CommittingDependencies {
  readonly ledger: Pick<ProviderLedger, 'commitPeriod' | 'network'>
  readonly bundles: BundleDesk
  readonly shelf: BundleShelf
  readonly holdings: Holdings
  readonly book: PromiseBook
  readonly logger: Logger
}

/** Entries that are checked before gas is spent: those an audit asks for, and so many others. */
const SAMPLE_OTHERS = 16n

export type Committed = TxReceipt | 'damaged' | 'not-kept'

/** @throws HoldfastError what the ledger throws: `WINDOW_CLOSED`, `PROVIDER_STATE` … */
export const commitPeriod = async (
  dependencies: CommittingDependencies,
  provider: ProviderId,
  { period }: DutyOf<'prove'>,
  options: SendOptions,
): Promise<Committed> => {
  const { ledger, book, bundles } = dependencies
  const wanted = bundles.wanted(period)
  const bundle = await makeWhole(dependencies, wanted)
  if (typeof bundle === 'string') return bundle
  await checkSample(wanted, bundle, ledger.network.directChallenges)
  await book.record({ kind: 'proof-sending', period })
  const receipt = await ledger.commitPeriod({ provider, period, root: bundle.root }, options)
  await book.record({ kind: 'proof-sent', period, transaction: receipt.transaction })
  return receipt
}

/** One that was made while bytes were lost is made again: they may be back. */
const makeWhole = async (
  { bundles, shelf, holdings, logger }: CommittingDependencies,
  wanted: BundleWanted,
): Promise<StoredBundle | 'damaged' | 'not-kept'> => {
  const { period } = wanted.context
  try {
    let made = await bundles.make(period)
    if (made.bundle.absent > 0n && made.damaged.length === 0) {
      await shelf.drop(wanted, 'it lacks answers')
      made = await bundles.make(period)
    }
    for (const damage of made.damaged) await holdings.suspect(damage.root, damage)
    return made.bundle.absent > 0n ? 'damaged' : made.bundle
  } catch (error) {
    if (!HoldfastError.is(error, 'DISK_FULL') && !HoldfastError.is(error, 'INPUT_UNREADABLE')) {
      throw error
    }
    logger.error('bundle not kept: proving in direct mode', { period, reason: error.message })
    return 'not-kept'
  }
}

/** @throws HoldfastError `PROOF_INVALID`: our own fault, and better known now than in a dispute. */
const checkSample = async (
  { context, tree }: BundleWanted,
  bundle: StoredBundle,
  audited: number,
): Promise<void> => {
  const committed = { root: bundle.root, context, tree }
  const order = bundleOrder(tree)
  const first = Array.from({ length: audited }, (_, i) => BigInt(i))
  const step = (bundle.count - BUNDLE_GLOBALS) / SAMPLE_OTHERS + BUNDLE_PER_DEAL - 1n
  const indices = [...first]
  for (let index = BUNDLE_GLOBALS; index < bundle.count; index += step) indices.push(index)
  for (const index of indices) {
    verifyBundleEntry(committed, bundleEntryAt(order, index), await bundle.entry(index))
  }
}
