/**
 * The conformance suite of the ledger port: every adapter passes it. It is given a way to open a
 * harness and shares one among its tests; each test brings its own accounts, and time only moves on.
 */
import { afterAll, beforeAll, describe } from '@jest/globals'
import { auditSuite, committingSuite, lateAuditSuite } from './suite/committing.ts'
import { impossibleDealSuite, openingSuite, refusalSuite } from './suite/deals.ts'
import { dealDisputeSuite, disputeLimitSuite, disputeSuite } from './suite/disputes.ts'
import { followingSuite, interruptionSuite, lostBlockSuite, reorgSuite } from './suite/following.ts'
import { missingSuite, terminationSuite } from './suite/missing.ts'
import { provingSuite, timingSuite, wrongAnswerSuite } from './suite/proofs.ts'
import { extensionSuite, recoverySuite } from './suite/recovering.ts'
import { besideThePointSuite, lateAnswerSuite, refusalOrderSuite } from './suite/refusals.ts'
import { moneySuite, registrySuite, stakeSuite } from './suite/registry.ts'
import { endingSuite, faultSuite, paymentSuite } from './suite/settling.ts'
import { slashOnceSuite } from './suite/slashes.ts'
import type { Harness } from './support/harness.ts'

/** Declares the suite for one adapter. */
export const ledgerSuite = (name: string, open: () => Promise<Harness>): void => {
  describe(name, () => {
    let harness: Harness | undefined
    const source = (): Harness => {
      if (harness === undefined) throw new Error('the harness is not open')
      return harness
    }
    beforeAll(async () => {
      harness = await open()
    })
    afterAll(async () => {
      await harness?.close()
    })
    describe('money', () => moneySuite(source))
    describe('registry', () => registrySuite(source))
    describe('stake', () => stakeSuite(source))
    describe('opening', () => openingSuite(source))
    describe('refusing', () => refusalSuite(source))
    describe('impossible deals', () => impossibleDealSuite(source))
    describe('proving', () => provingSuite(source))
    describe('timing', () => timingSuite(source))
    describe('wrong answers', () => wrongAnswerSuite(source))
    describe('paying', () => paymentSuite(source))
    describe('ending', () => endingSuite(source))
    describe('faults', () => faultSuite(source))
    describe('committing', () => committingSuite(source))
    describe('audits', () => auditSuite(source))
    describe('late audits', () => lateAuditSuite(source))
    describe('disputes', () => disputeSuite(source))
    describe('slashes', () => slashOnceSuite(source))
    describe('limits of disputes', () => disputeLimitSuite(source))
    describe('disputes about deals', () => dealDisputeSuite(source))
    describe('late answers', () => lateAnswerSuite(source))
    describe('what is beside the point', () => besideThePointSuite(source))
    describe('the order of refusals', () => refusalOrderSuite(source))
    describe('missing', () => missingSuite(source))
    describe('terminations', () => terminationSuite(source))
    describe('recovery', () => recoverySuite(source))
    describe('extensions and notice', () => extensionSuite(source))
    describe('following', () => followingSuite(source))
    describe('interruptions', () => interruptionSuite(source))
    describe('reorganisations', () => reorgSuite(source))
    describe('lost blocks', () => lostBlockSuite(source))
  })
}
