/** The in-memory adapter passes the conformance suite of the ledger port. */
import { ledgerSuite } from './ledger-suite.ts'
import { openMemoryHarness } from './support/memory-harness.ts'

ledgerSuite('the ledger in memory', openMemoryHarness)
