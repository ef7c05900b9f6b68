/** F25: when new deals stop for lack of gas money. */
import { address, HoldfastError } from '@holdfast/protocol'
import { describe, expect, test } from '@jest/globals'
import { GasReserve, reserveFor } from '../../src/transactions/gas-reserve.ts'

const provider = address(`0x${'01'.repeat(20)}`)

const stateOf = async (balance: bigint, costs: readonly bigint[]): Promise<string> => {
  const reserve = new GasReserve({ provider, balance: async () => balance })
  for (const cost of costs) reserve.note({ gasUsed: cost, gasPrice: 1n })
  try {
    await reserve.check()
    return 'accepts'
  } catch (error) {
    return HoldfastError.is(error) ? error.code : String(error)
  }
}

describe('F25: the gas reserve', () => {
  test('is six times the dearest of the last transactions', () => {
    expect(reserveFor([])).toBe(0n)
    expect(reserveFor([5n, 7n, 3n])).toBe(42n)
  })

  test('stops new deals below it, and with nothing at all', async () => {
    expect(await stateOf(42n, [5n, 7n])).toBe('accepts')
    expect(await stateOf(41n, [5n, 7n])).toBe('PROVIDER_STATE')
    expect(await stateOf(1n, [])).toBe('accepts')
    expect(await stateOf(0n, [])).toBe('PROVIDER_STATE')
  })

  test('forgets a price that is long ago', async () => {
    expect(await stateOf(100n, [1_000n, ...Array.from({ length: 20 }, () => 2n)])).toBe('accepts')
  })
})
