/** `holdfast fund <amount>` and `withdraw <amount|all>`: money into the vault and out of it. */
import { grantDevnetFunds, type TokenInfo } from '@holdfast/chain'
import { type Amount, HoldfastError } from '@holdfast/protocol'
import { tokenOf } from '../config/open-network.ts'
import type { CommandResult } from '../ui/output.ts'
import { confirm } from '../ui/prompt.ts'
import { formatAmount, parseAmount } from '../ui/text.ts'
import type { Register, Runtime } from './runtime.ts'
import { type SigningSession, withSigner } from './session.ts'

interface Flags {
  readonly token?: string
  readonly yes?: boolean
}

export const registerFund: Register = (program, run) => {
  program
    .command('fund <amount>')
    .description('deposit tokens into the vault; on a devnet they are made when they are missing')
    .option('--token <symbol>', "the network's default token unless given")
    .option('--yes', 'do not ask')
    .action(run<Flags>((runtime, flags, text = '') => move(runtime, flags, text, 'deposit')))
  program
    .command('withdraw <amount>')
    .description('take free tokens out of the vault; "all" takes everything')
    .option('--token <symbol>', "the network's default token unless given")
    .option('--yes', 'do not ask')
    .action(run<Flags>((runtime, flags, text = '') => move(runtime, flags, text, 'withdraw')))
}

/** On a devnet, makes what is missing of `needed` in the account's own balance. */
export const ensureTokens = async (
  runtime: Runtime,
  { ledger, network, signer, options }: SigningSession,
  { token, needed }: { readonly token: TokenInfo; readonly needed: Amount },
): Promise<void> => {
  const owned = await ledger.tokenBalance(signer.address, token.address, options)
  const gas = await ledger.gasBalance(signer.address, options)
  if (owned >= needed && gas > 0n) return
  if (network.devnet === undefined) {
    if (owned >= needed) return
    throw new HoldfastError({ code: 'FUNDS_INSUFFICIENT', needed, available: owned })
  }
  const units = owned >= needed ? 0n : needed - owned
  await grantDevnetFunds(network, { owner: signer.address, units }, runtime.clock)
}

const move = (
  runtime: Runtime,
  flags: Flags,
  text: string,
  direction: 'deposit' | 'withdraw',
): Promise<CommandResult> =>
  withSigner(runtime, async (session) => {
    const { ledger, network, signer, options } = session
    const token = tokenOf(network, flags.token)
    const before = await ledger.balance(signer.address, token.address, options)
    const all = direction === 'withdraw' && text === 'all'
    const units = all ? before : parseAmount(text, token.decimals)
    if (units === 0n)
      throw new HoldfastError({ code: 'NOTHING_TO_DO', reason: 'the amount is zero' })
    if (direction === 'deposit') await ensureTokens(runtime, session, { token, needed: units })
    else if (units > before) {
      throw new HoldfastError({ code: 'FUNDS_INSUFFICIENT', needed: units, available: before })
    }
    await approve(flags, `${direction} ${formatAmount(units, token.decimals)} ${token.symbol}?`)
    const { transaction } = await ledger[direction](token.address, units, options)
    const balance = await ledger.balance(signer.address, token.address, options)
    const { symbol, decimals } = token
    return {
      value: {
        account: signer.address,
        token: symbol,
        decimals,
        amount: units,
        balance,
        transaction,
      },
      text: `vault balance ${formatAmount(balance, decimals)} ${symbol}`,
    }
  })

/** Asked at a terminal only: a script that names an amount means it. */
const approve = async (flags: Flags, question: string): Promise<void> => {
  if (flags.yes === true || process.stdin.isTTY !== true) return
  if (!(await confirm(question))) {
    throw new HoldfastError({ code: 'DECLINED', reason: 'not confirmed' })
  }
}
