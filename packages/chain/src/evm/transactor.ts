/**
 * Sends transactions of one account. Every write is tried first: a refusal costs no gas and is
 * decoded. Then it is signed, written into the outbox, and handed over; from there on the keeper
 * (`line-keeper.ts`) sees it through: the same bytes again, or a dearer form for the same nonce,
 * never a second transaction for one intent. Writes wait for their receipts side by side.
 *
 * With a durable outbox it goes on after a crash where it was: opened again, it hands over what was
 * signed, and a write of the same name joins it.
 */
import {
  bytesUint,
  type CallOptions,
  type Hex,
  HoldfastError,
  type Random,
  type Signer,
} from '@holdfast/protocol'
import type { TransactionReceipt } from 'viem'
import { call, getBalance } from 'viem/actions'
import type { Attempt, Intent } from '../outbox/nonce-line.ts'
import { type IntentId, memoryOutbox, type Outbox } from '../outbox/outbox.ts'
import { OutboxBook } from '../outbox/outbox-book.ts'
import type { SendOptions } from '../send-options.ts'
import { systemRandom } from '../system-adapters.ts'
import { sharedHead } from './agreement.ts'
import { isKnown } from './broadcast.ts'
import { type ChainClient, reach } from './client.ts'
import { readCounts } from './counts.ts'
import { decodeFailure } from './decode.ts'
import { readMarket } from './fees.ts'
import { LineKeeper } from './line-keeper.ts'
import { LineWriter, type PreparedCall } from './line-writer.ts'
import { offerAt } from './prices.ts'
import type { Mined } from './receipts.ts'
import { GAS_ROOM, gasLimitFor } from './simulate.ts'

export type { Mined } from './receipts.ts'

const GAS_SALT_MAX = 4096n
/** Somebody else who has the key may take this many nonces from one intent. */
const MOVES_MAX = 5

export interface Transaction {
  /** Undefined creates a contract. */
  readonly to?: Hex
  readonly data: Hex
  /** Gas that a change of period may add to the estimate; default 80,000. */
  readonly gasRoom?: bigint
}

export interface TransactorSettings {
  readonly outbox?: Outbox
  readonly random?: Random
}

interface Opened {
  readonly book: OutboxBook
  readonly writer: LineWriter
  readonly keeper: LineKeeper
}

/** An intent that is on the line, and what becomes of it. */
interface Begun {
  readonly intent: IntentId
  readonly outcome: Promise<Mined>
}

export class Transactor {
  readonly #client: ChainClient
  readonly #signer: Signer
  readonly #outbox: Outbox
  /**
   * A little gas on top, another for every program: two that use one key never sign the same bytes,
   * so neither takes the other's transaction for its own.
   */
  readonly #salt: bigint
  readonly #moves = new Map<IntentId, number>()
  #opened: Promise<Opened> | undefined

  constructor(client: ChainClient, signer: Signer, settings: TransactorSettings = {}) {
    const { outbox = memoryOutbox(), random = systemRandom } = settings
    this.#client = client
    this.#signer = signer
    this.#outbox = outbox
    this.#salt = bytesUint(random.bytes(2)) % GAS_SALT_MAX
  }

  /** Reads the outbox and sees through what is open in it. Sending does so by itself. */
  async resume(): Promise<void> {
    const { keeper } = await this.#open()
    keeper.wake()
  }

  /**
   * Tries, signs, records, sends, and waits until it is mined.
   * @param name while a write of this name is open, another one joins it.
   * @throws HoldfastError what the contract refuses, decoded; `FUNDS_INSUFFICIENT` when the account
   *   cannot pay the gas; `TRANSACTION_TOO_LARGE`; `TIMED_OUT` when it is not mined in time, and
   *   then it may still be, unless it had a deadline; `LEDGER_UNREACHABLE`, `ABORTED`, and what the
   *   outbox refuses.
   */
  async send(transaction: Transaction, options: SendOptions = {}, name?: string): Promise<Mined> {
    const { keeper, book } = await this.#open()
    const open = this.#joinable(book, transaction, name)
    const { outcome } =
      open === undefined
        ? await this.#begin(transaction, options, name)
        : { outcome: keeper.outcome(open, options) }
    const mined = await outcome
    if (mined.receipt.status !== 'reverted') return mined
    throw await this.#refusal(transaction, mined.receipt)
  }

  /** Resolves when nothing of it runs any more, which the client's signal brings about. */
  async closed(): Promise<void> {
    const opened = await this.#opened?.catch(() => undefined)
    await opened?.keeper.closed()
  }

  #open(): Promise<Opened> {
    this.#opened ??= this.#build()
    return this.#opened
  }

  async #build(): Promise<Opened> {
    const client = this.#client
    const book = await OutboxBook.open(this.#outbox, this.#signer.address)
    const writer = new LineWriter(client.chainId, this.#signer, book)
    const moveOn = (intent: Intent): Promise<void> => this.#moveOn(intent, book, writer)
    const keeper = new LineKeeper({ client, book, writer, moveOn })
    return { book, writer, keeper }
  }

  /** An open intent of this name whose transaction says the same. */
  #joinable(
    { line }: OutboxBook,
    { to, data }: Transaction,
    name: string | undefined,
  ): IntentId | undefined {
    const open = name === undefined ? undefined : line.openNamed(name)
    const slot = open === undefined ? undefined : line.slotOf(open.intent)
    const last = slot?.attempts.findLast(({ cancels }) => !cancels)
    return last?.data === data && last.to === to?.toLowerCase() ? open?.intent : undefined
  }

  async #begin(
    { to, data, gasRoom = GAS_ROOM }: Transaction,
    options: SendOptions,
    name: string | undefined,
  ): Promise<Begun> {
    const { book, writer, keeper } = await this.#open()
    const client = this.#client
    const account = this.#signer.address
    const [gas, market, balance, counts, head] = await Promise.all([
      gasLimitFor(client, { account, to, data }, gasRoom + this.#salt, options),
      readMarket(client, options),
      reach(client, (rpc) => getBalance(rpc, { address: account }), options),
      readCounts(client, account, options),
      sharedHead(client, options),
    ])
    await keeper.lookBack(head, counts, options)
    keeper.noteJump(counts)
    const { lane = 'ledger', deadline, gasBudget } = options
    const spec = { name, lane, since: head.timestamp, deadline, gasBudget }
    const cap = gasBudget === undefined ? undefined : gasBudget / gas
    this.#checkBalance(balance, gas * offerAt(market, 0, cap).maxFeePerGas)
    // Waited for before it leaves: another look at the chain may settle it while it is handed over.
    const begun = await writer.begin(spec, { to, data, gas }, { counts, market }, (intent) => ({
      intent,
      outcome: keeper.outcome(intent, options),
    }))
    begun.outcome.catch(() => undefined)
    await this.#handOver(begun.intent, book, keeper, options)
    keeper.wake()
    return begun
  }

  async #handOver(
    intent: IntentId,
    { line }: OutboxBook,
    keeper: LineKeeper,
    options: CallOptions,
  ): Promise<void> {
    const slot = line.slotOf(intent)
    if (slot === undefined) return
    const handed = await keeper.handOver(slot.nonce, options)
    const hashes = slot.attempts.map(({ hash }: Attempt) => hash)
    if (handed.kind !== 'refused') return
    const known = await Promise.all(hashes.map((hash) => isKnown(this.#client, hash, options)))
    if (known.some((one) => one !== false)) return
    const error = decodeFailure(handed.cause)
    await keeper.abandon(intent, error)
    throw error
  }

  /** A new nonce for what lost its own; the call is tried again, because somebody did something. */
  async #moveOn(intent: Intent, book: OutboxBook, writer: LineWriter): Promise<void> {
    const client = this.#client
    const account = this.#signer.address
    const moves = (this.#moves.get(intent.intent) ?? 0) + 1
    this.#moves.set(intent.intent, moves)
    const former = book.line.slots
      .flatMap(({ attempts }) => attempts)
      .findLast((attempt) => attempt.intent === intent.intent && !attempt.cancels)
    if (former === undefined || moves > MOVES_MAX) {
      const args = [`the nonces of ${account} are used by another program`]
      throw new HoldfastError({ code: 'TX_REVERTED', error: 'NonceTaken', args })
    }
    const { to, data } = former
    const [gas, market, counts] = await Promise.all([
      gasLimitFor(client, { account, to, data }, GAS_ROOM + this.#salt, {}),
      readMarket(client),
      readCounts(client, account),
    ])
    const call: PreparedCall = { to, data, gas }
    await writer.inTurn(() => writer.move(intent, call, { counts, market }))
  }

  #checkBalance(available: bigint, needed: bigint): void {
    if (available >= needed) return
    const message = `${this.#signer.address} has ${available} wei of native coin; this transaction may need ${needed} for gas`
    throw new HoldfastError({ code: 'FUNDS_INSUFFICIENT', needed, available }, { message })
  }

  /** Mined, but refused: the same call on the state of its block says why. */
  async #refusal({ to, data }: Transaction, receipt: TransactionReceipt): Promise<HoldfastError> {
    const { blockNumber, transactionHash, gasUsed } = receipt
    try {
      const target = to === undefined ? {} : { to }
      const again = { ...target, data, account: this.#signer.address, blockNumber }
      await reach(this.#client, (rpc) => call(rpc, again))
    } catch (cause) {
      return HoldfastError.is(cause) ? cause : decodeFailure(cause)
    }
    const args = [`transaction ${transactionHash}`, `gas used ${gasUsed}`]
    return new HoldfastError({ code: 'TX_REVERTED', error: 'NoReason', args })
  }
}
