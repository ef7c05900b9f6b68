/**
 * What parties sign, against viem's digests and signatures in `vectors/`.
 */
import { expect, test } from '@jest/globals'
import {
  dealIdOf,
  grantDigest,
  quoteDigest,
  receiptDigest,
  revocationDigest,
  voucherDigest,
} from '../src/deal/eip712.ts'
import { recoverSigner } from '../src/deal/signature.ts'
import type { SigningDomain } from '../src/deal/terms.ts'
import {
  type Address,
  address,
  type Hash32,
  hash32,
  root,
  schemeId,
  signature,
} from '../src/ids.ts'
import * as units from '../src/units.ts'
import { vectors } from './support/vectors.ts'

type Row = Readonly<Record<string, string>>

/** Reads one row by field name; a missing field fails. */
const reader = (row: Row) => {
  const text = (name: string): string => {
    const value = row[name]
    if (value === undefined) throw new Error(`the vector has no ${name}`)
    return value
  }
  return {
    int: (name: string): bigint => BigInt(text(name)),
    account: (name: string): Address => address(text(name)),
    hash: (name: string): Hash32 => hash32(text(name)),
    text,
  }
}

type Reader = ReturnType<typeof reader>

const commitment = (of: Reader) => ({
  scheme: schemeId(Number(of.int('scheme'))),
  root: root(of.text('root')),
  length: units.bytes(of.int('length')),
})

const offer = (of: Reader) => ({
  provider: of.account('provider'),
  token: of.account('token'),
  periods: units.periods(of.int('periods')),
  rate: units.rate(of.int('rate')),
  collateral: units.amount(of.int('collateral')),
  notice: units.periods(of.int('notice')),
  egressPrice: units.amount(of.int('egressPrice')),
  attributes: of.hash('attributes'),
  nonce: of.hash('nonce'),
})

const check = (name: string, digestOf: (of: Reader, domain: SigningDomain) => string): void => {
  for (const row of vectors<Row>(name)) {
    const of = reader(row)
    const domain = {
      chainId: of.int('chainId'),
      verifyingContract: of.account('verifyingContract'),
    }
    const digest = hash32(digestOf(of, domain))
    expect(digest).toBe(of.text('digest'))
    expect(recoverSigner(digest, signature(of.text('signature')))).toBe(of.text('signer'))
  }
}

test('deal-terms.json', () =>
  check('deal-terms', (of, domain) =>
    dealIdOf(
      {
        ...offer(of),
        ...commitment(of),
        client: of.account('client'),
        dataset: of.hash('dataset'),
        deposit: units.amount(of.int('deposit')),
        replacementCost: units.amount(of.int('replacementCost')),
        takedown: of.hash('takedown'),
        openBefore: units.timestamp(of.int('openBefore')),
      },
      domain,
    ),
  ))

test('quotes.json', () =>
  check('quotes', (of, domain) =>
    quoteDigest(
      {
        ...offer(of),
        length: units.bytes(of.int('length')),
        expiry: units.timestamp(of.int('expiry')),
      },
      domain,
    ),
  ))

test('upload-vouchers.json', () =>
  check('upload-vouchers', (of, domain) =>
    voucherDigest(
      {
        ...commitment(of),
        payer: of.account('payer'),
        provider: of.account('provider'),
        tlsKeyHash: of.hash('tlsKeyHash'),
        notBefore: units.timestamp(of.int('notBefore')),
        expiry: units.timestamp(of.int('expiry')),
        nonce: of.hash('nonce'),
      },
      domain,
    ),
  ))

test('session-grants.json', () =>
  check('session-grants', (of, domain) =>
    grantDigest(
      {
        payer: of.account('payer'),
        key: of.account('key'),
        provider: of.account('provider'),
        actions: Number(of.int('actions')),
        bytesMax: units.bytes(of.int('bytesMax')),
        notBefore: units.timestamp(of.int('notBefore')),
        expiry: units.timestamp(of.int('expiry')),
        nonce: of.hash('nonce'),
      },
      domain,
    ),
  ))

test('storage-receipts.json', () =>
  check('storage-receipts', (of, domain) =>
    receiptDigest(
      {
        ...commitment(of),
        provider: of.account('provider'),
        payer: of.account('payer'),
        voucherNonce: of.hash('voucherNonce'),
        storedAt: units.timestamp(of.int('storedAt')),
      },
      domain,
    ),
  ))

test('grant-revocations.json', () =>
  check('grant-revocations', (of, domain) =>
    revocationDigest(
      {
        payer: of.account('payer'),
        nonce: of.hash('nonce'),
        expiry: units.timestamp(of.int('expiry')),
      },
      domain,
    ),
  ))
