/**
 * Our contracts on an embedded chain that is set back to its beginning for every history: block times
 * are told, nothing is random. Calls are sent as they are, without the adapter's way of sending, which
 * waits for receipts and has tests of its own; refusals are decoded as the adapter does.
 */
import {
  type Address,
  amount,
  type Hash32,
  type Hex,
  HoldfastError,
  type Period,
  roundFor,
  type Seconds,
  seconds,
  seedOf,
  silentLogger,
  type Timestamp,
  timestamp,
} from '@holdfast/protocol'
import { createContract, deployContracts } from '../../src/deploy/deploy.ts'
import { requireAnvil } from '../../src/devnet/anvil-binary.ts'
import { type AnvilProcess, startAnvil } from '../../src/devnet/anvil-process.ts'
import { type Call, callsTo } from '../../src/devnet/chain-rpc.ts'
import { mintData } from '../../src/devnet/populate.ts'
import { openChain } from '../../src/evm/client.ts'
import { decodeRevert } from '../../src/evm/decode.ts'
import { decodeEvent, type EventLog } from '../../src/evm/events.ts'
import type { EvmLedger } from '../../src/evm/evm-ledger.ts'
import { openEvmLedger } from '../../src/evm/open.ts'
import type { Transaction } from '../../src/evm/transactor.ts'
import { approveCall, postSeedCall } from '../../src/evm/write.ts'
import { testStablecoinBytecode } from '../../src/generated/contracts.ts'
import { signerFromPrivateKey } from '../../src/keys/signer.ts'
import type { LedgerEvent, NetworkParams } from '../../src/ledger.ts'
import { localDrand, signaturePoint } from '../../src/relayer/drand.ts'
import { systemClock } from '../../src/system-adapters.ts'
import { toHexQuantity } from '../support/anvil-stage.ts'

const GENESIS = timestamp(1_700_000_000n)
const GAS = toHexQuantity(16_000_000n)
const COINS = 10n ** 24n

/** Figures that let much happen in few periods. */
export interface Rules {
  readonly answerTime: Seconds
  readonly auditChance: number
  readonly feeBps: number
}

export const MINIMUM_STAKE = amount(10_000n)
/** Outside the vault, of either token, for everybody. */
export const WEALTH = amount(400_000n)

const PERIOD = seconds(1000n)

/** Every account and key here follows from a number: a history is the same wherever it is told. */
export const keyOf = (number: number): Uint8Array => new Uint8Array(32).fill(number)

const DEPLOYER = signerFromPrivateKey(keyOf(200))
const DRAND = localDrand(keyOf(3))

/** What a node says when it refuses. */
interface RpcAnswer {
  readonly result?: unknown
  readonly error?: { readonly message?: unknown; readonly data?: unknown }
}

const deployed = async (url: string, rules: Rules): Promise<NetworkParams> => {
  const stop = new AbortController()
  const ambient = { clock: systemClock, logger: silentLogger, stop: stop.signal, pollMs: 10 }
  const chain = await openChain({ rpc: [url], ...ambient })
  try {
    const first = await createContract(chain, DEPLOYER, testStablecoinBytecode)
    const second = await createContract(chain, DEPLOYER, testStablecoinBytecode)
    return await deployContracts(chain, DEPLOYER, {
      ...{ tokens: [first, second], feeAccount: DEPLOYER.address, minimumStake: MINIMUM_STAKE },
      ...{ genesis: GENESIS, period: PERIOD, window: seconds(750n), seedDelay: seconds(1n) },
      ...{ disputeTime: seconds(2n * PERIOD), disputeBond: amount(701n) },
      ...{ disputeSlash: amount(3_333n), directChallenges: 2, ...rules },
      drand: { genesis: GENESIS, period: seconds(1n), publicKey: DRAND.publicKey },
    })
  } finally {
    stop.abort()
  }
}

export class Stage {
  readonly network: NetworkParams
  readonly reader: EvmLedger
  readonly #anvil: AnvilProcess
  readonly #call: Call
  readonly #points = new Map<Period, Uint8Array>()
  #beginning: unknown
  #id = 0

  private constructor(anvil: AnvilProcess, network: NetworkParams, reader: EvmLedger) {
    this.#anvil = anvil
    this.network = network
    this.reader = reader
    this.#call = callsTo(anvil.url)
  }

  /** @param accounts get gas, both tokens, and have the vault approved. */
  static async open(rules: Rules, accounts: readonly Address[]): Promise<Stage> {
    const extra = ['--timestamp', String(GENESIS), '--auto-impersonate']
    const parameters = { binary: requireAnvil(), port: 0, chainId: 31337n, extra }
    const anvil = await startAnvil(parameters, systemClock)
    try {
      const call = callsTo(anvil.url)
      for (const account of [DEPLOYER.address, ...accounts]) {
        await call('anvil_setBalance', [account, toHexQuantity(COINS)])
      }
      const network = await deployed(anvil.url, rules)
      const ambient = { clock: systemClock, logger: silentLogger }
      const reader = await openEvmLedger({ network, rpc: [anvil.url], ...ambient })
      const stage = new Stage(anvil, network, reader)
      await stage.#equip(accounts)
      return stage
    } catch (failure) {
      await anvil.close()
      throw failure
    }
  }

  async close(): Promise<void> {
    await this.reader.close()
    await this.#anvil.close()
  }

  /** Back to where every history begins. */
  async rewind(): Promise<void> {
    if (this.#beginning !== undefined) await this.#call('evm_revert', [this.#beginning])
    this.#beginning = await this.#call('evm_snapshot', [])
  }

  /** The time of the next block. */
  async setTime(at: Timestamp): Promise<void> {
    await this.#call('evm_setNextBlockTimestamp', [Number(at)])
  }

  /** The seed that a period gets when its round is posted. */
  seedFor(of: Period): Hash32 {
    const { chainId, contracts } = this.network
    const round = roundFor(this.network, of)
    return seedOf({ chainId, beacon: contracts.beacon, round, signature: this.#point(of) })
  }

  postSeed(of: Period): Promise<readonly LedgerEvent[]> {
    return this.send(DEPLOYER.address, postSeedCall(this.network.contracts, of, this.#point(of)))
  }

  /** Sends a call in a block of its own. @throws HoldfastError what it is refused with. */
  async send(from: Address, { to, data }: Transaction): Promise<readonly LedgerEvent[]> {
    const request = { from, to, data, gas: GAS }
    const tried = await this.#ask('eth_call', [request, 'pending'])
    if (tried.error !== undefined) throw refusalOf(tried.error)
    const hash = await this.#call('eth_sendTransaction', [request])
    const { status, logs } = await this.#receipt(String(hash))
    if (status !== '0x1') throw new Error('a call that was not refused was refused when mined')
    return logs.flatMap((log) => decodeEvent(this.network, log) ?? [])
  }

  async mine(): Promise<void> {
    await this.#call('evm_mine', [])
  }

  #point(of: Period): Uint8Array {
    const point = this.#points.get(of) ?? signaturePoint(DRAND.sign(roundFor(this.network, of)))
    this.#points.set(of, point)
    return point
  }

  async #equip(accounts: readonly Address[]): Promise<void> {
    for (const { address: token } of this.network.tokens) {
      for (const account of accounts) {
        await this.send(DEPLOYER.address, { to: token, data: mintData(account, WEALTH) })
        await this.send(account, approveCall(this.network.contracts, token, amount(1n << 100n)))
      }
    }
  }

  async #ask(method: string, params: readonly unknown[]): Promise<RpcAnswer> {
    this.#id += 1
    const body = JSON.stringify({ jsonrpc: '2.0', id: this.#id, method, params })
    const headers = { 'content-type': 'application/json' }
    const answer = await fetch(this.#anvil.url, { method: 'POST', headers, body })
    return (await answer.json()) as RpcAnswer
  }

  /** The chain answers with the hash before the block is there. */
  async #receipt(hash: string): Promise<{ status: string; logs: readonly EventLog[] }> {
    for (;;) {
      const receipt = await this.#call('eth_getTransactionReceipt', [hash])
      if (receipt !== null) return receipt as { status: string; logs: readonly EventLog[] }
    }
  }
}

const refusalOf = ({ message, data }: NonNullable<RpcAnswer['error']>): Error => {
  if (typeof data === 'string') return new HoldfastError(decodeRevert(data as Hex))
  return new Error(`the chain refused without a reason: ${String(message)}`)
}
