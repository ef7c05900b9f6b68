/**
 * The EVM adapter when things around it go wrong: endpoints that die, chains that are the wrong one,
 * transactions that are too large or too expensive, keys used by two programs at once, thousands of
 * blocks to catch up with.
 */

import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type Address,
  address,
  amount,
  dealId,
  HoldfastError,
  type Signer,
  silentLogger,
  toHex,
  ZERO_HASH,
} from '@holdfast/protocol'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { callsTo } from '../../src/devnet/chain-rpc.ts'
import { type Devnet, startDevnet } from '../../src/devnet/devnet.ts'
import { openChain } from '../../src/evm/client.ts'
import type { EvmLedger } from '../../src/evm/evm-ledger.ts'
import { openEvmLedger } from '../../src/evm/open.ts'
import { Transactor } from '../../src/evm/transactor.ts'
import { randomPrivateKey, signerFromPrivateKey } from '../../src/keys/signer.ts'
import type { LedgerEvent, NetworkParams } from '../../src/ledger.ts'
import { systemClock, systemRandom } from '../../src/system-adapters.ts'
import { codeOf } from '../support/scenario.ts'
import { describeWithAnvil } from '../support/with-anvil.ts'

const DEAD = 'http://127.0.0.1:9'

const openAt = (
  network: NetworkParams,
  rpc: readonly string[],
  signer?: Signer,
): Promise<EvmLedger> =>
  openEvmLedger({
    ...{ network, rpc, clock: systemClock, logger: silentLogger },
    ...(signer === undefined ? {} : { signer }),
  })

/** An endpoint that answers everything with one status. */
const brokenEndpoint = async (status: number): Promise<{ url: string; server: Server }> => {
  const server = createServer((_request, response) => {
    response.statusCode = status
    response.end('no')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const bound = server.address()
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0
  return { url: `http://127.0.0.1:${port}`, server }
}

/** Passes everything on, and cuts the line instead of answering the first time of every sending. */
const losingEndpoint = async (target: string) => {
  const seen = new Set<string>()
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const part of request) body += String(part)
    const headers = { 'content-type': 'application/json' }
    const answer = await (await fetch(target, { method: 'POST', headers, body })).text()
    const raw = /"eth_sendRawTransaction","params":\["(0x[0-9a-f]+)"/.exec(body)?.[1]
    if (raw === undefined || seen.has(raw)) {
      response.end(answer)
      return
    }
    seen.add(raw)
    request.socket.destroy()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const bound = server.address()
  const close = (): void => {
    server.closeAllConnections()
    server.close()
  }
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0
  return { url: `http://127.0.0.1:${port}`, lost: () => seen.size, close }
}

/** The devnet of the suites, and ledgers on it that are closed in the end. */
interface Stage {
  readonly net: () => Devnet
  readonly url: () => string
  readonly token: () => Address
  readonly joined: (rpc: readonly string[], signer?: Signer) => Promise<EvmLedger>
}

const endpointSuite = ({ net, url, joined }: Stage): void => {
  test('are told apart from refusals: nobody there', async () => {
    expect(await codeOf(openAt(net().network, [DEAD]))).toBe('LEDGER_UNREACHABLE')
  })

  test.each([500, 503, 429])('that answer with status %i are passed over', async (status) => {
    const { url: broken, server } = await brokenEndpoint(status)
    const ledger = await joined([broken, url()])
    expect((await ledger.tip()).number).toBeGreaterThan(0n)
    expect(await codeOf(openAt(net().network, [broken]))).toBe('LEDGER_UNREACHABLE')
    server.close()
  })

  test('are not asked again for what a contract refused', async () => {
    const ledger = await joined([url(), DEAD], net().accounts('publisher').signer)
    const unknown = dealId(ZERO_HASH)
    expect(await codeOf(ledger.settle([unknown]))).toBe('DEAL_NOT_FOUND')
  })

  test('of another chain, or without the contracts, are refused', async () => {
    const { network } = net()
    const other = { ...network, chainId: 1n }
    expect(await codeOf(openAt(other, [url()]))).toBe('CHAIN_UNSUITABLE')
    const vault = address(`0x${'12'.repeat(20)}`)
    const empty = { ...network, contracts: { ...network.contracts, vault } }
    expect(await codeOf(openAt(empty, [url()]))).toBe('CHAIN_UNSUITABLE')
  })

  test('are named without what stands in their paths', async () => {
    const secret = `${DEAD}/v3/secret-api-key`
    const refused = openAt(net().network, [secret]).catch((cause: unknown) => cause)
    const { detail } = (await refused) as HoldfastError
    expect(detail).toMatchObject({ code: 'LEDGER_UNREACHABLE', endpoint: DEAD })
  })
}

const refusedWriteSuite = ({ net, url, token, joined }: Stage): void => {
  test('needs a key', async () => {
    const ledger = await joined([url()])
    expect(() => ledger.account).toThrow('without a key')
    expect(await codeOf(ledger.settle([]))).toBe('UNAUTHORIZED')
    expect(await codeOf(ledger.deposit(token(), amount(1n)))).toBe('UNAUTHORIZED')
    expect(await codeOf(ledger.withdraw(token(), amount(1n)))).toBe('UNAUTHORIZED')
  })

  test('needs gas, and says how much', async () => {
    const poor = signerFromPrivateKey(randomPrivateKey(systemRandom))
    const ledger = await joined([url()], poor)
    const refusal = await ledger.settle([]).catch((cause: unknown) => cause)
    expect(HoldfastError.is(refusal, 'FUNDS_INSUFFICIENT')).toBe(true)
    expect((refusal as Error).message).toContain('gas')
  })

  test('refuses what no block would take', async () => {
    const stop = new AbortController()
    const { signer } = net().accounts('publisher')
    const chain = await openChain({
      ...{ rpc: [url()], clock: systemClock, logger: silentLogger, stop: stop.signal },
    })
    const transactor = new Transactor(chain, signer)
    // 40 gas for each byte that is not zero (EIP-7623): 18 million.
    const data = toHex(new Uint8Array(450_000).fill(1))
    expect(await codeOf(transactor.send({ to: signer.address, data }))).toBe(
      'TRANSACTION_TOO_LARGE',
    )
    stop.abort()
  })
}

const contestedWriteSuite = ({ net, url, token, joined }: Stage): void => {
  test('goes on when another program used the same key', async () => {
    const { signer } = net().accounts('provider-9-owner')
    const [first, second] = [await joined([url()], signer), await joined([url()], signer)]
    await first.deposit(token(), amount(1_000n))
    const both = Array.from({ length: 6 }, (_, i) =>
      (i % 2 === 0 ? first : second).withdraw(token(), amount(10n)),
    )
    await Promise.all(both)
    expect(await first.balance(signer.address, token())).toBe(940n)
  })

  test('never sends twice when the answer to the first time was lost', async () => {
    const { signer } = net().accounts('provider-6-owner')
    const proxy = await losingEndpoint(url())
    try {
      const ledger = await joined([proxy.url], signer)
      await ledger.deposit(token(), amount(100n))
      await ledger.withdraw(token(), amount(10n))
      expect(proxy.lost()).toBe(2)
      expect(await ledger.balance(signer.address, token())).toBe(90n)
    } finally {
      proxy.close()
    }
  })

  test('finds its way after a reorganisation took its transactions', async () => {
    const { signer } = net().accounts('provider-8-owner')
    const ledger = await joined([url()], signer)
    await ledger.deposit(token(), amount(500n))
    await ledger.withdraw(token(), amount(100n))
    await ledger.withdraw(token(), amount(100n))
    await net().control.reorg(2)
    expect(await ledger.balance(signer.address, token())).toBe(500n)
    await ledger.withdraw(token(), amount(1n))
    expect(await ledger.balance(signer.address, token())).toBe(499n)
  })

  test('stops waiting when the signal fires', async () => {
    const ledger = await joined([url()], net().accounts('publisher').signer)
    await callsTo(url())('evm_setAutomine', [false])
    try {
      const stop = new AbortController()
      const waiting = ledger.deposit(token(), amount(5n), { signal: stop.signal })
      while (
        ((await callsTo(url())('txpool_status', [])) as { pending: string }).pending === '0x0'
      ) {
        await new Promise((resolve) => setImmediate(resolve))
      }
      stop.abort()
      expect(await codeOf(waiting)).toBe('ABORTED')
    } finally {
      await callsTo(url())('evm_setAutomine', [true])
      await net().control.mine()
    }
  })
}

const catchUpSuite = ({ net, url, token, joined }: Stage): void => {
  test('over thousands of blocks misses nothing and leaves empty ones out', async () => {
    const { signer } = net().accounts('provider-7-owner')
    const ledger = await joined([url()], signer)
    const from = await ledger.tip()
    const call = callsTo(url())
    for (let i = 0n; i < 5n; i++) {
      await ledger.deposit(token(), amount(i + 1n))
      await call('anvil_mine', ['0xc8'])
    }
    const tip = await ledger.tip()
    expect(tip.number - from.number).toBeGreaterThan(1_000n)
    const events: LedgerEvent[] = []
    let [blocks, updates] = [0, 0]
    for await (const update of ledger.follow(from)) {
      updates += 1
      blocks += update.applied.length
      for (const block of update.applied) events.push(...block.events)
      if (update.applied.at(-1)?.ref.hash === tip.hash) break
    }
    expect(events.map((event) => (event.kind === 'deposited' ? event.amount : 0n))).toEqual([
      ...[1n, 2n, 3n, 4n, 5n],
    ])
    expect(blocks).toBeLessThan(300)
    expect(updates).toBeLessThan(10)
  })
}

describeWithAnvil('the EVM ledger under stress', () => {
  let devnet: Devnet | undefined
  let folder = ''
  const open: EvmLedger[] = []
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'holdfast-robust-'))
    devnet = await startDevnet({
      ...{ stateDir: folder, clock: systemClock, logger: silentLogger, relay: false },
    })
  })
  afterAll(async () => {
    for (const ledger of open) await ledger.close()
    await devnet?.close()
    await rm(folder, { recursive: true, force: true })
  })
  const net = (): Devnet => {
    if (devnet === undefined) throw new Error('no devnet')
    return devnet
  }
  const url = (): string => net().network.rpc[0] ?? ''
  const token = () => net().network.tokens[0]?.address ?? address(`0x${'00'.repeat(20)}`)
  const joined = async (rpc: readonly string[], signer?: Signer): Promise<EvmLedger> => {
    const ledger = await openAt(net().network, rpc, signer)
    open.push(ledger)
    return ledger
  }
  const stage = { net, url, token, joined }
  describe('endpoints', () => endpointSuite(stage))
  describe('writes that are refused', () => refusedWriteSuite(stage))
  describe('writes that are contested', () => contestedWriteSuite(stage))
  describe('catching up', () => catchUpSuite(stage))
})
