/**
 * `stake`, `withdraw` and `claim`: the owner's money in the vault and the registry. Each looks first, so saying
 * it twice never moves more than was asked once per call.
 */
import type { ProviderRecord } from '@holdfast/chain'
import { type Amount, amount, HoldfastError } from '@holdfast/protocol'
import { parseTokens } from '../quantity.ts'
import type { CommandResult } from './output.ts'
import { asOwner, type Owner, type OwnerFlags } from './owner.ts'

/** The registry's entry. @throws HoldfastError `PROVIDER_NOT_FOUND`. */
export const recordOf = async ({ ledger, provider }: Owner): Promise<ProviderRecord> => {
  const record = await ledger.provider(provider)
  if (record === undefined) throw new HoldfastError({ code: 'PROVIDER_NOT_FOUND', provider })
  return record
}

/** Locks more stake, from the vault and, as far as that does not reach, from the owner's wallet. */
export const stake = (added: string, flags: OwnerFlags): Promise<CommandResult> =>
  asOwner(flags, async (owner) => {
    const { ledger, provider, token, decimals, say } = owner
    const more = parseTokens('stake', added, decimals)
    if (more === 0n) throw new HoldfastError({ code: 'USAGE', reason: 'stake more than nothing' })
    const before = await recordOf(owner)
    await fillVault(owner, more)
    const { transaction } = await ledger.addStake(more)
    const { stake: now } = await recordOf(owner)
    const vault = await ledger.balance(provider, token)
    return {
      json: { provider, added: more, stakeBefore: before.stake, stake: now, vault, transaction },
      lines: [`stake ${say(now)}, of which ${say(more)} are new; ${say(vault)} free in the vault`],
    }
  })

/** @throws HoldfastError `FUNDS_INSUFFICIENT` when vault and wallet together do not reach. */
const fillVault = async ({ ledger, provider, token }: Owner, wanted: Amount): Promise<void> => {
  const held = await ledger.balance(provider, token)
  if (held >= wanted) return
  const missing = amount(wanted - held)
  const available = await ledger.tokenBalance(provider, token)
  if (available < missing) {
    throw new HoldfastError({ code: 'FUNDS_INSUFFICIENT', needed: missing, available })
  }
  await ledger.deposit(token, missing)
}

/** Moves free money from the vault to the owner's account: an amount, or `all`. */
export const withdraw = (wanted: string, flags: OwnerFlags): Promise<CommandResult> =>
  asOwner(flags, async ({ ledger, provider, token, decimals, say }) => {
    const held = await ledger.balance(provider, token)
    const taken = wanted === 'all' ? held : parseTokens('withdraw', wanted, decimals)
    if (taken > held) {
      throw new HoldfastError({ code: 'FUNDS_INSUFFICIENT', needed: taken, available: held })
    }
    if (taken === 0n) {
      throw new HoldfastError({ code: 'NOTHING_TO_DO', reason: 'the vault holds nothing free' })
    }
    const { transaction } = await ledger.withdraw(token, taken)
    const vault = await ledger.balance(provider, token)
    return {
      json: { provider, withdrawn: taken, vault, transaction },
      lines: [`withdrew ${say(taken)}; ${say(vault)} free in the vault`],
    }
  })

/** Credits what deals earned, and the provider still holds, to its beneficiary's vault balance. */
export const claim = (flags: OwnerFlags): Promise<CommandResult> =>
  asOwner(flags, async (owner) => {
    const { ledger, provider, token, say } = owner
    const { beneficiary = provider } = await recordOf(owner)
    const before = await ledger.balance(beneficiary, token)
    const { transaction } = await ledger.claim(token, provider)
    const vault = await ledger.balance(beneficiary, token)
    const claimed = vault > before ? vault - before : 0n
    return {
      json: { provider, beneficiary, claimed, vault, transaction },
      lines: [`${say(claimed)} credited to ${beneficiary}; ${say(vault)} in its vault`],
    }
  })
