/**
 * Identifiers as branded lower-case hex strings: usable as map keys, equal when they are `===`,
 * printed as they are. Parsers accept any letter case and refuse any other length.
 */
import { HoldfastError } from './errors.ts'
import type { Brand } from './units.ts'

/** `0x` and an even number of lower-case hex digits. */
export type Hex = `0x${string}`
/** A 20-byte account. Lower case; EIP-55 capitals are for display. */
export type Address = Brand<Hex, 'Address'>
/** Any 32-byte value that has no better name. */
export type Hash32 = Brand<Hex, 'Hash32'>
/** The root of a payload's Merkle tree. */
export type Root = Brand<Hex, 'Root'>
/** A deal: the EIP-712 digest of its terms. */
export type DealId = Brand<Hex, 'DealId'>
/** A provider: the address of the account that registered it (its owner). */
export type ProviderId = Address
/** A 65-byte secp256k1 signature, r ‖ s ‖ v with v 27 or 28. */
export type Signature = Brand<Hex, 'Signature'>
/** 1 = `sha256-1k`, 2 = `commp`. */
export type SchemeId = 1 | 2
/** How schemes are called by people. */
export type SchemeName = 'sha256-1k' | 'commp'

const HEX = /^0x(?:[0-9a-f]{2})*$/

const sized = <T>(kind: string, length: number, text: string): T => {
  const lower = text.toLowerCase()
  if (!HEX.test(lower) || lower.length !== 2 + 2 * length) {
    throw new HoldfastError({ code: 'ID_INVALID', kind, value: text.slice(0, 140) })
  }
  return lower as T
}

/** @throws HoldfastError `ID_INVALID` unless `text` is `0x` and 40 hex digits; alike below. */
export const address = (text: string): Address => sized('address', 20, text)
export const hash32 = (text: string): Hash32 => sized('32-byte value', 32, text)
export const root = (text: string): Root => sized('root', 32, text)
export const dealId = (text: string): DealId => sized('deal id', 32, text)
export const signature = (text: string): Signature => sized('signature', 65, text)

export const ZERO_HASH: Hash32 = hash32(`0x${'00'.repeat(32)}`)
export const ZERO_ADDRESS: Address = address(`0x${'00'.repeat(20)}`)

const NAMES: Readonly<Record<SchemeId, SchemeName>> = { 1: 'sha256-1k', 2: 'commp' }

export const schemeName = (scheme: SchemeId): SchemeName => NAMES[scheme]

/** @throws HoldfastError `SCHEME_UNKNOWN` for anything but 1, 2, `sha256-1k` and `commp`. */
export const schemeId = (scheme: number | string): SchemeId => {
  if (scheme === 1 || scheme === 'sha256-1k') return 1
  if (scheme === 2 || scheme === 'commp') return 2
  throw new HoldfastError({ code: 'SCHEME_UNKNOWN', scheme: String(scheme) })
}

const DIGITS = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, '0'))

/** Bytes as `0x` hex. */
export const toHex = (data: Uint8Array): Hex => {
  let text = '0x'
  for (const byte of data) text += DIGITS[byte]
  return text as Hex
}

/** @throws HoldfastError `ID_INVALID` unless `text` is `0x` and an even number of hex digits. */
export const fromHex = (text: string): Uint8Array => {
  const lower = text.toLowerCase()
  if (!HEX.test(lower)) {
    throw new HoldfastError({ code: 'ID_INVALID', kind: 'hex', value: text.slice(0, 140) })
  }
  const out = new Uint8Array((lower.length - 2) / 2)
  for (let i = 0; i < out.length; i++)
    out[i] = Number.parseInt(lower.slice(2 + 2 * i, 4 + 2 * i), 16)
  return out
}
