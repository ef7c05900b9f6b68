/** Signs EIP-1559 transactions with a key that signs digests. The same fields give the same bytes. */
import { fromHex, type Hash32, type Hex, hash32, type Signer, toHex } from '@holdfast/protocol'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { parseSignature, serializeTransaction } from 'viem'
import type { Offer } from './prices.ts'

export interface Unsigned extends Offer {
  readonly chainId: bigint
  readonly nonce: number
  /** Undefined creates a contract. */
  readonly to: Hex | undefined
  readonly data: Hex
  readonly gas: bigint
}

export interface Signed {
  readonly hash: Hash32
  readonly raw: Hex
}

export const signTransaction = async (signer: Signer, unsigned: Unsigned): Promise<Signed> => {
  const { to, chainId, ...fields } = unsigned
  const transaction = {
    ...fields,
    type: 'eip1559',
    chainId: Number(chainId),
    ...(to === undefined ? {} : { to }),
  } as const
  const digest = keccak_256(fromHex(serializeTransaction(transaction)))
  const signature = await signer.sign(hash32(toHex(digest)))
  const raw = serializeTransaction(transaction, parseSignature(signature))
  return { raw, hash: hash32(toHex(keccak_256(fromHex(raw)))) }
}
