/**
 * Keeps the provider's stake above what the registry demands, when the operator configured it: a slash
 * is made good from the owner's free balance, before another one would stop new deals. Needs the
 * owner's key on this machine, which is why it is off unless asked for.
 *
 * Not here: taking deals again after a stop. That is the owner's word (`init`).
 */
import type { Ledger, LedgerReader } from '@holdfast/chain'
import {
  type Amount,
  amount,
  type Clock,
  type Logger,
  milliseconds,
  type ProviderId,
  smaller,
} from '@holdfast/protocol'
import type { ConfigReader } from '../config-reader.ts'

export interface StakeConfig {
  /** Stake is brought back to this, in base units of the network's first token. */
  readonly keepAt: Amount
  readonly ownerKeystore: string
  readonly ownerPassphraseFile: string
}

const MONEY_MAX: bigint = 2n ** 127n
const PATH = /^[^\p{Cc}]{1,4096}$/u

/** Reads `stake`: `{"keepAt":"units","ownerKeystore":"path","ownerPassphraseFile":"path"}`. */
export const readStakeConfig = (read: ConfigReader): StakeConfig => ({
  keepAt: amount(read.integer('keepAt', MONEY_MAX)),
  ownerKeystore: read.text('ownerKeystore', PATH, 'a path'),
  ownerPassphraseFile: read.text('ownerPassphraseFile', PATH, 'a path'),
})

/** What to add now: what is missing, as far as the free balance reaches. */
export const stakeToAdd = (
  stake: Amount,
  keepAt: Amount,
  free: Amount,
): { readonly add: Amount; readonly lacking: Amount } => {
  const missing = stake >= keepAt ? 0n : keepAt - stake
  const add = smaller(amount(missing), free)
  return { add, lacking: amount(missing - add) }
}

const LOOK_EVERY_MS = 60_000

export interface StakeKeeperDependencies {
  /** The ledger with the owner's key. */
  readonly owner: Pick<Ledger, 'addStake' | 'network'> & Pick<LedgerReader, 'balance' | 'provider'>
  readonly provider: ProviderId
  readonly keepAt: Amount
  readonly clock: Clock
  readonly logger: Logger
}

export class StakeKeeper {
  readonly #dependencies: StakeKeeperDependencies

  constructor(dependencies: StakeKeeperDependencies) {
    this.#dependencies = dependencies
  }

  /** Looks now and every minute. What goes wrong is logged and tried again. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#dependencies
    while (!signal.aborted) {
      await this.#look(signal).catch((error: unknown) => {
        if (signal.aborted) return
        const reason = error instanceof Error ? error.message : String(error)
        logger.warn('stake could not be kept up', { reason })
      })
      await clock.sleep(milliseconds(LOOK_EVERY_MS), { signal }).catch(() => undefined)
    }
  }

  async #look(signal: AbortSignal): Promise<void> {
    const { owner, provider, keepAt, logger } = this.#dependencies
    const [token] = owner.network.tokens
    const record = await owner.provider(provider, { signal })
    if (record === undefined || token === undefined || record.stake >= keepAt) return
    const free = await owner.balance(provider, token.address, { signal })
    const { add, lacking } = stakeToAdd(record.stake, keepAt, free)
    if (add > 0n) {
      const { transaction } = await owner.addStake(add, { signal })
      logger.info('stake added', { added: add, stake: record.stake + add, transaction })
    }
    if (lacking > 0n) logger.warn('the vault does not hold what the stake lacks', { lacking })
  }
}
