/** Stake is brought back to what was configured, as far as the vault reaches, and never beyond. */
import { type Ledger, systemClock } from '@holdfast/chain'
import { type Amount, amount } from '@holdfast/protocol'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { StakeKeeper, stakeToAdd } from '../../src/duties/stake-keeper.ts'
import { recordingLogger, TestNetwork, until } from '../support/network.ts'

test('what is added and what is lacking are together what is missing', () => {
  const money = fc.bigInt(0n, 1n << 100n).map(amount)
  fc.assert(
    fc.property(money, money, money, (stake, keepAt, free) => {
      const { add, lacking } = stakeToAdd(stake, keepAt, free)
      expect(add).toBeLessThanOrEqual(free)
      const missing = stake < keepAt ? keepAt - stake : 0n
      expect(add + lacking).toBe(missing)
      expect(lacking === 0n || add === free).toBe(true)
    }),
  )
})

describe('the keeper of the stake', () => {
  let network: TestNetwork
  let owner: Ledger

  beforeEach(async () => {
    network = await TestNetwork.create()
    owner = network.ledger(network.owner)
  })
  afterEach(() => network.close())

  const staked = async (): Promise<Amount> =>
    (await owner.provider(network.owner.address))?.stake ?? amount(0)

  const keeping = async (keepAt: Amount, enough: () => Promise<boolean>): Promise<void> => {
    const stop = new AbortController()
    const keeper = new StakeKeeper({
      ...{ owner, keepAt, clock: systemClock, logger: recordingLogger(network.log) },
      provider: network.owner.address,
    })
    const running = keeper.run(stop.signal)
    await until('it has looked', enough)
    stop.abort()
    await running
  }

  test('adds what is missing, out of the free balance', async () => {
    const before = await staked()
    const free = await owner.balance(network.owner.address, network.config.token)
    const keepAt = amount(before + 12_345n)
    await keeping(keepAt, async () => (await staked()) !== before)
    expect(await staked()).toBe(keepAt)
    expect(await owner.balance(network.owner.address, network.config.token)).toBe(free - 12_345n)
  })

  test('adds what there is and says what is lacking', async () => {
    const { token } = network.config
    const free = await owner.balance(network.owner.address, token)
    await owner.withdraw(token, amount(free - 100n))
    const before = await staked()
    await keeping(amount(before + 250n), async () =>
      network.log.some(({ fields }) => fields['lacking'] === 150n),
    )
    expect(await staked()).toBe(before + 100n)
  })
})
