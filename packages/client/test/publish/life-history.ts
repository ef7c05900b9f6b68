/** What events say about a provider's periods: those that are marked, and those written down as missed. */
import type { LedgerEvent } from '@holdfast/chain'
import type { Period } from '@holdfast/protocol'

export interface PeriodHistory {
  /** Proven in either mode, and the mark was not taken back. */
  readonly proven: ReadonlySet<Period>
  readonly missed: ReadonlySet<Period>
}

export const historyOf = (events: readonly LedgerEvent[]): PeriodHistory => {
  const [proven, missed] = [new Set<Period>(), new Set<Period>()]
  for (const event of events) {
    if (event.kind === 'period-proven' || event.kind === 'period-committed')
      proven.add(event.period)
    if (event.kind === 'period-unmarked') proven.delete(event.period)
    if (event.kind === 'period-missed') missed.add(event.period)
  }
  return { proven, missed }
}
