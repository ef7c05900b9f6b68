/** One event of a watch as a line for people. */
import type { TokenInfo } from '@holdfast/chain'
import { formatAmount, printable } from '../ui/text.ts'
import type { Subject, WatchEvent } from './watch-events.ts'

const COIN_DECIMALS = 18

const about = ({ provider, deal, period }: Subject): string =>
  `period ${period}  ${provider}  ${deal === null ? 'all of it' : `deal ${deal.slice(0, 10)}…`}`

export const watchLine = (event: WatchEvent, { symbol, decimals }: TokenInfo): string => {
  const money = (units: bigint): string => `${formatAmount(units, decimals)} ${symbol}`
  switch (event.event) {
    case 'watching': {
      const budget = `gas ${formatAmount(event.gasBudget, COIN_DECIMALS)}, bonds ${money(event.bondBudget)}`
      const spends = event.disputes ? `budget per 30 periods: ${budget}` : 'without disputes'
      return `watching ${event.deals} deals of ${event.account} from period ${event.period}; ${spends}`
    }
    case 'checked': {
      const reason = 'reason' in event ? `: ${printable(event.reason)}` : ''
      return `${about(event)}  ${event.state}${reason}`
    }
    case 'disputed':
      return `${about(event)}  DISPUTED, challenge ${event.challenge}; ${money(event.bond)} at stake`
    case 'answered':
      return `${about(event)}  the provider showed the entry on chain; the bond of ${money(event.bond)} is its`
    case 'lost': {
      const reward = event.reward === null ? '' : `, ${money(event.reward)} of the slash is yours`
      return `${about(event)}  NOT ANSWERED: slashed; the bond is back${reward}`
    }
    case 'expired':
      return `${about(event)}  the dispute expired; the bond is back`
    case 'declared-lost':
      return `${about(event)}  the deal is declared lost: no longer paid; "holdfast repair" brings it back`
    case 'held-back':
      return `${about(event)}  not disputed: ${printable(event.reason)}`
    case 'failed':
      return `${about(event)}  could not ${event.action}: ${printable(event.reason)}`
    case 'trouble':
      return `trouble, trying again: ${printable(event.reason)}`
    case 'stopped': {
      const gas = formatAmount(event.gasUsed, COIN_DECIMALS)
      const seen = `${event.shown} shown, ${event.wrong} wrong, ${event.silent} silent`
      return `stopped: ${seen}; gas ${gas} of these 30 periods, ${money(event.bondsAtStake)} at stake`
    }
  }
}
