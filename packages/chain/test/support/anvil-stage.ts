/**
 * A bare chain and one funded key on it, for tests of how transactions travel: no contracts, every
 * transaction is a transfer of nothing with some data.
 */
import { type Hex, type Signer, silentLogger, toHex } from '@holdfast/protocol'
import { afterAll, beforeAll } from '@jest/globals'
import { requireAnvil } from '../../src/devnet/anvil-binary.ts'
import { type AnvilProcess, startAnvil } from '../../src/devnet/anvil-process.ts'
import { type Call, callsTo } from '../../src/devnet/chain-rpc.ts'
import { type ChainClient, openChain } from '../../src/evm/client.ts'
import { signTransaction } from '../../src/evm/signing.ts'
import { Transactor } from '../../src/evm/transactor.ts'
import { randomPrivateKey, signerFromPrivateKey } from '../../src/keys/signer.ts'
import { memoryOutbox, type Outbox } from '../../src/outbox/outbox.ts'
import { systemClock, systemRandom } from '../../src/system-adapters.ts'
import { RpcProxy } from './rpc-proxy.ts'

export const GWEI: bigint = 10n ** 9n
const COIN = 10n ** 18n

/** Alarms as they stand, by kind and subject. */
export class TestAlarms {
  readonly standing = new Map<string, string>()
  readonly history: string[] = []

  raise(kind: string, subject: string, message: string): void {
    if (!this.standing.has(`${kind} ${subject}`)) this.history.push(kind)
    this.standing.set(`${kind} ${subject}`, message)
  }

  clear(kind: string, subject: string): void {
    this.standing.delete(`${kind} ${subject}`)
  }
}

export interface Sender {
  readonly client: ChainClient
  readonly transactor: Transactor
  readonly alarms: TestAlarms
  close(): Promise<void>
}

export class AnvilStage {
  readonly call: Call
  readonly url: string
  readonly target = signerFromPrivateKey(new Uint8Array(32).fill(21)).address
  readonly #anvil: AnvilProcess
  readonly #opened: { close(): unknown }[] = []

  private constructor(anvil: AnvilProcess) {
    this.#anvil = anvil
    this.url = anvil.url
    this.call = callsTo(anvil.url)
  }

  static async open(): Promise<AnvilStage> {
    const parameters = { binary: requireAnvil(), port: 0, chainId: 31337n }
    return new AnvilStage(await startAnvil(parameters, systemClock))
  }

  async close(): Promise<void> {
    for (const one of this.#opened) await one.close()
    await this.#anvil.close()
  }

  async account(wei: bigint = COIN): Promise<Signer> {
    const signer = signerFromPrivateKey(randomPrivateKey(systemRandom))
    await this.give(signer, wei)
    return signer
  }

  async give({ address }: Signer, wei: bigint): Promise<void> {
    await this.call('anvil_setBalance', [address, toHexQuantity(wei)])
  }

  async proxy(): Promise<RpcProxy> {
    const proxy = await RpcProxy.open(this.url)
    this.#opened.push(proxy)
    return proxy
  }

  async sender(
    signer: Signer,
    rpc: readonly string[] = [this.url],
    outbox: Outbox = memoryOutbox(),
  ): Promise<Sender> {
    const stop = new AbortController()
    const alarms = new TestAlarms()
    const ambient = { clock: systemClock, logger: silentLogger, stop: stop.signal, alarms }
    const client = await openChain({ rpc, ...ambient, pollMs: 100 })
    const transactor = new Transactor(client, signer, { outbox })
    const close = async (): Promise<void> => {
      stop.abort()
      await transactor.closed()
    }
    const sender = { client, transactor, alarms, close }
    this.#opened.push(sender)
    return sender
  }

  /** A call that always succeeds; the number makes it another one. */
  callOf(number: number): { readonly to: Hex; readonly data: Hex } {
    return { to: this.target, data: toHex(Uint8Array.from([number])) }
  }

  async nonce({ address }: Signer, tag = 'latest'): Promise<number> {
    return Number(await this.call('eth_getTransactionCount', [address, tag]))
  }

  /** Hashes of all transactions of an account in blocks, oldest first. */
  async minedOf({ address }: Signer): Promise<readonly PoolEntry[]> {
    const head = Number(await this.call('eth_blockNumber', []))
    const found: PoolEntry[] = []
    for (let n = 0; n <= head; n++) {
      const block = await this.call('eth_getBlockByNumber', [toHexQuantity(BigInt(n)), true])
      const { transactions } = block as {
        transactions: readonly (PoolEntry & { readonly from: string })[]
      }
      for (const one of transactions) if (one.from === address) found.push(one)
    }
    return found
  }

  /** What waits in the pool for an account, by nonce. */
  async poolOf({ address }: Signer): Promise<Readonly<Record<string, PoolEntry>>> {
    const content = (await this.call('txpool_content', [])) as {
      readonly [state in 'pending' | 'queued']: Readonly<
        Record<string, Readonly<Record<string, PoolEntry>>>
      >
    }
    const of = (state: 'pending' | 'queued') =>
      Object.entries(content[state]).find(([who]) => who.toLowerCase() === address)?.[1] ?? {}
    return { ...of('queued'), ...of('pending') }
  }

  /** Sends with the same key, from outside. */
  async elsewhere(signer: Signer, nonce: number, fee = 900n * GWEI): Promise<string> {
    const { raw, hash } = await signTransaction(signer, {
      ...{ chainId: 31337n, nonce, to: this.target, data: '0xff', gas: 50_000n },
      ...{ maxFeePerGas: fee, maxPriorityFeePerGas: fee / 2n },
    })
    await this.call('eth_sendRawTransaction', [raw])
    return hash
  }
}

/** The chain of a test file, started before its first test. */
export const stageOfFile = (): (() => AnvilStage) => {
  let stage: AnvilStage | undefined
  beforeAll(async () => {
    stage = await AnvilStage.open()
  })
  afterAll(async () => {
    await stage?.close()
  })
  return () => {
    if (stage === undefined) throw new Error('no chain')
    return stage
  }
}

export interface PoolEntry {
  readonly hash: string
  readonly input: string
  readonly maxFeePerGas: Hex
  readonly maxPriorityFeePerGas: Hex
  readonly to: string
}

export const toHexQuantity = (value: bigint): Hex => `0x${value.toString(16)}`

/** Looks until it is so. */
export const until = async (what: () => Promise<boolean> | boolean): Promise<void> => {
  while (!(await what())) await new Promise((resolve) => setTimeout(resolve, 10))
}
