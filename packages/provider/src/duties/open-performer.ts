/** A performer as the configuration wants it; what may change while the node runs is asked each time. */
import type { NetworkParams } from '@holdfast/chain'
import type { LiveConfig } from '../live-config.ts'
import { GAS_BUDGETS } from '../proving-config.ts'
import { gasWorthOn, LastGasPrice } from './gas-worth.ts'
import type { GasWorth } from './money-duties.ts'
import { Performer, type PerformerDependencies } from './performer.ts'

const DAY = 86_400n

export const openPerformer = (
  dependencies: PerformerDependencies,
  { live, network }: { readonly live: LiveConfig; readonly network: NetworkParams },
): Performer => {
  const { provider, proving } = live.current
  const gasPrice = new LastGasPrice()
  const performer = new Performer(dependencies, {
    provider,
    schedule: network,
    mode: proving?.mode ?? 'commit',
    gasBudgets: proving?.gasBudgets ?? GAS_BUDGETS,
    get settleEvery() {
      return live.current.settleEvery ?? defaultSettleEvery(network)
    },
    settleBatchMax: 50,
    get gasWorth(): GasWorth | undefined {
      return gasWorthOn(network, live.current, gasPrice)
    },
  })
  performer.onPerformed((_duty, receipt) => gasPrice.note(receipt))
  return performer
}

/** On a network with short periods people want to see money; elsewhere once a week is enough. */
const defaultSettleEvery = ({ period }: NetworkParams): number =>
  period < 60n ? 1 : Math.max(1, Number((7n * DAY) / period))
