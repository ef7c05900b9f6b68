/**
 * What all parties of a simulation share: one clock, one source of chance, one chain whose blocks come
 * with the clock, accounts with money, and the payloads there are.
 */
import { setMaxListeners } from 'node:events'
import {
  type AppliedBlock,
  createMemoryChain,
  type Ledger,
  type MemoryChain,
  Seeded,
  signerFromPrivateKey,
  type TokenInfo,
  VirtualClock,
} from '@holdfast/chain'
import {
  type Address,
  type Amount,
  amount,
  type Period,
  period,
  periodAt,
  type Root,
  type Signer,
  seconds,
  timestamp,
} from '@holdfast/protocol'
import { PayloadTree } from '@holdfast/provider'
import { type LineFaults, ledgerLine } from './line.ts'
import { Trace } from './trace.ts'

export const PERIOD_SECONDS = 1200
export const WINDOW_SECONDS = 900
/** Blocks come in about this many seconds. */
export const BLOCK_SECONDS = 60
const GENESIS = 1_700_000_000
const MONEY: Amount = amount(10n ** 15n)
const SIZES = [1, 700, 4_000, 9_000, 20_000, 33_000, 70_000, 110_000]

/** Hashing payloads takes longer than all else: they are made once for all seeds. */
const PAYLOADS: readonly PayloadTree[] = Array.from({ length: 32 }, (_, i) => {
  const bytes = new Seeded(i + 1).bytes(SIZES[i % SIZES.length] ?? 1)
  return new PayloadTree(bytes)
})
const BY_ROOT: ReadonlyMap<Root, PayloadTree> = new Map(PAYLOADS.map((one) => [one.root, one]))

const SIGNERS = new Map<number, Signer>()

/** A key from a number; the same for every seed. */
export const signerOf = (number: number): Signer => {
  const known = SIGNERS.get(number)
  if (known !== undefined) return known
  const signer = signerFromPrivateKey(new Uint8Array(32).fill(number))
  SIGNERS.set(number, signer)
  return signer
}

export interface WorldOptions {
  readonly seed: number
  readonly show?: (line: string) => void
}

export class World {
  readonly seed: number
  readonly clock = new VirtualClock(GENESIS * 1000)
  readonly random: Seeded
  readonly chain: MemoryChain
  readonly trace: Trace
  readonly token: TokenInfo
  /** Sees everything at once, and is never out. */
  readonly eye: Ledger
  /** What must never happen and did. */
  readonly violations: string[] = []
  /** When blocks were taken back: from the time of the oldest to now. */
  readonly reorgs: { readonly from: number; readonly to: number }[] = []
  /** As they stand now, oldest first. */
  readonly blocks: AppliedBlock[] = []
  readonly #over = new AbortController()
  minted = 0n
  /** Nothing breaks any more. */
  calm = false

  constructor({ seed, show }: WorldOptions) {
    this.seed = seed
    this.random = new Seeded(seed)
    this.trace = new Trace(() => this.clock.now(), show)
    this.chain = createMemoryChain({
      genesis: timestamp(GENESIS),
      period: seconds(PERIOD_SECONDS),
      window: seconds(WINDOW_SECONDS),
      directChallenges: 3,
      auditChance: this.random.pick([30, 2 ** 29, 2 ** 31]),
      randomSeed: this.random.bytes(32),
    })
    const [token] = this.chain.network.tokens
    if (token === undefined) throw new Error('a network has a token')
    this.token = token
    this.eye = this.chain.ledger(signerOf(250).address)
    setMaxListeners(0, this.over)
    this.atEnd(() => this.eye.close())
  }

  /** Fires when the run is over and nobody looks at it any more. */
  get over(): AbortSignal {
    return this.#over.signal
  }

  /** Done then. What still waits is told so, and what it does about it is of no interest. */
  atEnd(act: () => Promise<unknown>): void {
    const end = (): void => void act().catch(() => undefined)
    this.over.addEventListener('abort', end, { once: true })
    if (this.over.aborted) end()
  }

  /**
   * Lets go of everything that waits: programs that were killed in the middle of something, too. Node
   * keeps a signal made of others, and all that waits for it, until it fires.
   */
  end(): void {
    this.#over.abort()
  }

  get payloads(): readonly PayloadTree[] {
    return PAYLOADS
  }

  payload(root: Root): PayloadTree {
    const found = BY_ROOT.get(root)
    if (found === undefined) throw new Error(`nobody made payload ${root}`)
    return found
  }

  get seconds(): number {
    return Math.floor(this.clock.now() / 1000)
  }

  get period(): Period {
    return periodAt(this.chain.network, timestamp(this.seconds))
  }

  start(of: Period): number {
    return GENESIS + Number(of) * PERIOD_SECONDS
  }

  /** An account with money in the vault. */
  async fund(signer: Signer): Promise<void> {
    this.chain.mint(this.token.address, signer.address, MONEY)
    this.minted += MONEY
    await this.chain.ledger(signer.address).deposit(this.token.address, MONEY)
  }

  /** The chain as one account's endpoint shows it. */
  ledger(account: Address, faults: LineFaults): Ledger {
    const { clock, random, chain } = this
    const beforeWrite = (): void => chain.setTime(timestamp(this.seconds))
    const ledger = chain.ledger(account)
    this.atEnd(() => ledger.close())
    return ledgerLine(ledger, { clock, random, faults, beforeWrite })
  }

  violate(what: string): void {
    this.trace.say('violation', what)
    this.violations.push(what)
  }

  sleep(least: number, most: number = least): Promise<void> {
    return this.clock.sleep(millisecondsOf(this.random.between(least, most)))
  }

  /** Makes blocks and posts seeds for ever. */
  async mine(): Promise<never> {
    for (;;) {
      await this.sleep(BLOCK_SECONDS / 2, (3 * BLOCK_SECONDS) / 2)
      this.chain.setTime(timestamp(this.seconds))
      this.chain.advance(seconds(0))
      await this.#postSeed()
    }
  }

  /** Takes the newest blocks back. */
  async reorg(depth: number): Promise<void> {
    const tip = await this.eye.tip()
    if (tip.number < BigInt(depth) + 20n) return
    const oldest = this.blocks.at(-depth)
    this.trace.say('chain', 'reorg', { depth, tip: tip.number })
    this.chain.reorg(depth)
    this.reorgs.push({ from: Number(oldest?.ref.timestamp ?? 0n), to: this.seconds })
  }

  /** Follows the chain for ever, so that everybody can look at its blocks. */
  async watch(): Promise<void> {
    for await (const { reverted, applied } of this.eye.follow(undefined)) {
      this.blocks.length -= reverted.length
      this.blocks.push(...applied)
    }
  }

  async #postSeed(): Promise<void> {
    const now = period(this.period)
    const at = this.seconds - this.start(now)
    if (at < 5 || at >= WINDOW_SECONDS) return
    if ((await this.eye.seed(now)) === undefined) this.chain.postSeed(now)
  }
}

const millisecondsOf = (s: number): ReturnType<VirtualClock['now']> =>
  Math.round(s * 1000) as ReturnType<VirtualClock['now']>
