/**
 * Sends transactions of one account, one after the other up to the moment they are handed over, so
 * that concurrent writes get consecutive nonces; waiting for receipts happens side by side. Every
 * write is simulated first: a refusal costs no gas and is decoded. A transaction that was handed
 * over is never replaced by another one; while it waits it is handed over again.
 */
import {
  bytesUint,
  type CallOptions,
  fromHex,
  type Hash32,
  type Hex,
  HoldfastError,
  hash32,
  milliseconds,
  type Signer,
  toHex,
} from '@holdfast/protocol'
import { keccak_256 } from '@noble/hashes/sha3.js'
import {
  BaseError,
  parseSignature,
  serializeTransaction,
  type TransactionReceipt,
  TransactionReceiptNotFoundError,
  type TransactionSerializableEIP1559,
  type Hex as ViemHex,
} from 'viem'
import {
  call,
  estimateGas,
  getBalance,
  getTransactionCount,
  getTransactionReceipt,
} from 'viem/actions'
import type { BlockRef } from '../ledger.ts'
import { systemRandom } from '../system-adapters.ts'
import { getHeaderOf, refOf } from './blocks.ts'
import { type ChainClient, pause, reach } from './client.ts'
import { decodeFailure } from './decode.ts'
import { currentFees } from './fees.ts'
import { Turns } from './turns.ts'

/** EIP-7825: a transaction above this is invalid on every current chain. */
export const TRANSACTION_GAS_MAX: bigint = 1n << 24n
/** Room above the estimate: a quarter, for state that other transactions change in between, ... */
const GAS_MARGIN_DIVISOR = 4n
/**
 * ... and a fixed part, for what time alone changes: an estimate taken in one period and mined in the
 * next meets slots still to be written (a tree's snapshot, three; a payment, three).
 */
const GAS_ROOM = 80_000n
const GAS_SALT_MAX = 4096n
const NONCE_TRIES = 5
const NONCE_PAUSE_MS = 100
const RECEIPT_FIRST_MS = 5
const REBROADCAST_MS = 20_000
const RECEIPT_WAIT_MS = 15 * 60_000

export interface Transaction {
  /** Undefined creates a contract. */
  readonly to?: Hex
  readonly data: Hex
  /** Gas that a change of period may add to the estimate; default 80,000. */
  readonly gasRoom?: bigint
}

export interface Mined {
  readonly receipt: TransactionReceipt
  readonly block: BlockRef
}

type Unsigned = TransactionSerializableEIP1559 &
  Transaction & { readonly gas: bigint; readonly nonce: number }

interface Sent extends Transaction {
  readonly nonce: number
  readonly hash: Hash32
  readonly raw: ViemHex
  readonly gas: bigint
}

export class Transactor {
  readonly #client: ChainClient
  readonly #signer: Signer
  readonly #turns = new Turns()
  /** Nonces handed over and not yet seen mined; an endpoint may not have noticed them. */
  readonly #inFlight = new Set<number>()
  /**
   * A little gas on top, another for every program: two that use one key never sign the same bytes,
   * so neither takes the other's transaction for its own.
   */
  readonly #salt: bigint

  constructor(client: ChainClient, signer: Signer) {
    this.#client = client
    this.#signer = signer
    this.#salt = bytesUint(systemRandom.bytes(2)) % GAS_SALT_MAX
  }

  /**
   * Simulates, signs, sends, and waits until it is mined.
   * @throws HoldfastError what the contract refuses, decoded; `FUNDS_INSUFFICIENT` when the account
   *   cannot pay the gas; `TRANSACTION_TOO_LARGE`; `TIMED_OUT` when it is not mined in time;
   *   `LEDGER_UNREACHABLE`, `ABORTED`.
   */
  async send(transaction: Transaction, options: CallOptions = {}): Promise<Mined> {
    const sent = await this.#turns.take(() => this.#handOver(transaction, options))
    try {
      const mined = await this.#mined(sent, options)
      if (mined.receipt.status === 'reverted') throw await this.#refusal(sent, mined.receipt)
      return mined
    } finally {
      this.#inFlight.delete(sent.nonce)
    }
  }

  async #handOver(
    { gasRoom = GAS_ROOM, ...transaction }: Transaction,
    options: CallOptions,
  ): Promise<Sent> {
    const request = { ...transaction, account: this.#signer.address, blockTag: 'pending' } as const
    const [gas, fees, balance, first] = await Promise.all([
      this.#gasFor(request, gasRoom, options),
      currentFees(this.#client, options),
      reach(this.#client, (rpc) => getBalance(rpc, { address: this.#signer.address }), options),
      this.#nonce(options),
    ])
    this.#checkBalance(balance, gas * fees.maxFeePerGas)
    const body = { type: 'eip1559', chainId: Number(this.#client.chainId), ...fees, gas } as const
    let nonce = first
    for (let round = 1; ; round++) {
      const sent = await this.#sign({ ...body, ...transaction, nonce })
      if ((await this.#submit(sent, options)) === 'taken') {
        this.#inFlight.add(nonce)
        return sent
      }
      if (round === NONCE_TRIES) {
        const reason = `nonce ${nonce} of ${this.#signer.address} is used by another program`
        throw new HoldfastError({ code: 'TX_REVERTED', error: 'NonceTaken', args: [reason] })
      }
      await pause(this.#client, milliseconds(NONCE_PAUSE_MS), options)
      nonce = await this.#nonce(options)
    }
  }

  #checkBalance(available: bigint, needed: bigint): void {
    if (available >= needed) return
    const message = `${this.#signer.address} has ${available} wei of native coin; this transaction may need ${needed} for gas`
    throw new HoldfastError({ code: 'FUNDS_INSUFFICIENT', needed, available }, { message })
  }

  async #gasFor(
    request: Transaction & { readonly account: Hex; readonly blockTag: 'pending' },
    room: bigint,
    options: CallOptions,
  ): Promise<bigint> {
    let estimate: bigint
    try {
      // The call is what the decoded refusal comes from; the estimate alone may hide it.
      const [answer] = await Promise.all([
        reach(this.#client, (rpc) => estimateGas(rpc, request), options),
        reach(this.#client, (rpc) => call(rpc, request), options),
      ])
      estimate = answer
    } catch (cause) {
      throw decodeFailure(cause)
    }
    if (estimate > TRANSACTION_GAS_MAX) {
      throw new HoldfastError({
        code: 'TRANSACTION_TOO_LARGE',
        limit: TRANSACTION_GAS_MAX,
        actual: estimate,
      })
    }
    const roomy = estimate + estimate / GAS_MARGIN_DIVISOR + room + this.#salt
    return roomy < TRANSACTION_GAS_MAX ? roomy : TRANSACTION_GAS_MAX
  }

  async #nonce(options: CallOptions): Promise<number> {
    const { address } = this.#signer
    const counted = await reach(
      this.#client,
      (rpc) => getTransactionCount(rpc, { address, blockTag: 'pending' }),
      options,
    )
    return Math.max(counted, ...[...this.#inFlight].map((nonce) => nonce + 1))
  }

  async #sign(transaction: Unsigned): Promise<Sent> {
    const digest = keccak_256(fromHex(serializeTransaction(transaction)))
    const signature = await this.#signer.sign(hash32(toHex(digest)))
    const raw = serializeTransaction(transaction, parseSignature(signature))
    const hash = hash32(toHex(keccak_256(fromHex(raw))))
    const { data, gas, nonce } = transaction
    const to = transaction.to === undefined ? {} : { to: transaction.to }
    return { ...to, data, gas, nonce, raw, hash }
  }

  /** Hands a signed transaction over; handing the same one over again does no harm. */
  async #submit({ raw, hash }: Sent, options: CallOptions): Promise<'taken' | 'nonce used'> {
    try {
      await reach(
        this.#client,
        (rpc) => rpc.request({ method: 'eth_sendRawTransaction', params: [raw] }),
        options,
      )
      return 'taken'
    } catch (cause) {
      if (HoldfastError.is(cause) || !(cause instanceof BaseError)) throw cause
      const words = `${cause.message} ${cause.details}`.toLowerCase()
      if (/already known|already imported|alreadyknown/.test(words)) return 'taken'
      if (!/nonce too low|nonce is too low|replacement transaction|underpriced/.test(words)) {
        throw decodeFailure(cause)
      }
      // An answer may have been lost and the same transaction sent again: then it is ours after all.
      return (await this.#isKnown(hash, options)) ? 'taken' : 'nonce used'
    }
  }

  async #isKnown(hash: Hash32, options: CallOptions): Promise<boolean> {
    const found = await reach(
      this.#client,
      (rpc) => rpc.request({ method: 'eth_getTransactionByHash', params: [hash] }),
      options,
    )
    return found !== null
  }

  /** Undefined while it is not mined, or when its block was reorganised away just now. */
  async #receipt(hash: Hash32, options: CallOptions): Promise<Mined | undefined> {
    try {
      const receipt = await reach(
        this.#client,
        (rpc) => getTransactionReceipt(rpc, { hash }),
        options,
      )
      const header = await getHeaderOf(this.#client, hash32(receipt.blockHash), options)
      return header === undefined ? undefined : { receipt, block: refOf(header) }
    } catch (cause) {
      if (cause instanceof TransactionReceiptNotFoundError) return undefined
      throw cause
    }
  }

  async #mined(sent: Sent, options: CallOptions): Promise<Mined> {
    const { clock, pollMs } = this.#client
    const started = clock.now()
    let broadcast = started
    let wait = RECEIPT_FIRST_MS
    for (;;) {
      const mined = await this.#receipt(sent.hash, options)
      if (mined !== undefined) return mined
      const now = clock.now()
      if (now - started > RECEIPT_WAIT_MS) {
        const what = `transaction ${sent.hash} to be mined`
        throw new HoldfastError({ code: 'TIMED_OUT', what, afterMs: RECEIPT_WAIT_MS })
      }
      if (now - broadcast > REBROADCAST_MS) {
        broadcast = now
        await this.#submit(sent, options)
      }
      await pause(this.#client, milliseconds(wait), options)
      wait = Math.min(wait * 2, pollMs)
    }
  }

  /** Mined, but refused: the same call on the state of its block says why. */
  async #refusal(sent: Sent, receipt: TransactionReceipt): Promise<HoldfastError> {
    const { data, gas } = sent
    const { blockNumber } = receipt
    try {
      const to = sent.to === undefined ? {} : { to: sent.to }
      const again = { ...to, data, gas, account: this.#signer.address, blockNumber }
      await reach(this.#client, (rpc) => call(rpc, again))
    } catch (cause) {
      return HoldfastError.is(cause) ? cause : decodeFailure(cause)
    }
    const args = [`transaction ${sent.hash}`, `gas used ${receipt.gasUsed} of ${gas}`]
    return new HoldfastError({ code: 'TX_REVERTED', error: 'NoReason', args })
  }
}
