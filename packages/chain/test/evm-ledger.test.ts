/** The EVM adapter passes the same suite on a real chain process, with real reorganisations. */
import { ledgerSuite } from './ledger-suite.ts'
import { openEvmHarness } from './support/evm-harness.ts'
import { describeWithAnvil } from './support/with-anvil.ts'

describeWithAnvil('EVM', () => {
  ledgerSuite('the ledger on a chain', openEvmHarness)
})
