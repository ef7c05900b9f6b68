/**
 * Endpoints on a real chain that fail and lie, one at a time: what is sent is sent once, what is
 * believed is believed by two, and the liar is set aside.
 */
import type { Signer } from '@holdfast/protocol'
import { describe, expect, test } from '@jest/globals'
import { getBalance } from 'viem/actions'
import { agreed, finalBlock } from '../../src/evm/agreement.ts'
import { type AnvilStage, stageOfFile, toHexQuantity, until } from '../support/anvil-stage.ts'
import { inPool, withoutMining } from '../support/mining.ts'
import type { ProxyFaults } from '../support/rpc-proxy.ts'
import { codeOf } from '../support/scenario.ts'
import { describeWithAnvil } from '../support/with-anvil.ts'

type Get = () => AnvilStage

const unreliable: readonly (readonly [string, ProxyFaults])[] = [
  ['loses every third question', { lose: (n) => n % 3 === 0 }],
  ['loses every third answer', { loseAnswer: (n) => n % 3 === 0 }],
  ['asks everything twice', { twice: true }],
  ['is slow', { delayMs: 150 }],
  ['limits every third request', { status: (n) => (n % 3 === 0 ? 429 : undefined) }],
  ['fails every third time', { status: (n) => (n % 3 === 0 ? 503 : undefined) }],
  ['cuts every third answer', { garble: (text, n) => (n % 3 === 0 ? text.slice(0, -9) : text) }],
  [
    'answers every third time with a wrong id',
    { garble: (text, n) => (n % 3 === 0 ? text.replaceAll(/"id":/g, '"id":9') : text) },
  ],
]

const lineSuite = (get: Get): void => {
  test.each(unreliable)('F20: sends once over an endpoint that %s', async (_what, faults) => {
    const stage = get()
    const signer = await stage.account()
    const proxy = await stage.proxy()
    const { transactor } = await stage.sender(signer, [proxy.url])
    proxy.faults = faults
    for (let i = 1; i <= 3; i++) await transactor.send(stage.callOf(i), {}, `settle ${i}`)
    expect((await stage.minedOf(signer)).map(({ input }) => input)).toEqual([
      '0x01',
      '0x02',
      '0x03',
    ])
  })

  test('F22: goes on when the only endpoint comes back', async () => {
    const stage = get()
    const signer = await stage.account()
    const proxy = await stage.proxy()
    const { transactor, alarms } = await stage.sender(signer, [proxy.url])
    await withoutMining(stage, async () => {
      const sent = transactor.send(stage.callOf(1), {}, 'settle 1')
      await inPool(stage, signer, 1)
      proxy.faults = { lose: () => true }
      await until(() => alarms.history.includes('ledger-unreachable'))
      await stage.call('evm_mine', [])
      proxy.faults = {}
      await sent
    })
    expect(alarms.standing.size).toBe(0)
    expect((await stage.minedOf(signer)).length).toBe(1)
  })
}

const lieSuite = (get: Get): void => {
  const trio = async (faults: ProxyFaults, signer: Signer, first = true) => {
    const stage = get()
    const [liar, second, third] = [await stage.proxy(), await stage.proxy(), await stage.proxy()]
    liar.faults = faults
    const urls = first ? [liar, second, third] : [second, liar, third]
    const sender = await stage.sender(
      signer,
      urls.map(({ url }) => url),
    )
    return { ...sender, liar }
  }
  const isAside = (alarms: { readonly standing: ReadonlyMap<string, string> }, url: string) =>
    alarms.standing.has(`endpoint-set-aside ${url}`)

  test('F21: an endpoint of another chain is set aside', async () => {
    const stage = get()
    const signer = await stage.account()
    const faults: ProxyFaults = {
      lie: ({ method }) => (method === 'eth_chainId' ? '0x1' : undefined),
    }
    const { transactor, alarms, liar } = await trio(faults, signer, false)
    await transactor.send(stage.callOf(1))
    expect(isAside(alarms, liar.url)).toBe(true)
  })

  test('F21: a receipt of what is not mined is not believed', async () => {
    const stage = get()
    const signer = await stage.account()
    await withoutMining(stage, async () => {
      const head = (await stage.call('eth_getBlockByNumber', ['latest', false])) as {
        hash: string
        number: string
      }
      const faults: ProxyFaults = {
        lie: ({ method, params }) =>
          method === 'eth_getTransactionReceipt'
            ? {
                ...{ transactionHash: params?.[0], blockHash: head.hash, blockNumber: head.number },
                ...{ status: '0x1', logs: [], gasUsed: '0x5208', effectiveGasPrice: '0x1' },
                ...{ transactionIndex: '0x0', cumulativeGasUsed: '0x0', type: '0x2' },
              }
            : undefined,
      }
      const { transactor, alarms, liar } = await trio(faults, signer)
      let isDone = false
      const sent = transactor.send(stage.callOf(2)).finally(() => {
        isDone = true
      })
      await until(() => isAside(alarms, liar.url))
      expect(isDone).toBe(false)
      await stage.call('evm_mine', [])
      expect((await sent).receipt.blockHash).not.toBe(head.hash)
    })
  })

  test('F21: a receipt that is denied is found elsewhere', async () => {
    const stage = get()
    const signer = await stage.account()
    const faults: ProxyFaults = {
      lie: ({ method }) => (method === 'eth_getTransactionReceipt' ? null : undefined),
    }
    const { transactor, alarms, liar } = await trio(faults, signer)
    // `null` as a lie reads as no lie: the answer itself is replaced.
    liar.faults = {
      garble: (text) => text.replaceAll(/\{[^{}]*"transactionHash":[^{}]*\}/g, 'null'),
    }
    await transactor.send(stage.callOf(3))
    expect(isAside(alarms, liar.url)).toBe(true)
  })

  test('F21: a head that stands still is noticed', async () => {
    const stage = get()
    const signer = await stage.account()
    const frozen = await stage.call('eth_getBlockByNumber', ['latest', false])
    const faults: ProxyFaults = {
      lie: ({ method, params }) =>
        method === 'eth_getBlockByNumber' && params?.[0] === 'latest' ? frozen : undefined,
    }
    const { client, alarms, liar } = await trio(faults, signer)
    await stage.call('evm_increaseTime', [600])
    await stage.call('anvil_mine', ['0x10'])
    await finalBlock(client, 3)
    expect(isAside(alarms, liar.url)).toBe(true)
  })

  test('F21: a block of another branch is outvoted', async () => {
    const stage = get()
    const signer = await stage.account()
    await stage.call('anvil_mine', ['0x8'])
    const faults: ProxyFaults = {
      lie: ({ method, params }, { result }) =>
        method === 'eth_getBlockByNumber' && params?.[0] !== 'latest' && result !== null
          ? { ...(result as object), hash: `0x${'fa'.repeat(32)}` }
          : undefined,
    }
    const { client, alarms, liar } = await trio(faults, signer)
    const block = await finalBlock(client, 3)
    const truth = await stage.call('eth_getBlockByNumber', [toHexQuantity(block.number), false])
    expect(block.hash).toBe((truth as { hash: string }).hash)
    expect(isAside(alarms, liar.url)).toBe(true)
  })

  test('F21: a balance that one endpoint invents is not agreed on', async () => {
    const stage = get()
    const signer = await stage.account(5n)
    const faults: ProxyFaults = {
      lie: ({ method }) => (method === 'eth_getBalance' ? '0xffffffffffff' : undefined),
    }
    const { client, alarms, liar } = await trio(faults, signer)
    const { address } = signer
    expect(await agreed(client, 'a balance', (rpc) => getBalance(rpc, { address }))).toBe(5n)
    expect(isAside(alarms, liar.url)).toBe(true)
    // With two left of which one lies, nothing is decided.
    const pair = [await stage.proxy(), await stage.proxy()]
    const [first] = pair
    if (first !== undefined) first.faults = faults
    const two = await stage.sender(
      signer,
      pair.map(({ url }) => url),
    )
    const doubtful = agreed(two.client, 'a balance', (rpc) => getBalance(rpc, { address }))
    expect(await codeOf(doubtful)).toBe('LEDGER_UNREACHABLE')
  })
}

describeWithAnvil('endpoints', () => {
  const get = stageOfFile()
  describe('that fail', () => lineSuite(get))
  describe('that lie', () => lieSuite(get))
})
