/** The reads that money and deletion rest on, each as two endpoints give it (`agreement.ts`). */
import { type Address, type Amount, amount, type CallOptions } from '@holdfast/protocol'
import { readContract } from 'viem/actions'
import { vaultAbi } from '../generated/contracts.ts'
import { agreed, sharedHead } from './agreement.ts'
import type { EvmClient } from './client.ts'

/** Free balance in the vault at a block that two endpoints have reached. */
export const readAgreedBalance = async (
  client: EvmClient,
  of: { readonly owner: Address; readonly token: Address },
  options?: CallOptions,
): Promise<Amount> => {
  const { number: blockNumber } = await sharedHead(client, options)
  const call = {
    address: client.network.contracts.vault,
    abi: vaultAbi,
    functionName: 'balanceOf',
    args: [of.token, of.owner],
    blockNumber,
  } as const
  const what = `the vault balance of ${of.owner}`
  return amount(await agreed(client, what, (rpc) => readContract(rpc, call), options))
}
