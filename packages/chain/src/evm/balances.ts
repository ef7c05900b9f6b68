/** Reads of money, one function per question, as in read.ts. */
import {
  type Address,
  type Amount,
  amount,
  type CallOptions,
  HoldfastError,
} from '@holdfast/protocol'
import { erc20Abi } from 'viem'
import { getBalance, readContract } from 'viem/actions'
import { vaultAbi } from '../generated/contracts.ts'
import { type EvmClient, reach } from './client.ts'
import { orRefusal } from './read.ts'

/** Free balance in the vault. */
export const readVaultBalance = async (
  client: EvmClient,
  of: { readonly owner: Address; readonly token: Address },
  options?: CallOptions,
): Promise<Amount> => {
  const call = {
    address: client.network.contracts.vault,
    abi: vaultAbi,
    functionName: 'balanceOf',
    args: [of.token, of.owner],
  } as const
  return amount(await orRefusal(reach(client, (rpc) => readContract(rpc, call), options)))
}

/** Balance in the token's own ledger. */
export const readTokenBalance = async (
  client: EvmClient,
  of: { readonly owner: Address; readonly token: Address },
  options?: CallOptions,
): Promise<Amount> => {
  const call = {
    address: of.token,
    abi: erc20Abi,
    functionName: 'balanceOf',
    args: [of.owner],
  } as const
  return amount(await orRefusal(reach(client, (rpc) => readContract(rpc, call), options)))
}

/**
 * What a deposit takes is there, in a token that the vault takes: what is no token has no balance.
 * @throws HoldfastError `TERMS_INVALID`, `FUNDS_INSUFFICIENT`.
 */
export const requireTokens = async (
  client: EvmClient,
  of: { readonly owner: Address; readonly token: Address; readonly amount: Amount },
  options?: CallOptions,
): Promise<void> => {
  if (!client.network.tokens.some((known) => known.address === of.token)) {
    const reason = `the vault does not take it (${of.token})`
    throw new HoldfastError({ code: 'TERMS_INVALID', field: 'token', reason })
  }
  const available = await readTokenBalance(client, of, options)
  if (available >= of.amount) return
  throw new HoldfastError({ code: 'FUNDS_INSUFFICIENT', needed: of.amount, available })
}

/** Native coin in wei. */
export const readGasBalance = (
  client: EvmClient,
  owner: Address,
  options?: CallOptions,
): Promise<bigint> => reach(client, (rpc) => getBalance(rpc, { address: owner }), options)

/** All fees ever collected in a token. */
export const readFeesCollected = async (
  client: EvmClient,
  token: Address,
  options?: CallOptions,
): Promise<Amount> => {
  const call = {
    address: client.network.contracts.vault,
    abi: vaultAbi,
    functionName: 'feesCollected',
    args: [token],
  } as const
  return amount(await orRefusal(reach(client, (rpc) => readContract(rpc, call), options)))
}
