/**
 * A JSON-RPC endpoint of a simulated chain, honest or not: it may lose questions or answers, be slow,
 * limit, garble, stand still, or lie about one thing at a time.
 */
import { type Hex, milliseconds } from '@holdfast/protocol'
import { encodeErrorResult, HttpRequestError, RpcRequestError } from 'viem'
import type { RpcCall, RpcRequest } from '../../src/evm/json-rpc.ts'
import { proofLedgerAbi } from '../../src/generated/contracts.ts'
import type { Seeded } from '../../src/simulation/seeded.ts'
import type { VirtualClock } from '../../src/simulation/virtual-clock.ts'
import {
  CHAIN_ID,
  GWEI,
  type Refusal,
  type SimBlock,
  type SimulatedChain,
} from './simulated-chain.ts'

export type Lie =
  | 'wrong-chain'
  | 'stale-head'
  | 'no-receipts'
  | 'false-receipts'
  | 'high-counts'
  | 'rich'

export interface EndpointFaults {
  /** Shares of calls. */
  lost: number
  answerLost: number
  limited: number
  garbled: number
  twice: number
  /** Up to so many seconds. */
  slow: number
  down: boolean
  lie: Lie | undefined
}

export const NO_FAULTS: Readonly<EndpointFaults> = {
  ...{ lost: 0, answerLost: 0, limited: 0, garbled: 0, twice: 0, slow: 0 },
  ...{ down: false, lie: undefined },
}

const quantity = (value: bigint | number): Hex => `0x${BigInt(value).toString(16)}`

const broken = (details: string): HttpRequestError =>
  new HttpRequestError({ url: 'simulated', details })

const refused = (code: number, message: string, data?: Hex): RpcRequestError =>
  new RpcRequestError({
    ...{ url: 'simulated', body: {} },
    error: { code, message, ...(data === undefined ? {} : { data }) },
  })

export class SimulatedEndpoint {
  readonly shown: string
  readonly faults: EndpointFaults = { ...NO_FAULTS }
  readonly #chain: SimulatedChain
  readonly #clock: VirtualClock
  readonly #random: Seeded
  /** Where a stale one stands still. */
  #frozen: number | undefined

  constructor(shown: string, chain: SimulatedChain, clock: VirtualClock, random: Seeded) {
    this.shown = shown
    this.#chain = chain
    this.#clock = clock
    this.#random = random
  }

  readonly request: RpcRequest = async (call) => {
    const { lost, answerLost, limited, garbled, twice, slow, down } = this.faults
    const random = this.#random
    // A few milliseconds each way, so that time passes.
    await this.#clock.sleep(milliseconds(5 + random.unit() * slow * 1000))
    if (down || random.chance(lost)) throw broken('connection reset')
    if (random.chance(limited)) throw refused(429, 'too many requests')
    if (random.chance(twice)) await this.#answer(call).catch(() => undefined)
    const answer = await this.#answer(call)
    if (random.chance(answerLost)) throw broken('connection reset')
    if (random.chance(garbled)) throw broken('Unexpected end of JSON input')
    return answer
  }

  get #tip(): number {
    if (this.faults.lie !== 'stale-head') this.#frozen = undefined
    else this.#frozen ??= this.#chain.head.number
    return Math.min(this.#frozen ?? Infinity, this.#chain.head.number)
  }

  async #answer({ method, params }: RpcCall): Promise<unknown> {
    const [first, second] = (params ?? []) as readonly unknown[]
    switch (method) {
      case 'eth_chainId':
        return quantity(this.faults.lie === 'wrong-chain' ? CHAIN_ID + 1n : CHAIN_ID)
      case 'eth_blockNumber':
        return quantity(this.#tip)
      case 'eth_getBalance':
        return this.faults.lie === 'rich'
          ? quantity(10n ** 24n)
          : quantity(this.#chain.balance(String(first).toLowerCase(), this.#tip))
      case 'eth_getTransactionCount':
        return quantity(this.#count(String(first).toLowerCase(), second))
      case 'eth_maxPriorityFeePerGas':
        return quantity(this.#chain.conditions.tip)
      case 'eth_feeHistory':
        return this.#feeHistory()
      case 'eth_getBlockByNumber':
        return this.#blockAt(first)
      case 'eth_getBlockByHash':
        return this.#blockJson(
          this.#chain.blocks.find(({ hash, number }) => hash === first && number <= this.#tip),
        )
      case 'eth_getTransactionReceipt':
        return this.#receipt(String(first))
      case 'eth_getTransactionByHash':
        return this.#transaction(String(first))
      case 'eth_estimateGas':
        this.#checkCall(first as { data?: Hex })
        return quantity(140_000n)
      case 'eth_call':
        this.#checkCall(first as { data?: Hex })
        return '0x'
      case 'eth_sendRawTransaction':
        return this.#submit(first as Hex)
      default:
        throw refused(-32601, `no method ${method}`)
    }
  }

  async #submit(raw: Hex): Promise<Hex> {
    try {
      return await this.#chain.submit(raw)
    } catch (cause) {
      throw refused(-32000, cause instanceof Error ? cause.message : String(cause))
    }
  }

  #count(account: string, tag: unknown): number {
    const lie = this.faults.lie === 'high-counts' ? 3 : 0
    if (tag === 'pending' && this.faults.lie !== 'stale-head') {
      return this.#chain.pending(account) + lie
    }
    return this.#chain.nonce(account, this.#tip) + lie
  }

  #feeHistory(): unknown {
    const { base, tip } = this.#chain.conditions
    return {
      oldestBlock: quantity(Math.max(0, this.#tip - 1)),
      baseFeePerGas: [quantity(base), quantity(base)],
      gasUsedRatio: [0.5],
      reward: [[quantity(tip)]],
    }
  }

  #blockAt(tag: unknown): unknown {
    if (tag === 'latest' || tag === 'pending') return this.#blockJson(this.#chain.blocks[this.#tip])
    const number = Number(BigInt(String(tag)))
    return number > this.#tip ? null : this.#blockJson(this.#chain.blocks[number])
  }

  #blockJson(block: SimBlock | undefined): unknown {
    if (block === undefined) return null
    const { number, hash, parent, timestamp, base, transactions } = block
    return {
      ...{ number: quantity(number), hash, parentHash: parent, timestamp: quantity(timestamp) },
      ...{ baseFeePerGas: quantity(base), transactions: transactions.map((one) => one.hash) },
    }
  }

  #receipt(hash: string): unknown {
    if (this.faults.lie === 'no-receipts') return null
    const found = this.#chain.find(hash)
    const isVisible = found !== undefined && found.block.number <= this.#tip
    if (!isVisible && this.faults.lie !== 'false-receipts') return null
    const block = isVisible ? found.block : this.#chain.blocks[this.#tip]
    const status = isVisible && !found.mined.ok ? '0x0' : '0x1'
    return {
      ...{ transactionHash: hash, blockHash: block?.hash, logs: [], type: '0x2', status },
      ...{ blockNumber: quantity(block?.number ?? 0), transactionIndex: '0x0' },
      ...{ gasUsed: quantity(found?.mined.gasUsed ?? 21_000n), cumulativeGasUsed: '0x0' },
      ...{ effectiveGasPrice: quantity(found?.mined.price ?? GWEI), from: found?.mined.from },
    }
  }

  #transaction(hash: string): unknown {
    const mined = this.#chain.find(hash)
    if (mined !== undefined && mined.block.number <= this.#tip) {
      return { hash, blockHash: mined.block.hash, blockNumber: quantity(mined.block.number) }
    }
    for (const waiting of this.#chain.pool.values()) {
      for (const one of waiting.values()) if (one.hash === hash) return { hash, blockHash: null }
    }
    return null
  }

  /** Refuses as the real contract does. */
  #checkCall({ data = '0x' }: { readonly data?: Hex }): void {
    const { genesis, period, window } = this.#chain.schedule
    const refusal = this.#chain.refusal(data, this.#chain.head.timestamp)
    if (refusal === undefined) return
    const of = BigInt(`0x${data.slice(4) || '0'}`)
    const start = BigInt(genesis) + of * BigInt(period)
    const encoded = encodedRefusal(refusal, of, start, BigInt(window))
    throw refused(3, 'execution reverted', encoded)
  }
}

const encodedRefusal = (refusal: Refusal, of: bigint, start: bigint, window: bigint): Hex => {
  const abi = proofLedgerAbi
  switch (refusal) {
    case 'closed':
      return encodeErrorResult({ abi, errorName: 'ProofsWindowClosed', args: [of, start + window] })
    case 'proven':
      return encodeErrorResult({ abi, errorName: 'ProofsAlreadyProven', args: [of] })
    case 'early':
      return encodeErrorResult({ abi, errorName: 'ProofsPeriodNotStarted', args: [of, start] })
    case 'paused':
      return encodeErrorResult({ abi, errorName: 'ProofsSeedMissing', args: [of] })
  }
}
