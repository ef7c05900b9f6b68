/**
 * Signed values: every field, the network and the type are bound; recovery accepts one encoding.
 * The digests themselves are held by the vectors, which viem computed.
 */
import { describe, expect, test } from '@jest/globals'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import fc from 'fast-check'
import {
  attributesOf,
  consentDigest,
  dealIdOf,
  domainSeparator,
  grantDigest,
  quoteDigest,
  receiptDigest,
  revocationDigest,
  TYPE_STRINGS,
  voucherDigest,
} from '../../src/deal/eip712.ts'
import { checkSigner, recoverSigner } from '../../src/deal/signature.ts'
import {
  address,
  type DealId,
  fromHex,
  type Hash32,
  hash32,
  signature,
  toHex,
  ZERO_HASH,
} from '../../src/ids.ts'
import { hex, keccak, keccakText } from '../reference/bytes.ts'
import { DOMAIN, GRANT, QUOTE, RECEIPT, REVOCATION, TERMS, VOUCHER } from '../support/deals.ts'
import { expectCode } from '../support/failures.ts'

const KEY = fromHex(`0x${'17'.repeat(32)}`)
const SIGNER = address(hex(keccak(secp256k1.getPublicKey(KEY, false).subarray(1)).subarray(12)))
const N = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n

const sign = (digest: Hash32): Uint8Array => {
  const raw = secp256k1.sign(fromHex(digest), KEY, { prehash: false, format: 'recovered' })
  // noble puts the recovery bit first, Ethereum last and 27 higher.
  return Uint8Array.of(...raw.subarray(1), (raw[0] ?? 0) + 27)
}

/** The value with one field changed to something of the same kind. */
const changed = <T extends object>(value: T, name: keyof T): T => {
  const old: unknown = value[name]
  if (typeof old === 'bigint') return { ...value, [name]: old + 1n }
  if (typeof old === 'number') return { ...value, [name]: 3 - old }
  const text = String(old)
  return { ...value, [name]: `${text.slice(0, -1)}${text.endsWith('0') ? '1' : '0'}` }
}

const digests = {
  DealTerms: [TERMS, (value: object) => dealIdOf(value as typeof TERMS, DOMAIN)],
  Quote: [QUOTE, (value: object) => quoteDigest(value as typeof QUOTE, DOMAIN)],
  UploadVoucher: [VOUCHER, (value: object) => voucherDigest(value as typeof VOUCHER, DOMAIN)],
  SessionGrant: [GRANT, (value: object) => grantDigest(value as typeof GRANT, DOMAIN)],
  GrantRevocation: [
    REVOCATION,
    (value: object) => revocationDigest(value as typeof REVOCATION, DOMAIN),
  ],
  StorageReceipt: [RECEIPT, (value: object) => receiptDigest(value as typeof RECEIPT, DOMAIN)],
  Consent: [
    { deal: dealIdOf(TERMS, DOMAIN) },
    (value: object) => consentDigest((value as { deal: DealId }).deal, DOMAIN),
  ],
} as const

describe('digests', () => {
  test.each(Object.entries(digests))('of %s change with every field', (name, [value, digest]) => {
    const fields = Object.keys(value)
    const described = TYPE_STRINGS[name as keyof typeof TYPE_STRINGS]
    expect(described.split(',')).toHaveLength(fields.length)
    const all = fields.map((field) => digest(changed<object>(value, field as never)))
    expect(new Set([digest(value), ...all]).size).toBe(fields.length + 1)
  })

  test('change with chain and market', () => {
    const elsewhere = [
      DOMAIN,
      { ...DOMAIN, chainId: 2n },
      { ...DOMAIN, verifyingContract: TERMS.client },
    ]
    expect(new Set(elsewhere.map((domain) => dealIdOf(TERMS, domain))).size).toBe(3)
    expect(new Set(elsewhere.map(domainSeparator)).size).toBe(3)
  })

  test('do not exist for figures wider than their Solidity type', () => {
    const wide = { ...TERMS, periods: (1n << 32n) as typeof TERMS.periods }
    expectCode('UNIT_INVALID', () => dealIdOf(wide, DOMAIN))
    const rich = { ...TERMS, deposit: (1n << 128n) as typeof TERMS.deposit }
    expectCode('UNIT_INVALID', () => dealIdOf(rich, DOMAIN))
  })

  test('attributes are the hash of the region, zero for none', () => {
    expect(attributesOf('')).toBe(ZERO_HASH)
    expect(attributesOf('eu-north')).toBe(hex(keccakText('eu-north')))
  })
})

describe('recovery', () => {
  test('finds the account that signed', () => {
    const values = fc.uint8Array({ minLength: 32, maxLength: 32 })
    fc.assert(
      fc.property(values, (bytes) => {
        const digest = hash32(toHex(bytes))
        const signed = signature(toHex(sign(digest)))
        expect(recoverSigner(digest, signed)).toBe(SIGNER)
        checkSigner({ digest, signature: signed, expected: SIGNER })
      }),
      { numRuns: 15 },
    )
  })

  test('names both accounts when it was somebody else', () => {
    const digest = hash32(`0x${'31'.repeat(32)}`)
    const error = expectCode('SIGNATURE_INVALID', () =>
      checkSigner({ digest, signature: signature(toHex(sign(digest))), expected: TERMS.client }),
    )
    expect(error.detail).toMatchObject({ expected: TERMS.client, actual: SIGNER })
  })

  test('refuses other values of v, high s, zero and out-of-range r and s', () => {
    const digest = hash32(`0x${'42'.repeat(32)}`)
    const good = sign(digest)
    const with_ = (at: number, bytes: Uint8Array): Uint8Array => {
      const copy = Uint8Array.from(good)
      copy.set(bytes, at)
      return copy
    }
    const s = BigInt(toHex(good.subarray(32, 64)))
    const high = fromHex(`0x${(N - s).toString(16).padStart(64, '0')}`)
    const order = fromHex(`0x${N.toString(16)}`)
    for (const bad of [
      with_(64, Uint8Array.of(0)),
      with_(64, Uint8Array.of(1)),
      with_(64, Uint8Array.of(29)),
      with_(32, Uint8Array.of(...high, good[64] === 27 ? 28 : 27)),
      with_(0, new Uint8Array(32)),
      with_(32, new Uint8Array(32)),
      with_(0, order),
      with_(32, order),
      with_(0, new Uint8Array(32).fill(0xff)),
    ]) {
      expectCode('SIGNATURE_INVALID', () => recoverSigner(digest, signature(toHex(bad))))
    }
  })

  test('of random bytes either finds some account or refuses', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 65, maxLength: 65 }), fc.boolean(), (raw, even) => {
        raw[64] = even ? 27 : 28
        try {
          recoverSigner(ZERO_HASH, signature(toHex(raw)))
        } catch (error) {
          expect(error).toMatchObject({ code: 'SIGNATURE_INVALID' })
        }
      }),
      { numRuns: 40 },
    )
  })
})
