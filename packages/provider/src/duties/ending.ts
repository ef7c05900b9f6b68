/**
 * Performs the duties that end an audit or a dispute which cannot be shown any more: the ledger is
 * asked which periods had a seed, since the state forgets them after a few.
 */
import type { ProviderLedger, SendOptions, TxReceipt } from '@holdfast/chain'
import {
  auditEnding,
  disputeEnding,
  EXPIRY_PERIODS,
  HoldfastError,
  type Logger,
  type Period,
  type ProviderId,
  period,
  periodAt,
  type Timestamp,
} from '@holdfast/protocol'
import type { DutyOf } from './duty.ts'

export interface EndingDependencies {
  readonly ledger: Pick<ProviderLedger, 'slashAudit' | 'slashTimeout' | 'seed' | 'network'>
  readonly logger: Logger
}

/** @throws HoldfastError `PROVIDER_STATE` while the ledger would refuse it, and as the ledger does. */
export const endAudit = async (
  { ledger, logger }: EndingDependencies,
  { provider, now }: { readonly provider: ProviderId; readonly now: Timestamp },
  { period: audited }: DutyOf<'end-audit'>,
  options: SendOptions,
): Promise<TxReceipt> => {
  const current = periodAt(ledger.network, now)
  const hasSeed = await seedsFrom(ledger, period(audited + 1n), current)
  const usable = auditEnding({ audited, now: current, hasSeed })
  if (usable === undefined) throw tooEarly(provider)
  logger.error('an audit cannot be shown: it is ended', { period: audited, usable })
  return ledger.slashAudit(provider, usable, options)
}

/** @throws HoldfastError `PROVIDER_STATE` while the ledger would refuse it, and as the ledger does. */
export const endDispute = async (
  { ledger, logger }: EndingDependencies,
  now: Timestamp,
  { entry, openedAt }: DutyOf<'end-dispute'>,
  options: SendOptions,
): Promise<TxReceipt> => {
  const { network } = ledger
  const hasSeed = await seedsFrom(ledger, periodAt(network, openedAt), periodAt(network, now))
  const usable = disputeEnding(network, { openedAt, now, hasSeed })
  if (usable === undefined) throw tooEarly(entry.provider)
  logger.error('a dispute cannot be answered: it is ended', { period: entry.period, usable })
  return ledger.slashTimeout(entry, usable, options)
}

/** Asks about the 30 periods from `first` on that are over. */
const seedsFrom = async (
  ledger: EndingDependencies['ledger'],
  first: Period,
  current: Period,
): Promise<(of: Period) => boolean> => {
  const seeded = new Set<Period>()
  for (let p = first; p < current && p < first + BigInt(EXPIRY_PERIODS); p = period(p + 1n)) {
    if ((await ledger.seed(p)) !== undefined) seeded.add(p)
  }
  return (of) => seeded.has(of)
}

const tooEarly = (provider: ProviderId): HoldfastError =>
  new HoldfastError({
    code: 'PROVIDER_STATE',
    provider,
    reason: 'too few periods with a seed have passed to end what it cannot show',
  })
