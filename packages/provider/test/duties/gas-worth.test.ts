/** When settling is worth the gas: what is configured, where it applies, and how it is counted. */
import { createMemoryChain } from '@holdfast/chain'
import { seconds, timestamp } from '@holdfast/protocol'
import { describe, expect, test } from '@jest/globals'
import { ConfigReader } from '../../src/config-reader.ts'
import { gasWorthOn, LastGasPrice, readSettlingConfig } from '../../src/duties/gas-worth.ts'

const networkOf = (period: number) =>
  createMemoryChain({
    genesis: timestamp(1),
    period: seconds(period),
    window: seconds((period * 3) / 4),
    randomSeed: new Uint8Array(32),
  }).network

describe('what settling is measured by', () => {
  test('is nothing on a network with short periods, unless it is configured', () => {
    const network = networkOf(20)
    const [token] = network.tokens
    if (token === undefined) throw new Error('the network has a token')
    const last = new LastGasPrice()
    expect(gasWorthOn(network, { token: token.address }, last)).toBe(undefined)
    const settling = { weiPerToken: 7n, gasPercentMax: 9 }
    expect(gasWorthOn(network, { token: token.address, settling }, last)).toMatchObject({
      ...{ weiPerToken: 7n, percentMax: 9, tokenUnit: 10n ** BigInt(token.decimals) },
    })
  })

  test('follows the price of the last transaction', () => {
    const network = networkOf(3600)
    const [token] = network.tokens
    if (token === undefined) throw new Error('the network has a token')
    const last = new LastGasPrice()
    const worth = gasWorthOn(network, { token: token.address }, last)
    expect(worth?.gasPrice()).toBe(undefined)
    last.note({ gasPrice: 5n })
    last.note({ gasPrice: 3n })
    expect(worth?.gasPrice()).toBe(3n)
  })

  test('is read with all that is wrong named', () => {
    const read = new ConfigReader({ weiPerToken: '-1', gasPercentMax: 101 }, [], 'settling.')
    readSettlingConfig(read)
    expect(read.problems).toEqual([
      'settling.weiPerToken is "-1", expected a whole number as text',
      'settling.gasPercentMax is 101, expected 1 to 100',
    ])
    expect(readSettlingConfig(new ConfigReader({}))).toEqual({
      weiPerToken: 400_000_000_000_000n,
      gasPercentMax: 5,
    })
  })
})
