/** Reads of money, one function per question, as in read.ts. */
import { type Address, type Amount, amount, type CallOptions } from '@holdfast/protocol'
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
