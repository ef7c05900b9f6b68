/**
 * What parties sign: EIP-712 digests, ids and signatures, computed by viem from the type lists
 * written out here, not by the code of this repository.
 */
import { hashTypedData } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { account, value32 } from './reference.mjs'

const fields = (text) =>
  text.split(',').map((pair) => {
    const [type, name] = pair.split(' ')
    return { type, name }
  })

const TYPES = {
  DealTerms: fields(
    'address client,address provider,address token,uint8 scheme,bytes32 root,uint64 length,' +
      'bytes32 dataset,uint128 rate,uint32 periods,uint128 deposit,uint128 collateral,' +
      'uint32 notice,uint128 replacementCost,uint128 egressPrice,bytes32 attributes,' +
      'bytes32 takedown,uint64 openBefore,bytes32 nonce',
  ),
  Quote: fields(
    'address provider,address token,uint64 length,uint32 periods,uint128 rate,uint128 collateral,' +
      'uint32 notice,uint128 egressPrice,bytes32 attributes,uint64 expiry,bytes32 nonce',
  ),
  UploadVoucher: fields(
    'address payer,address provider,bytes32 tlsKeyHash,uint8 scheme,bytes32 root,uint64 length,' +
      'uint64 notBefore,uint64 expiry,bytes32 nonce',
  ),
  SessionGrant: fields(
    'address payer,address key,address provider,uint8 actions,uint64 bytesMax,uint64 notBefore,' +
      'uint64 expiry,bytes32 nonce',
  ),
  GrantRevocation: fields('address payer,bytes32 nonce,uint64 expiry'),
  StorageReceipt: fields(
    'address provider,address payer,uint8 scheme,bytes32 root,uint64 length,bytes32 voucherNonce,' +
      'uint64 storedAt',
  ),
}

const DOMAINS = [
  { chainId: 1n, verifyingContract: account('market', 0) },
  { chainId: 31_337n, verifyingContract: account('market', 1) },
]

/** Small, typical and greatest values of every width. */
const VALUES = {
  uint8: [1n, 1n, 2n],
  uint32: [0n, 360n, (1n << 32n) - 1n],
  uint64: [1n, 104_857_600n, (1n << 64n) - 1n],
  uint128: [0n, 3_617_000_000_000n, (1n << 128n) - 1n],
}

const messageOf = (type, n) =>
  Object.fromEntries(
    TYPES[type].map((field) => [
      field.name,
      field.type === 'address'
        ? account(type, field.name, n)
        : field.type === 'bytes32'
          ? value32(type, field.name, n)
          : VALUES[field.type][n],
    ]),
  )

const caseOf = async (type, n, domain) => {
  const message = messageOf(type, n)
  const input = {
    domain: { name: 'Holdfast', version: '1', ...domain },
    types: { [type]: TYPES[type] },
    primaryType: type,
    message,
  }
  const privateKey = value32('test key', type, n)
  const signer = privateKeyToAccount(privateKey)
  const plain = Object.entries(message).map(([name, value]) => [name, String(value)])
  return {
    chainId: String(domain.chainId),
    verifyingContract: domain.verifyingContract,
    ...Object.fromEntries(plain),
    digest: hashTypedData(input),
    privateKey,
    signer: signer.address.toLowerCase(),
    signature: await signer.signTypedData(input),
  }
}

const casesOf = (type) =>
  Promise.all(DOMAINS.flatMap((domain) => [0, 1, 2].map((n) => caseOf(type, n, domain))))

export const dealTerms = () => casesOf('DealTerms')
export const quotes = () => casesOf('Quote')
export const uploadVouchers = () => casesOf('UploadVoucher')
export const sessionGrants = () => casesOf('SessionGrant')
export const grantRevocations = () => casesOf('GrantRevocation')
export const storageReceipts = () => casesOf('StorageReceipt')
