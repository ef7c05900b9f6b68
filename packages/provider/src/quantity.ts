/**
 * Quantities as people write them: `10GiB`, `2.5` tokens. Exact, or refused.
 */
import { type Amount, amount, type Bytes, bytes, HoldfastError } from '@holdfast/protocol'

const UNITS: Readonly<Record<string, bigint>> = {
  B: 1n,
  KiB: 2n ** 10n,
  MiB: 2n ** 20n,
  GiB: 2n ** 30n,
  TiB: 2n ** 40n,
  PiB: 2n ** 50n,
  kB: 10n ** 3n,
  MB: 10n ** 6n,
  GB: 10n ** 9n,
  TB: 10n ** 12n,
  PB: 10n ** 15n,
}

const usage = (reason: string): HoldfastError => new HoldfastError({ code: 'USAGE', reason })

/** @throws HoldfastError `USAGE` unless `text` is a whole number with a unit of bytes. */
export const parseBytes = (name: string, text: string): Bytes => {
  const match = /^(\d{1,15})\s*([A-Za-z]{1,3})?$/.exec(text.trim())
  const unit = UNITS[match?.[2] ?? 'B']
  if (match === null || unit === undefined) {
    throw usage(`${name} is "${text}"; give a whole number and a unit, for example 10GiB`)
  }
  return bytes(BigInt(match[1] ?? '0') * unit)
}

/** Tokens as a decimal number. @throws HoldfastError `USAGE`, also for too many decimals. */
export const parseTokens = (name: string, text: string, decimals: number): Amount => {
  const match = /^(\d{1,30})(?:\.(\d{1,36}))?$/.exec(text.trim())
  const fraction = match?.[2] ?? ''
  if (match === null || fraction.length > decimals) {
    throw usage(`${name} is "${text}"; give a decimal number with at most ${decimals} decimals`)
  }
  return amount(BigInt(`${match[1]}${fraction.padEnd(decimals, '0')}`))
}

/** Tokens as people read them, without trailing zeros. */
export const formatTokens = (value: bigint, decimals: number): string => {
  const digits = value.toString().padStart(decimals + 1, '0')
  const whole = digits.slice(0, digits.length - decimals)
  const fraction = digits.slice(digits.length - decimals).replace(/0+$/, '')
  return fraction === '' ? whole : `${whole}.${fraction}`
}

/** Bytes with a binary unit, for people. */
export const formatBytes = (value: bigint): string => {
  const unit = (['PiB', 'TiB', 'GiB', 'MiB', 'KiB'] as const).find(
    (name) => value >= (UNITS[name] ?? 1n),
  )
  if (unit === undefined) return `${value} B`
  return `${(Number((value * 100n) / (UNITS[unit] ?? 1n)) / 100).toFixed(2)} ${unit}`
}

/** Wei as whole coins with six decimals at most, for people; a small rest is not shown as nothing. */
export const formatCoin = (wei: bigint): string => {
  const micro = wei / 10n ** 12n
  return micro === 0n && wei > 0n ? '<0.000001' : formatTokens(micro, 6)
}
