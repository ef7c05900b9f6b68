/**
 * One valid value of everything that is signed, with no two fields alike.
 */
import type {
  DealTerms,
  GrantRevocation,
  Quote,
  SessionGrant,
  SigningDomain,
  StorageReceipt,
  UploadVoucher,
} from '../../src/deal/terms.ts'
import { type Address, address, type Hash32, hash32, root } from '../../src/ids.ts'
import { amount, bytes, periods, rate, timestamp } from '../../src/units.ts'

const account = (byte: number): Address => address(`0x${byte.toString(16).repeat(20)}`)
const value = (byte: number): Hash32 => hash32(`0x${byte.toString(16).repeat(32)}`)

export const DOMAIN: SigningDomain = { chainId: 31_337n, verifyingContract: account(0x10) }

const COMMITMENT = { scheme: 1, root: root(value(0x20)), length: bytes(104_857_601) } as const

export const TERMS: DealTerms = {
  ...COMMITMENT,
  client: account(0x11),
  provider: account(0x12),
  token: account(0x13),
  dataset: value(0x21),
  rate: rate(3_617_123_456_789n),
  periods: periods(360),
  deposit: amount((1n << 100n) + 7n),
  collateral: amount(28_126_752n),
  notice: periods(30),
  replacementCost: amount(55n),
  egressPrice: amount(66n),
  attributes: value(0x22),
  takedown: value(0x23),
  openBefore: timestamp(1_900_000_000),
  nonce: value(0x24),
}

export const QUOTE: Quote = {
  provider: account(0x12),
  token: account(0x13),
  length: bytes(104_857_601),
  periods: periods(360),
  rate: rate(3_617_123_456_789n),
  collateral: amount(28_126_752n),
  notice: periods(30),
  egressPrice: amount(66n),
  attributes: value(0x22),
  expiry: timestamp(1_899_999_999),
  nonce: value(0x25),
}

export const VOUCHER: UploadVoucher = {
  ...COMMITMENT,
  payer: account(0x11),
  provider: account(0x12),
  tlsKeyHash: value(0x26),
  notBefore: timestamp(1_800_000_000),
  expiry: timestamp(1_800_003_600),
  nonce: value(0x27),
}

export const GRANT: SessionGrant = {
  payer: account(0x11),
  key: account(0x14),
  provider: account(0x12),
  actions: 1,
  bytesMax: bytes(1n << 40n),
  notBefore: timestamp(1_799_999_000),
  expiry: timestamp(1_800_086_400),
  nonce: value(0x28),
}

export const REVOCATION: GrantRevocation = {
  payer: account(0x11),
  nonce: value(0x28),
  expiry: timestamp(1_800_086_400),
}

export const RECEIPT: StorageReceipt = {
  ...COMMITMENT,
  provider: account(0x12),
  payer: account(0x11),
  voucherNonce: value(0x27),
  storedAt: timestamp(1_800_000_100),
}
