/**
 * What the node believes gas and tokens to be worth, so that it does not pay more for settling a deal
 * than it is paid: the price of its own last transaction, and the operator's opinion of the token.
 *
 * The default takes a token for a unit of money and a coin for some thousands of them. Where that is
 * wrong, deals are settled later or earlier than need be; nothing is lost, because closing a deal
 * settles all of it.
 */
import type { NetworkParams, TxReceipt } from '@holdfast/chain'
import type { Address } from '@holdfast/protocol'
import type { ConfigReader } from '../config-reader.ts'
import type { GasWorth } from './money-duties.ts'

export interface SettlingConfig {
  /** What a whole token is worth, in wei. */
  readonly weiPerToken: bigint
  /** Most of the pay that may go into gas, in hundredths. */
  readonly gasPercentMax: number
}

export const SETTLING_DEFAULT: SettlingConfig = {
  weiPerToken: 400_000_000_000_000n,
  gasPercentMax: 5,
}

const WEI_MAX: bigint = 10n ** 30n

/** Reads `settling`: `{"weiPerToken":"wei","gasPercentMax":1..100}`, both optional. */
export const readSettlingConfig = (read: ConfigReader): SettlingConfig => ({
  weiPerToken: read.has('weiPerToken')
    ? read.integer('weiPerToken', WEI_MAX)
    : SETTLING_DEFAULT.weiPerToken,
  gasPercentMax: read.has('gasPercentMax')
    ? read.count('gasPercentMax', { min: 1, max: 100 })
    : SETTLING_DEFAULT.gasPercentMax,
})

/** The price of the last transaction, in wei; undefined before the first. */
export class LastGasPrice {
  #price: bigint | undefined

  get price(): bigint | undefined {
    return this.#price
  }

  note({ gasPrice }: Pick<TxReceipt, 'gasPrice'>): void {
    this.#price = gasPrice
  }
}

/** Networks whose periods are this short are for looking at: money is shown, whatever it costs. */
const PERIOD_SHOWN = 60n

/** What settling is measured by; undefined where every settlement is wanted. */
export const gasWorthOn = (
  { period, tokens }: NetworkParams,
  given: { readonly token: Address; readonly settling?: SettlingConfig | undefined },
  last: LastGasPrice,
): GasWorth | undefined => {
  if (given.settling === undefined && period < PERIOD_SHOWN) return undefined
  const { weiPerToken, gasPercentMax } = given.settling ?? SETTLING_DEFAULT
  const decimals = tokens.find(({ address }) => address === given.token)?.decimals ?? 0
  const tokenUnit = 10n ** BigInt(decimals)
  return { gasPrice: () => last.price, weiPerToken, tokenUnit, percentMax: gasPercentMax }
}
