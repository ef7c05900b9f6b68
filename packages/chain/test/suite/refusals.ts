/**
 * Conformance: which refusal is given when several are due, or when what is asked for is beside the
 * point. Found by reading the adapters side by side; each was given differently by the two.
 */
import {
  address,
  amount,
  type BundleQuestion,
  leafIndex,
  leaves,
  type Period,
  period,
  periods,
  type SlotPath,
  slotIndex,
  ZERO_ADDRESS,
} from '@holdfast/protocol'
import { expect, test } from '@jest/globals'
import { begin, codeOf, PLENTY } from '../support/scenario.ts'
import { standing } from './committing.ts'
import { entryOf, openGlobal, outwait, QUESTION, SLASH, story } from './disputes.ts'
import type { HarnessSource } from './source.ts'

const LONG = { periods: periods(40), deposit: amount(200_000n) }
const UNKNOWN_TOKEN = address(`0x${'77'.repeat(20)}`)

export const besideThePointSuite = (source: HarnessSource): void => {
  test('an audit of another period than the owed one is not owed, whatever is shown for it', async () => {
    const scenario = await begin(source())
    const { provider, operator } = scenario
    await scenario.open(LONG)
    const of = await scenario.nextPeriod()
    const bundle = await scenario.commit(of)
    const openings = bundle.audit(scenario.harness.network.directChallenges)
    const show = (about: Period) =>
      codeOf(operator.ledger.answerAudit({ provider, period: about, openings }))
    expect(await show(period(of - 1n))).toBe('NOTHING_TO_DO')
    expect(await show(period(of + 1n))).toBe('NOTHING_TO_DO')
    await scenario.showAudit(of, bundle)
    expect(await show(period(of - 1n))).toBe('NOTHING_TO_DO')
  })

  test('money of a token that the vault does not take is refused for that', async () => {
    const { publisher, token } = await begin(source())
    const { ledger } = publisher
    expect(await codeOf(ledger.deposit(UNKNOWN_TOKEN, amount(1n)))).toBe('TERMS_INVALID')
    expect(await codeOf(ledger.claim(UNKNOWN_TOKEN, ledger.account))).toBe('TERMS_INVALID')
    expect(await codeOf(ledger.deposit(token, amount(PLENTY * 2n)))).toBe('FUNDS_INSUFFICIENT')
  })

  test('figures with more bits than the chain takes are refused as such', async () => {
    const of = await story(source, [])
    const { ledger } = of.scenario.publisher
    const wide: BundleQuestion = { class: 'global', i: 2 ** 32 }
    const entry = entryOf(of, wide)
    const opening = of.committed.bundle.opening(QUESTION)
    const refused = [
      ledger.openDispute({ ...entry, membership: undefined }),
      ledger.answerDispute(entry, opening),
      ledger.slashTimeout(entry, []),
      ledger.topUp(of.deal.id, amount(1n << 128n)),
    ]
    for (const one of refused) expect(await codeOf(one)).toBe('UNIT_INVALID')
  })

  test('who names the zero address as beneficiary names nobody', async () => {
    const scenario = await begin(source())
    const { owner, provider } = scenario
    const settings = scenario.settings({ beneficiary: ZERO_ADDRESS })
    await owner.ledger.updateProvider(provider, settings)
    expect((await owner.ledger.provider(provider))?.beneficiary).toBeUndefined()
  })
}

/** Every sibling as heavy as a word can say. */
const heavy = (path: SlotPath): SlotPath => ({
  slot: path.slot,
  siblings: path.siblings.map(({ hash }) => ({ hash, weight: leaves((1n << 64n) - 1n) })),
})

export const refusalOrderSuite = (source: HarnessSource): void => {
  test('a slot path leads into the tree and nowhere else', async () => {
    const of = await story(source, [])
    const { scenario, deal } = of
    const { ledger } = scenario.publisher
    const question: BundleQuestion = { class: 'deal', deal: deal.id, i: 0 }
    const { leaf, path } = scenario.membership(deal)
    const beyond = { ...path, slot: slotIndex(path.slot + 2n ** BigInt(path.siblings.length)) }
    for (const wrong of [beyond, heavy(path)]) {
      const membership = { leaf, path: wrong }
      const refused = ledger.openDispute({ ...entryOf(of, question), membership })
      expect(await codeOf(refused)).toBe('PROOF_INVALID')
    }
    const fault = scenario.operator.ledger.declareFault(deal.id, heavy(path))
    expect(await codeOf(fault)).toBe('PROOF_INVALID')
  })

  test('an opened leaf is judged by its place among the openings', async () => {
    const scenario = await begin(source())
    const deal = await scenario.open(LONG, scenario.payload(9_000))
    await scenario.open(LONG)
    const of = await scenario.proveNext()
    const path = scenario.tree.path(deal.path.slot)
    await scenario.operator.ledger.declareFault(deal.id, path)
    scenario.freeSlot(deal.path.slot)
    const right = await scenario.recovery(of, deal)
    const openings = right.map((opening) => ({ ...opening, index: leafIndex(0n) }))
    const empty = scenario.tree.path(deal.path.slot)
    await scenario.operator.ledger.recoverDeal({ deal: deal.id, path: empty, openings })
    expect((await scenario.publisher.ledger.deal(deal.id))?.state).toBe('active')
  })

  test('while a dispute holds the tree, that is what is said, before any path is looked at', async () => {
    const of = await story(source, [])
    const { scenario, deal, committed } = of
    await openGlobal(of)
    await scenario.enter(period(committed.period + 8n))
    const wrong = heavy(scenario.tree.path(deal.path.slot))
    const { ledger } = scenario.operator
    expect(await codeOf(ledger.declareFault(deal.id, wrong))).toBe('PROVIDER_STATE')
    const another = scenario.open({}, scenario.payload())
    expect(await codeOf(another)).toBe('PROVIDER_STATE')
    const opening = committed.bundle.opening(QUESTION)
    await scenario.owner.ledger.answerDispute(entryOf(of, QUESTION), opening)
    expect(await codeOf(ledger.declareFault(deal.id, wrong))).toBe('PROOF_INVALID')
  })
}

export const lateAnswerSuite = (source: HarnessSource): void => {
  test('an answer after its time is as good as one in time, until somebody slashes', async () => {
    const second: BundleQuestion = { class: 'global', i: 8 }
    const of = await story(source, [])
    const { scenario, committed, deal } = of
    const { ledger } = scenario.publisher
    await openGlobal(of)
    await openGlobal(of, second)
    const usable = await outwait(of)
    const { openedAt = 0n } = (await ledger.dispute(entryOf(of, QUESTION))) ?? {}
    const { answerTime } = scenario.harness.network
    expect((await ledger.tip()).timestamp).toBeGreaterThan(openedAt + answerTime)
    const answer = (question: BundleQuestion) =>
      scenario.owner.ledger.answerDispute(entryOf(of, question), committed.bundle.opening(question))
    await answer(QUESTION)
    const tooLate = ledger.slashTimeout(entryOf(of, QUESTION), [usable])
    expect(await codeOf(tooLate)).toBe('DISPUTE_STATE')
    const { events } = await ledger.slashTimeout(entryOf(of, second), [usable])
    expect(events).toContainEqual(expect.objectContaining({ kind: 'dispute-lost', slashed: SLASH }))
    expect(await codeOf(answer(second))).toBe('DISPUTE_STATE')
    await scenario.finalise()
    await ledger.settle([deal.id])
    // The disputed period was lost by the second question, the one before it is paid.
    expect((await ledger.deal(deal.id))?.paid).toBe(3_500n)
  })

  test('an audit that is shown after it could be slashed is shown; the mark and the stake stay', async () => {
    const scenario = await begin(source())
    const { provider, publisher } = scenario
    await scenario.open(LONG)
    const of = await scenario.nextPeriod()
    const bundle = await scenario.commit(of)
    const usable = await scenario.nextPeriod()
    await scenario.harness.postSeed(usable)
    await scenario.nextPeriod()
    const { audit } = await standing(scenario)
    const now = (await publisher.ledger.tip()).timestamp
    expect(now >= (audit?.dueAt ?? now + 1n)).toBe(true)
    const before = await publisher.ledger.provider(provider)
    await scenario.showAudit(of, bundle)
    expect(await codeOf(publisher.ledger.slashAudit(provider, usable))).toBe('NOTHING_TO_DO')
    expect(await publisher.ledger.proven(provider, of, period(of + 1n))).toEqual([of])
    expect(await publisher.ledger.provider(provider)).toEqual(before)
  })
}
