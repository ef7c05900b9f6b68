/**
 * ERC-2612 permits: leave to the vault to take tokens, given by signature instead of by a
 * transaction of its own. A token says by its methods whether it knows permits.
 */
import {
  type Address,
  type Amount,
  type CallOptions,
  type Hash32,
  HoldfastError,
  hash32,
  type Signer,
} from '@holdfast/protocol'
import { hashTypedData } from 'viem'
import { readContract } from 'viem/actions'
import { testStablecoinAbi } from '../generated/contracts.ts'
import { type EvmClient, reach } from './client.ts'
import type { PermitSignature } from './write.ts'

/** A permit that is used at once; an hour covers the slowest chain. */
const VALID_SECONDS = 3600n

const TYPES = {
  Permit: [
    { name: 'owner', type: 'address' },
    { name: 'spender', type: 'address' },
    { name: 'value', type: 'uint256' },
    { name: 'nonce', type: 'uint256' },
    { name: 'deadline', type: 'uint256' },
  ],
} as const

interface PermitToken {
  readonly nonce: bigint
  readonly name: string
  readonly version: string
}

/** What signing a permit takes, or undefined when the token knows none. */
const permitToken = async (
  client: EvmClient,
  token: Address,
  owner: Address,
  options?: CallOptions,
): Promise<PermitToken | undefined> => {
  const contract = { address: token, abi: testStablecoinAbi } as const
  try {
    const [nonce, domain] = await Promise.all([
      reach(
        client,
        (rpc) => readContract(rpc, { ...contract, functionName: 'nonces', args: [owner] }),
        options,
      ),
      reach(
        client,
        (rpc) => readContract(rpc, { ...contract, functionName: 'eip712Domain' }),
        options,
      ),
    ])
    const [, name, version] = domain
    return { nonce, name, version }
  } catch (cause) {
    // Ours is a failure to reach the chain; anything else is the token's way to say no.
    if (HoldfastError.is(cause)) throw cause
    return undefined
  }
}

/** A permit for the vault, or undefined when the token knows no ERC-2612 with ERC-5267. */
export const signPermit = async (
  client: EvmClient,
  signer: Signer,
  of: { readonly token: Address; readonly amount: Amount; readonly now: bigint },
  options?: CallOptions,
): Promise<PermitSignature | undefined> => {
  const known = await permitToken(client, of.token, signer.address, options)
  if (known === undefined) return undefined
  const deadline = of.now + VALID_SECONDS
  const digest: Hash32 = hash32(
    hashTypedData({
      domain: {
        name: known.name,
        version: known.version,
        chainId: Number(client.network.chainId),
        verifyingContract: of.token,
      },
      types: TYPES,
      primaryType: 'Permit',
      message: {
        owner: signer.address,
        spender: client.network.contracts.vault,
        value: of.amount,
        nonce: known.nonce,
        deadline,
      },
    }),
  )
  return { deadline, signature: await signer.sign(digest) }
}
