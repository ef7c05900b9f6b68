import { ledgerSuite } from './ledger-suite.ts'
import { openEvmHarness } from './support/evm-harness.ts'
import { describeWithAnvil } from './support/with-anvil.ts'

describeWithAnvil('EVM', () => {
  ledgerSuite('the ledger on a chain', openEvmHarness)
})
