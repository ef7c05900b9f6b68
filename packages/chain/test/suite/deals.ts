/** Conformance: opening deals, and every way to be refused. */

import {
  amount,
  type DealTerms,
  hash32,
  leaves,
  periods,
  rate,
  type Signature,
  type SlotPath,
  slotIndex,
  timestamp,
  ZERO_HASH,
} from '@holdfast/protocol'
import { expect, test } from '@jest/globals'
import {
  begin,
  codeOf,
  meet,
  PLENTY,
  randomHash,
  type Scenario,
  STAKE,
} from '../support/scenario.ts'
import type { HarnessSource } from './source.ts'

interface Attempt {
  readonly terms?: Partial<DealTerms>
  /** What is sent when it is not what was signed. */
  readonly sent?: Partial<DealTerms>
  readonly path?: SlotPath
  readonly client?: Signature
  readonly operator?: Signature
}

/** Opens as told; the scenario's tree stays as it is. */
const attempt = async (scenario: Scenario, how: Attempt): Promise<unknown> => {
  const terms = await scenario.terms(scenario.payload(), how.terms)
  const digest = hash32(scenario.idOf(terms))
  return scenario.operator.ledger.openDeal({
    terms: { ...terms, ...how.sent },
    clientSignature: how.client ?? (await scenario.publisher.signer.sign(digest)),
    providerSignature: how.operator ?? (await scenario.operator.signer.sign(digest)),
    path: how.path ?? scenario.tree.path(scenario.tree.freeSlot()),
  })
}

export const openingSuite = (source: HarnessSource): void => {
  test('opens a deal: record, escrow, collateral, events', async () => {
    const scenario = await begin(source())
    const { publisher, provider, token } = scenario
    const before = await publisher.ledger.balance(provider, token)
    const now = await scenario.now()
    const { id, terms, receipt, payload } = await scenario.open()
    const span = { start: now + 1n, end: now + 3n }
    expect(receipt.events).toEqual([
      { kind: 'deal-opened', deal: id, terms, slot: 0n, ...span },
      {
        ...{ kind: 'slot-changed', provider, slot: 0n, deal: id },
        ...{ root: scenario.tree.root, weight: payload.leaves },
      },
    ])
    expect(await publisher.ledger.deal(id)).toEqual({
      ...{ id, terms, state: 'active', slot: 0n, ...span, settledThrough: span.start },
      ...{ deposit: terms.deposit, escrow: terms.deposit, paid: 0n },
      ...{ faultedFrom: undefined, recoveredAt: undefined, lost: false },
    })
    const client = publisher.signer.address
    expect(await publisher.ledger.balance(client, token)).toBe(PLENTY / 2n - terms.deposit)
    expect(await publisher.ledger.balance(provider, token)).toBe(before - terms.collateral)
  })

  test('counts no more periods than the deposit pays for, nor than the term', async () => {
    const scenario = await begin(source())
    const short = await scenario.open({ periods: periods(1), deposit: amount(1_000_000n) })
    const deal = await scenario.publisher.ledger.deal(short.id)
    expect(deal?.end).toBe((deal?.start ?? 0n) + 1n)
  })

  test('finds deals by client, provider and dataset, oldest first', async () => {
    const scenario = await begin(source())
    const other = await begin(source())
    const dataset = randomHash()
    const first = await scenario.open({ dataset })
    const second = await scenario.open()
    const foreign = await other.open({ dataset })
    const { ledger } = scenario.publisher
    const ids = async (filter: Parameters<typeof ledger.deals>[0]) =>
      (await ledger.deals(filter)).map((deal) => deal.id)
    expect(await ids({ client: ledger.account })).toEqual([first.id, second.id])
    expect(await ids({ provider: scenario.provider })).toEqual([first.id, second.id])
    expect(await ids({ dataset })).toEqual([first.id, foreign.id])
    expect(await ids({ dataset, provider: other.provider })).toEqual([foreign.id])
    expect(await ids({ dataset: randomHash() })).toEqual([])
    expect(await ids({ client: ledger.account, dataset: ZERO_HASH })).toEqual([second.id])
  })

  test('knows nothing of deals that were not opened', async () => {
    const scenario = await begin(source())
    const id = scenario.idOf(await scenario.terms(scenario.payload()))
    const { ledger } = scenario.publisher
    expect(await ledger.deal(id)).toBeUndefined()
    expect(await codeOf(ledger.closeDeal(id))).toBe('DEAL_NOT_FOUND')
    expect(await codeOf(ledger.terminateDeal(id))).toBe('DEAL_NOT_FOUND')
    expect(await codeOf(ledger.settle([id]))).toBe('DEAL_NOT_FOUND')
  })

  test('grows the tree over many slots, whatever the order of sizes', async () => {
    const scenario = await begin(source())
    for (const size of [1, 1024, 1025, 7000, 2048]) await scenario.open({}, scenario.payload(size))
    expect(scenario.tree.depth).toBe(3)
    const next = await scenario.nextPeriod()
    expect(await scenario.publisher.ledger.snapshot(scenario.provider, next)).toEqual({
      ...{ root: scenario.tree.root, weight: scenario.tree.weight, depth: 3 },
    })
  })
}

export const refusalSuite = (source: HarnessSource): void => {
  test('refuses signatures of anybody else', async () => {
    const scenario = await begin(source())
    const stranger = (await source().account()).signer
    const forged = await stranger.sign(randomHash())
    expect(await codeOf(attempt(scenario, { client: forged }))).toBe('SIGNATURE_INVALID')
    expect(await codeOf(attempt(scenario, { operator: forged }))).toBe('SIGNATURE_INVALID')
  })

  test('refuses terms that differ from what was signed, in any field', async () => {
    const scenario = await begin(source())
    const fields: readonly Partial<DealTerms>[] = [
      { deposit: amount(9_999n) },
      { collateral: amount(4_999n) },
      { periods: periods(5) },
      { nonce: randomHash() },
      { dataset: randomHash() },
      { openBefore: timestamp((await source().time()) + 99_999n) },
    ]
    for (const sent of fields) {
      expect(await codeOf(attempt(scenario, { sent }))).toBe('SIGNATURE_INVALID')
    }
  })

  test('refuses the same deal twice', async () => {
    const scenario = await begin(source())
    const { terms } = await scenario.open()
    const digest = hash32(scenario.idOf(terms))
    const again = scenario.operator.ledger.openDeal({
      terms,
      clientSignature: await scenario.publisher.signer.sign(digest),
      providerSignature: await scenario.operator.signer.sign(digest),
      path: scenario.tree.path(scenario.tree.freeSlot()),
    })
    expect(await codeOf(again)).toBe('DEAL_EXISTS')
  })
}

export const impossibleDealSuite = (source: HarnessSource): void => {
  test('refuses terms that cannot be', async () => {
    const scenario = await begin(source())
    const wrong: readonly Partial<DealTerms>[] = [
      { openBefore: timestamp((await source().time()) - 1n) },
      { scheme: 2 },
      { periods: periods(0) },
      { deposit: amount(6_999n) },
      // One period at least is paid for, and periods have 32 bits.
      { deposit: amount(0n), notice: periods(0) },
      { deposit: amount(0n), rate: rate(0n), periods: periods((1n << 32n) - 1n) },
    ]
    for (const terms of wrong) {
      expect(await codeOf(attempt(scenario, { terms }))).toBe('TERMS_INVALID')
    }
  })

  test('refuses what client or provider cannot pay, and moves nothing', async () => {
    const scenario = await begin(source())
    const { token, publisher, provider } = scenario
    const rich = amount(PLENTY * 10n)
    expect(await codeOf(attempt(scenario, { terms: { deposit: rich } }))).toBe('FUNDS_INSUFFICIENT')
    const collateral = { terms: { collateral: rich } }
    expect(await codeOf(attempt(scenario, collateral))).toBe('FUNDS_INSUFFICIENT')
    const { ledger } = publisher
    expect(await ledger.balance(ledger.account, token)).toBe(PLENTY / 2n)
    expect(await ledger.balance(provider, token)).toBe(PLENTY / 2n - STAKE)
    expect(await ledger.deals({ provider })).toEqual([])
  })

  test('refuses slots that are taken, far away, or shown with a wrong path', async () => {
    const scenario = await begin(source())
    await scenario.open()
    await scenario.open()
    const sibling = { hash: randomHash(), weight: leaves(1n) }
    const taken = { ...scenario.tree.path(slotIndex(1n)) }
    const beyond = { slot: slotIndex(9n), siblings: [] }
    const wrong = { slot: slotIndex(2n), siblings: [sibling, sibling] }
    const short = { slot: slotIndex(2n), siblings: [] }
    for (const path of [taken, beyond, wrong, short]) {
      expect(await codeOf(attempt(scenario, { path }))).toBe('PROOF_INVALID')
    }
  })

  test('refuses deals with a provider that is unknown or takes none', async () => {
    const scenario = await meet(source())
    await scenario.publisher.ledger.deposit(scenario.token, PLENTY)
    expect(await codeOf(attempt(scenario, {}))).toBe('PROVIDER_NOT_FOUND')
    await scenario.owner.ledger.deposit(scenario.token, PLENTY)
    const closed = scenario.settings({ accepting: false })
    await scenario.owner.ledger.registerProvider(closed, STAKE)
    expect(await codeOf(attempt(scenario, {}))).toBe('PROVIDER_STATE')
  })
}
