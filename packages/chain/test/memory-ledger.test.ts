import { ledgerSuite } from './ledger-suite.ts'
import { openMemoryHarness } from './support/memory-harness.ts'

ledgerSuite('the ledger in memory', openMemoryHarness)
