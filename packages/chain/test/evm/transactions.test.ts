/**
 * Transactions on a real chain that does not take them at once: dropped, overtaken by the base fee,
 * reorganised away, past their deadline, left by a process that ended, sent from a key that somebody
 * else uses too.
 */
import { timestamp } from '@holdfast/protocol'
import { describe, expect, test } from '@jest/globals'
import { memoryOutbox } from '../../src/outbox/outbox.ts'
import {
  type AnvilStage,
  GWEI,
  type PoolEntry,
  stageOfFile,
  toHexQuantity,
  until,
} from '../support/anvil-stage.ts'
import { inPool, mineUntil, mineWithoutRoom, withoutMining } from '../support/mining.ts'
import { codeOf } from '../support/scenario.ts'
import { describeWithAnvil } from '../support/with-anvil.ts'

type Get = () => AnvilStage

const gate = (): { readonly opened: Promise<void>; readonly open: () => void } => {
  let open = (): void => undefined
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open }
}

const waitingSuite = (get: Get): void => {
  test('one that is mined, and seen so, before its endpoint says that it took it', async () => {
    const stage = get()
    const signer = await stage.account()
    const proxy = await stage.proxy()
    const { transactor } = await stage.sender(signer, [proxy.url])
    const [isHeld, letGo] = [gate(), gate()]
    proxy.faults.answered = async ({ method }) => {
      if (method !== 'eth_sendRawTransaction') return
      delete proxy.faults.answered
      isHeld.open()
      await letGo.opened
    }
    let slow: string | undefined
    const first = transactor.send(stage.callOf(7)).then(({ receipt }) => {
      slow = receipt.transactionHash
    })
    await isHeld.opened
    // Another one of the account goes through: the line was looked at with the first one in a block.
    await transactor.send(stage.callOf(8))
    letGo.open()
    await transactor.send(stage.callOf(9))
    const [mined] = await stage.minedOf(signer)
    expect(slow).toBe(mined?.hash)
    await first
  })

  test('F24: one that a pool dropped is handed over again, the same bytes', async () => {
    const stage = get()
    const signer = await stage.account()
    const { transactor } = await stage.sender(signer)
    await withoutMining(stage, async () => {
      const sent = transactor.send(stage.callOf(1))
      await inPool(stage, signer, 1)
      const [first] = Object.values(await stage.poolOf(signer))
      await stage.call('anvil_dropTransaction', [first?.hash])
      await until(async () => Object.keys(await stage.poolOf(signer)).length === 1)
      await stage.call('evm_mine', [])
      expect((await sent).receipt.transactionHash).toBe(first?.hash)
    })
    expect(await stage.nonce(signer)).toBe(1)
  })

  test('F24: one that the base fee overtook is replaced by a dearer one, at least an eighth', async () => {
    const stage = get()
    const signer = await stage.account()
    const { transactor } = await stage.sender(signer)
    await withoutMining(stage, async () => {
      const sent = transactor.send(stage.callOf(2))
      await inPool(stage, signer, 1)
      const [first] = Object.values(await stage.poolOf(signer))
      const head = await stage.call('eth_getBlockByNumber', ['latest', false])
      const base = BigInt((head as { baseFeePerGas: string }).baseFeePerGas)
      await stage.call('anvil_setNextBlockBaseFeePerGas', [toHexQuantity(base * 10n + GWEI * 10n)])
      await stage.call('evm_mine', [])
      // A plan made between the two calls above already knows the price, and the block takes it along.
      let next: PoolEntry | undefined
      await until(async () => {
        const known = [
          ...Object.values(await stage.poolOf(signer)),
          ...(await stage.minedOf(signer)),
        ]
        next = known.find(({ hash }) => hash !== first?.hash)
        return next !== undefined
      })
      expect(BigInt(next?.maxFeePerGas ?? 0) * 1000n).toBeGreaterThanOrEqual(
        BigInt(first?.maxFeePerGas ?? 0) * 1125n,
      )
      expect(next?.input).toBe(first?.input)
      await mineUntil(stage, sent)
    })
    expect((await stage.minedOf(signer)).length).toBe(1)
  })

  test('F24: a budget is never passed, and an alarm says when it is too small', async () => {
    const stage = get()
    const signer = await stage.account()
    const { transactor, alarms } = await stage.sender(signer)
    await withoutMining(stage, async () => {
      const head = await stage.call('eth_getBlockByNumber', ['latest', false])
      const { timestamp: now, baseFeePerGas } = head as {
        timestamp: string
        baseFeePerGas: string
      }
      const base = BigInt(baseFeePerGas)
      const deadline = timestamp(BigInt(now) + 100_000n)
      const gasBudget = (base + 3n * GWEI) * 120_000n
      const options = { deadline, gasBudget, lane: 'proofs' } as const
      const sent = transactor.send(stage.callOf(3), options, 'prove 3')
      await inPool(stage, signer, 1)
      await stage.call('anvil_setNextBlockBaseFeePerGas', [toHexQuantity(base + 50n * GWEI)])
      await stage.call('evm_mine', [])
      await until(() => alarms.standing.has('gas-budget prove 3'))
      for (const { maxFeePerGas } of Object.values(await stage.poolOf(signer))) {
        expect(BigInt(maxFeePerGas) * 101_000n).toBeLessThanOrEqual(gasBudget)
      }
      const { receipt } = await mineUntil(stage, sent)
      expect(receipt.gasUsed * receipt.effectiveGasPrice).toBeLessThanOrEqual(gasBudget)
      expect(alarms.standing.size).toBe(0)
    })
  })

  test('a proof that waits behind a settlement takes it along', async () => {
    const stage = get()
    const signer = await stage.account()
    const { transactor } = await stage.sender(signer)
    await withoutMining(stage, async () => {
      const settle = transactor.send(stage.callOf(4), {}, 'settle 4')
      await inPool(stage, signer, 1)
      const [before] = Object.values(await stage.poolOf(signer))
      const head = await stage.call('eth_getBlockByNumber', ['latest', false])
      const now = BigInt((head as { timestamp: string }).timestamp)
      const options = { deadline: timestamp(now + 600n), lane: 'proofs' } as const
      const proof = transactor.send(stage.callOf(5), options, 'prove 5')
      await inPool(stage, signer, 2)
      await mineWithoutRoom(stage, now + 280n)
      await until(async () => {
        const pool = await stage.poolOf(signer)
        const fees = Object.values(pool).map(({ maxPriorityFeePerGas }) => maxPriorityFeePerGas)
        return fees.length === 2 && fees[0] === fees[1] && fees[0] !== before?.maxPriorityFeePerGas
      })
      await mineUntil(stage, Promise.all([settle, proof]))
    })
    expect((await stage.minedOf(signer)).map(({ input }) => input)).toEqual(['0x04', '0x05'])
  })

  test('what is past its deadline is cancelled, and its nonce spent', async () => {
    const stage = get()
    const signer = await stage.account()
    const { transactor } = await stage.sender(signer)
    await withoutMining(stage, async () => {
      const head = await stage.call('eth_getBlockByNumber', ['latest', false])
      const now = BigInt((head as { timestamp: string }).timestamp)
      const options = { deadline: timestamp(now + 1000n), lane: 'proofs' } as const
      const refused = codeOf(transactor.send(stage.callOf(6), options, 'prove 6'))
      await inPool(stage, signer, 1)
      await mineWithoutRoom(stage, now + 2000n)
      expect(await refused).toBe('TIMED_OUT')
      await until(async () => {
        const [waiting] = Object.values(await stage.poolOf(signer))
        return waiting?.to?.toLowerCase() === signer.address && waiting.input === '0x'
      })
      await mineUntil(
        stage,
        until(async () => (await stage.nonce(signer)) === 1),
      )
    })
    await transactor.send(stage.callOf(7))
    expect((await stage.minedOf(signer)).map(({ input }) => input)).toEqual(['0x', '0x07'])
  })
}

const nonceSuite = (get: Get): void => {
  test('F27: a nonce that somebody else spent is noticed, and the next one taken', async () => {
    const stage = get()
    const signer = await stage.account()
    const { transactor, alarms } = await stage.sender(signer)
    await withoutMining(stage, async () => {
      const sent = transactor.send(stage.callOf(8), {}, 'settle 8')
      await inPool(stage, signer, 1)
      await stage.elsewhere(signer, 0)
      await stage.call('evm_mine', [])
      await until(async () => (await stage.nonce(signer, 'pending')) === 2)
      await stage.call('evm_mine', [])
      await sent
    })
    expect(alarms.history).toContain('key-used-elsewhere')
    expect((await stage.minedOf(signer)).map(({ input }) => input)).toEqual(['0xff', '0x08'])
  })

  test('F27: a jump of nonces while nothing was sent is noticed', async () => {
    const stage = get()
    const signer = await stage.account()
    const { transactor, alarms } = await stage.sender(signer)
    await transactor.send(stage.callOf(9))
    await stage.elsewhere(signer, 1)
    await until(async () => (await stage.nonce(signer)) === 2)
    await transactor.send(stage.callOf(10))
    expect(alarms.history).toContain('key-used-elsewhere')
    expect(await stage.nonce(signer)).toBe(3)
  })

  test('F23: after reorganisations of 1 to 64 blocks the same name goes on with its nonce', async () => {
    const stage = get()
    const signer = await stage.account()
    const { transactor } = await stage.sender(signer)
    for (const depth of [1, 2, 7, 33, 64]) {
      await transactor.send(stage.callOf(depth), {}, `open ${depth}`)
      await stage.call('anvil_mine', [toHexQuantity(BigInt(depth) - 1n)])
      const before = await stage.nonce(signer)
      await stage.call('anvil_reorg', [depth, []])
      expect(await stage.nonce(signer)).toBe(before - 1)
      await transactor.send(stage.callOf(depth), {}, `open ${depth}`)
      expect(await stage.nonce(signer)).toBe(before)
    }
    const mined = (await stage.minedOf(signer)).map(({ input }) => input)
    expect(mined).toEqual(['0x01', '0x02', '0x07', '0x21', '0x40'])
  })

  test('F25: an empty wallet is said at once, costs nothing, and works again when filled', async () => {
    const stage = get()
    const signer = await stage.account(0n)
    const { transactor } = await stage.sender(signer)
    expect(await codeOf(transactor.send(stage.callOf(11), {}, 'settle 11'))).toBe(
      'FUNDS_INSUFFICIENT',
    )
    expect(await stage.nonce(signer, 'pending')).toBe(0)
    await stage.give(signer, 10n ** 18n)
    await transactor.send(stage.callOf(11), {}, 'settle 11')
    expect(await stage.nonce(signer)).toBe(1)
  })
}

const crashSuite = (get: Get): void => {
  test('F19: what was signed and not handed over is handed over by the next process', async () => {
    const stage = get()
    const signer = await stage.account()
    const proxy = await stage.proxy()
    const outbox = memoryOutbox()
    const first = await stage.sender(signer, [proxy.url], outbox)
    let sendings = 0
    proxy.faults = {
      hear: ({ method }) => {
        if (method === 'eth_sendRawTransaction') sendings += 1
      },
      lose: () => sendings > 0,
    }
    const lost = first.transactor.send(stage.callOf(1), {}, 'prove 1').catch(() => 'lost')
    await until(() => sendings > 0)
    await first.close()
    expect(await lost).toBe('lost')
    expect(await stage.nonce(signer, 'pending')).toBe(0)
    const second = await stage.sender(signer, [stage.url], outbox)
    await second.transactor.resume()
    await until(async () => (await stage.nonce(signer)) === 1)
    const [signed] = (await outbox.load(signer.address)).filter(({ kind }) => kind === 'tx-signed')
    const [mined] = await stage.minedOf(signer)
    expect(signed).toMatchObject({ hash: mined?.hash })
  })
}

describeWithAnvil('transactions', () => {
  const get = stageOfFile()
  describe('that wait', () => waitingSuite(get))
  describe('and their nonces', () => nonceSuite(get))
  describe('and crashes', () => crashSuite(get))
})
