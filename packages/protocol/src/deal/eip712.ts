/**
 * EIP-712 digests of what parties sign. Each struct is one table of (Solidity type, name, value);
 * the type string and the encoding both come from it, so they cannot drift apart. Flat structs
 * only: no nesting, no arrays, no strings. Source: docs/spec/signatures.md. Twin: the Solidity
 * structs of the same names.
 */
import { uintBytes } from '../bytes.ts'
import { type DealId, fromHex, type Hash32, type Hex, toHex } from '../ids.ts'
import { keccak, keccakText } from '../keccak.ts'
import type {
  DealTerms,
  GrantRevocation,
  Quote,
  SessionGrant,
  SigningDomain,
  StorageReceipt,
  UploadVoucher,
} from './terms.ts'

type UintType = 'uint8' | 'uint32' | 'uint64' | 'uint128' | 'uint256'
type Field<T> =
  | readonly [type: UintType, name: string, value: (of: T) => bigint]
  | readonly [type: 'address' | 'bytes32', name: string, value: (of: T) => Hex]

interface Struct<T> {
  readonly typeString: string
  readonly fields: readonly Field<T>[]
}

const struct = <T>(name: string, fields: readonly Field<T>[]): Struct<T> => ({
  typeString: `${name}(${fields.map(([type, field]) => `${type} ${field}`).join(',')})`,
  fields,
})

const WORD = 32

const word = <T>(field: Field<T>, of: T): Uint8Array => {
  const out = new Uint8Array(WORD)
  const value = field[2](of)
  const packed =
    typeof value === 'bigint' ? uintBytes(value, Number(field[0].slice(4)) / 8) : fromHex(value)
  out.set(packed, WORD - packed.length)
  return out
}

const hashStruct = <T>({ typeString, fields }: Struct<T>, of: T): Uint8Array =>
  keccak(keccakText(typeString), ...fields.map((field) => word(field, of)))

const DOMAIN_TYPE = keccakText(
  'EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)',
)
const DOMAIN_NAME = keccakText('Holdfast')
const DOMAIN_VERSION = keccakText('1')

/** The EIP-712 domain separator of one network. @throws HoldfastError `UNIT_INVALID`. */
export const domainSeparator = (domain: SigningDomain): Hash32 =>
  toHex(
    keccak(
      DOMAIN_TYPE,
      DOMAIN_NAME,
      DOMAIN_VERSION,
      uintBytes(domain.chainId, WORD),
      new Uint8Array(WORD - 20),
      fromHex(domain.verifyingContract),
    ),
  ) as Hash32

const PREFIX = Uint8Array.of(0x19, 0x01)

const digest = <T>(shape: Struct<T>, of: T, domain: SigningDomain): Hash32 =>
  toHex(keccak(PREFIX, fromHex(domainSeparator(domain)), hashStruct(shape, of))) as Hash32

const DEAL_TERMS: Struct<DealTerms> = struct('DealTerms', [
  ['address', 'client', (t) => t.client],
  ['address', 'provider', (t) => t.provider],
  ['address', 'token', (t) => t.token],
  ['uint8', 'scheme', (t) => BigInt(t.scheme)],
  ['bytes32', 'root', (t) => t.root],
  ['uint64', 'length', (t) => t.length],
  ['bytes32', 'dataset', (t) => t.dataset],
  ['uint128', 'rate', (t) => t.rate],
  ['uint32', 'periods', (t) => t.periods],
  ['uint128', 'deposit', (t) => t.deposit],
  ['uint128', 'collateral', (t) => t.collateral],
  ['uint32', 'notice', (t) => t.notice],
  ['uint128', 'replacementCost', (t) => t.replacementCost],
  ['uint128', 'egressPrice', (t) => t.egressPrice],
  ['bytes32', 'attributes', (t) => t.attributes],
  ['bytes32', 'takedown', (t) => t.takedown],
  ['uint64', 'openBefore', (t) => t.openBefore],
  ['bytes32', 'nonce', (t) => t.nonce],
])

const QUOTE: Struct<Quote> = struct('Quote', [
  ['address', 'provider', (q) => q.provider],
  ['address', 'token', (q) => q.token],
  ['uint64', 'length', (q) => q.length],
  ['uint32', 'periods', (q) => q.periods],
  ['uint128', 'rate', (q) => q.rate],
  ['uint128', 'collateral', (q) => q.collateral],
  ['uint32', 'notice', (q) => q.notice],
  ['uint128', 'egressPrice', (q) => q.egressPrice],
  ['bytes32', 'attributes', (q) => q.attributes],
  ['uint64', 'expiry', (q) => q.expiry],
  ['bytes32', 'nonce', (q) => q.nonce],
])

const UPLOAD_VOUCHER: Struct<UploadVoucher> = struct('UploadVoucher', [
  ['address', 'payer', (v) => v.payer],
  ['address', 'provider', (v) => v.provider],
  ['bytes32', 'tlsKeyHash', (v) => v.tlsKeyHash],
  ['uint8', 'scheme', (v) => BigInt(v.scheme)],
  ['bytes32', 'root', (v) => v.root],
  ['uint64', 'length', (v) => v.length],
  ['uint64', 'notBefore', (v) => v.notBefore],
  ['uint64', 'expiry', (v) => v.expiry],
  ['bytes32', 'nonce', (v) => v.nonce],
])

const SESSION_GRANT: Struct<SessionGrant> = struct('SessionGrant', [
  ['address', 'payer', (g) => g.payer],
  ['address', 'key', (g) => g.key],
  ['address', 'provider', (g) => g.provider],
  ['uint8', 'actions', (g) => BigInt(g.actions)],
  ['uint64', 'bytesMax', (g) => g.bytesMax],
  ['uint64', 'notBefore', (g) => g.notBefore],
  ['uint64', 'expiry', (g) => g.expiry],
  ['bytes32', 'nonce', (g) => g.nonce],
])

const GRANT_REVOCATION: Struct<GrantRevocation> = struct('GrantRevocation', [
  ['address', 'payer', (r) => r.payer],
  ['bytes32', 'nonce', (r) => r.nonce],
  ['uint64', 'expiry', (r) => r.expiry],
])

const STORAGE_RECEIPT: Struct<StorageReceipt> = struct('StorageReceipt', [
  ['address', 'provider', (r) => r.provider],
  ['address', 'payer', (r) => r.payer],
  ['uint8', 'scheme', (r) => BigInt(r.scheme)],
  ['bytes32', 'root', (r) => r.root],
  ['uint64', 'length', (r) => r.length],
  ['bytes32', 'voucherNonce', (r) => r.voucherNonce],
  ['uint64', 'storedAt', (r) => r.storedAt],
])

const CONSENT: Struct<{ readonly deal: DealId }> = struct('Consent', [
  ['bytes32', 'deal', (c) => c.deal],
])

/** The EIP-712 type strings, as Solidity must spell them. */
export const TYPE_STRINGS: Readonly<
  Record<
    | 'DealTerms'
    | 'Quote'
    | 'UploadVoucher'
    | 'SessionGrant'
    | 'GrantRevocation'
    | 'StorageReceipt'
    | 'Consent',
    string
  >
> = {
  DealTerms: DEAL_TERMS.typeString,
  Quote: QUOTE.typeString,
  UploadVoucher: UPLOAD_VOUCHER.typeString,
  SessionGrant: SESSION_GRANT.typeString,
  GrantRevocation: GRANT_REVOCATION.typeString,
  StorageReceipt: STORAGE_RECEIPT.typeString,
  Consent: CONSENT.typeString,
}

/**
 * The id of a deal: the digest that client and operator sign.
 * @throws HoldfastError `UNIT_INVALID` when a figure does not fit its Solidity type; so do all below.
 */
export const dealIdOf = (terms: DealTerms, domain: SigningDomain): DealId =>
  digest(DEAL_TERMS, terms, domain) as Hex as DealId

/** What the operator signs under an offer. */
export const quoteDigest = (quote: Quote, domain: SigningDomain): Hash32 =>
  digest(QUOTE, quote, domain)

/** What the payer, or a key that it granted, signs to allow one upload. */
export const voucherDigest = (voucher: UploadVoucher, domain: SigningDomain): Hash32 =>
  digest(UPLOAD_VOUCHER, voucher, domain)

/** What the payer signs to let a session key sign vouchers. */
export const grantDigest = (grant: SessionGrant, domain: SigningDomain): Hash32 =>
  digest(SESSION_GRANT, grant, domain)

/** What the payer signs to take a grant back. */
export const revocationDigest = (revocation: GrantRevocation, domain: SigningDomain): Hash32 =>
  digest(GRANT_REVOCATION, revocation, domain)

/** What the operator signs once the payload is durable. */
export const receiptDigest = (receipt: StorageReceipt, domain: SigningDomain): Hash32 =>
  digest(STORAGE_RECEIPT, receipt, domain)

/** What client and operator sign to end a deal before its time: docs/spec/settlement.md, section 6. */
export const consentDigest = (deal: DealId, domain: SigningDomain): Hash32 =>
  digest(CONSENT, { deal }, domain)

/** The hash of a region's name as `attributes` carries it; zero for the empty name. */
export const attributesOf = (region: string): Hash32 =>
  (region === '' ? toHex(new Uint8Array(WORD)) : toHex(keccakText(region))) as Hash32
