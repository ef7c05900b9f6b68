/** Lives of deals on an embedded chain, through the adapter that publishers and providers use. */
import {
  type Devnet,
  type EvmLedger,
  type Ledger,
  openEvmLedger,
  startDevnet,
  systemClock,
} from '@holdfast/chain'
import {
  amount,
  milliseconds,
  type Period,
  type Signer,
  seconds,
  silentLogger,
  type Timestamp,
} from '@holdfast/protocol'
import type { LifeChain } from './life-facts.ts'

const GAS_MONEY = 10n ** 18n
const WEALTH = amount(10n ** 30n)
/** Audits are frequent, answers few. */
const RULES = { directChallenges: 1, auditChance: 4 }

export class ChainOfLives implements LifeChain {
  readonly #devnet: Devnet
  readonly #reader: EvmLedger
  readonly #ledgers = new Map<string, EvmLedger>()

  private constructor(devnet: Devnet, reader: EvmLedger) {
    this.#devnet = devnet
    this.#reader = reader
  }

  static async open(stateDir: string): Promise<ChainOfLives> {
    const ambient = { stateDir, clock: systemClock, logger: silentLogger }
    const devnet = await startDevnet({ ...ambient, period: seconds(1000n), ...RULES })
    return new ChainOfLives(devnet, await devnet.ledger('deployer'))
  }

  get network() {
    return this.#devnet.network
  }

  time(): Promise<Timestamp> {
    return this.#reader.time()
  }

  async ledger(signer: Signer): Promise<Ledger> {
    const known = this.#ledgers.get(signer.address)
    if (known !== undefined) return known
    const { network } = this.#devnet
    await this.#devnet.control.give(signer.address, GAS_MONEY)
    await this.#devnet.mint(signer.address, WEALTH)
    const ambient = { clock: systemClock, logger: silentLogger }
    const ledger = await openEvmLedger({ network, rpc: network.rpc, signer, ...ambient })
    this.#ledgers.set(signer.address, ledger)
    const [token] = network.tokens
    if (token !== undefined) await ledger.deposit(token.address, WEALTH)
    return ledger
  }

  async enter(at: Timestamp): Promise<void> {
    const now = await this.time()
    await this.#devnet.control.advance(seconds(at > now ? at - now : 0n))
  }

  /** The network's relayer posts every seed; this one waits for it. */
  async postSeed(of: Period): Promise<void> {
    while ((await this.#reader.seed(of)) === undefined) await systemClock.sleep(milliseconds(20))
  }

  async close(): Promise<void> {
    for (const ledger of this.#ledgers.values()) await ledger.close()
    await this.#devnet.close()
  }
}
