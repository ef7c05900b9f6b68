/** Conformance: providers and their stake, money in and out. */

import { address, amount, ZERO_ADDRESS } from '@holdfast/protocol'
import { expect, test } from '@jest/globals'
import { begin, codeOf, meet, PLENTY, STAKE } from '../support/scenario.ts'
import type { HarnessSource } from './source.ts'

const UNKNOWN_TOKEN = address(`0x${'77'.repeat(20)}`)

export const moneySuite = (source: HarnessSource): void => {
  test('deposits and withdraws to the unit', async () => {
    const { publisher, token } = await meet(source())
    const { ledger } = publisher
    const receipt = await ledger.deposit(token, amount(700n))
    expect(receipt.gasUsed * receipt.gasPrice).toBeGreaterThan(0n)
    expect(receipt.events).toEqual([
      { kind: 'deposited', owner: ledger.account, token, amount: 700n },
    ])
    await ledger.withdraw(token, amount(200n))
    expect(await ledger.balance(ledger.account, token)).toBe(500n)
    expect(await ledger.tokenBalance(ledger.account, token)).toBe(PLENTY - 500n)
    expect(await ledger.gasBalance(ledger.account)).toBeGreaterThan(0n)
  })

  test('refuses to move money that is not there', async () => {
    const { publisher, token } = await meet(source())
    const { ledger } = publisher
    expect(await codeOf(ledger.deposit(token, amount(PLENTY + 1n)))).toBe('FUNDS_INSUFFICIENT')
    expect(await codeOf(ledger.withdraw(token, amount(1n)))).toBe('FUNDS_INSUFFICIENT')
    expect(await codeOf(ledger.withdraw(UNKNOWN_TOKEN, amount(1n)))).toBe('TERMS_INVALID')
    expect(await codeOf(ledger.balance(ledger.account, UNKNOWN_TOKEN))).toBe('TERMS_INVALID')
    expect(await codeOf(ledger.deposit(token, amount(0n)))).toBe('TX_REVERTED')
  })
}

export const registrySuite = (source: HarnessSource): void => {
  test('registers a provider with everything it said', async () => {
    const scenario = await begin(source())
    const { owner, provider } = scenario
    const record = await owner.ledger.provider(provider)
    expect(record).toEqual({ ...scenario.settings(), provider, stake: STAKE })
    expect(await owner.ledger.providers()).toContainEqual(record)
    const free = await owner.ledger.balance(provider, scenario.token)
    expect(free).toBe(PLENTY / 2n - STAKE)
  })

  test('knows nothing of providers that are not registered', async () => {
    const { publisher } = await meet(source())
    expect(await publisher.ledger.provider(publisher.signer.address)).toBeUndefined()
  })

  test('refuses a second registration and an operator that is taken', async () => {
    const scenario = await begin(source())
    const again = scenario.owner.ledger.registerProvider(scenario.settings(), STAKE)
    expect(await codeOf(again)).toBe('PROVIDER_STATE')
    const other = await meet(source())
    await other.owner.ledger.deposit(other.token, STAKE)
    const settings = other.settings({ operator: scenario.operator.signer.address })
    expect(await codeOf(other.owner.ledger.registerProvider(settings, STAKE))).toBe(
      'PROVIDER_STATE',
    )
  })

  test('refuses settings that cannot work', async () => {
    const scenario = await meet(source())
    const { ledger } = scenario.owner
    await ledger.deposit(scenario.token, STAKE)
    for (const wrong of [
      { endpoint: '' },
      { endpoint: 'x'.repeat(256) },
      { region: 'x'.repeat(65) },
      { operator: ZERO_ADDRESS },
      { token: UNKNOWN_TOKEN },
    ]) {
      const refused = ledger.registerProvider(scenario.settings(wrong), STAKE)
      expect(await codeOf(refused)).toBe('TERMS_INVALID')
    }
    expect(await ledger.provider(scenario.provider)).toBeUndefined()
  })
}

export const stakeSuite = (source: HarnessSource): void => {
  test('takes stake from the vault only, and not below the minimum', async () => {
    const scenario = await meet(source())
    const { ledger } = scenario.owner
    const register = (stake: bigint) => ledger.registerProvider(scenario.settings(), amount(stake))
    expect(await codeOf(register(1n))).toBe('FUNDS_INSUFFICIENT')
    expect(await codeOf(register(STAKE))).toBe('FUNDS_INSUFFICIENT')
    await ledger.deposit(scenario.token, amount(STAKE * 2n))
    await register(STAKE)
    const { events } = await ledger.addStake(amount(STAKE))
    expect(events).toEqual([
      { kind: 'stake-changed', provider: scenario.provider, stake: STAKE * 2n },
    ])
    expect(await codeOf(ledger.addStake(amount(1n)))).toBe('FUNDS_INSUFFICIENT')
  })

  test('gives stake back only to a provider that is done', async () => {
    const scenario = await begin(source())
    const { ledger } = scenario.owner
    expect(await codeOf(ledger.withdrawStake(amount(1n)))).toBe('PROVIDER_STATE')
    const opened = await scenario.open()
    await ledger.updateProvider(scenario.provider, scenario.settings({ accepting: false }))
    expect(await codeOf(ledger.withdrawStake(amount(1n)))).toBe('PROVIDER_STATE')
    await scenario.enter(
      opened.receipt.events[0]?.kind === 'deal-opened'
        ? opened.receipt.events[0].end
        : await scenario.now(),
    )
    await scenario.operator.ledger.releaseSlot(opened.id, opened.path)
    await scenario.finalise()
    expect(await codeOf(ledger.withdrawStake(amount(STAKE + 1n)))).toBe('FUNDS_INSUFFICIENT')
    await ledger.withdrawStake(STAKE)
    expect((await ledger.provider(scenario.provider))?.stake).toBe(0n)
  })

  test('changes settings for the owner alone', async () => {
    const scenario = await begin(source())
    const next = await source().account()
    const settings = scenario.settings({
      operator: next.signer.address,
      endpoint: 'storage.example:4701',
      accepting: false,
    })
    const { events } = await scenario.owner.ledger.updateProvider(scenario.provider, settings)
    expect(events).toEqual([{ kind: 'provider-updated', provider: scenario.provider }])
    expect(await scenario.owner.ledger.provider(scenario.provider)).toMatchObject(settings)
    const stranger = scenario.publisher.ledger
    const foreign = stranger.updateProvider(scenario.provider, settings)
    expect(await codeOf(foreign)).toBe('UNAUTHORIZED')
    const nobody = stranger.updateProvider(stranger.account, settings)
    expect(await codeOf(nobody)).toBe('PROVIDER_NOT_FOUND')
  })
}
