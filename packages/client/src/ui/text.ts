/**
 * Quantities as people write and read them: durations, money with a token's decimals, byte counts.
 * Parsing is strict; formatting of money is exact, of bytes and time rounded for reading.
 */
import { type Amount, amount, HoldfastError, type Seconds, seconds } from '@holdfast/protocol'

const usage = (reason: string): HoldfastError => new HoldfastError({ code: 'USAGE', reason })

const UNIT_SECONDS: Readonly<Record<string, bigint>> = {
  s: 1n,
  m: 60n,
  h: 3600n,
  d: 86_400n,
  w: 604_800n,
}

/** `90s`, `5m`, `12h`, `30d`, `2w`. @throws HoldfastError `USAGE`. */
export const parseDuration = (text: string): Seconds => {
  const match = /^(\d{1,9})([smhdw])$/.exec(text.trim())
  const unit = UNIT_SECONDS[match?.[2] ?? '']
  if (match?.[1] === undefined || unit === undefined) {
    throw usage(`"${text}" is not a duration; write for example 30s, 5m, 12h, 30d`)
  }
  return seconds(BigInt(match[1]) * unit)
}

/** Decimal money into base units; more decimals than the token has are refused. */
export const parseAmount = (text: string, decimals: number): Amount => {
  const match = /^(\d{1,60})(?:\.(\d{1,60}))?$/.exec(text.trim())
  const fraction = match?.[2] ?? ''
  if (match?.[1] === undefined || fraction.length > decimals) {
    throw usage(`"${text}" is not an amount with at most ${decimals} decimals, such as 12.50`)
  }
  return amount(BigInt(match[1] + fraction.padEnd(decimals, '0')))
}

/** Base units as decimal money, exact, without trailing zeros beyond two decimals. */
export const formatAmount = (value: bigint, decimals: number): string => {
  const digits = value.toString().padStart(decimals + 1, '0')
  const whole = digits.slice(0, digits.length - decimals)
  const fraction = digits.slice(digits.length - decimals).replace(/0+$/, '')
  if (decimals === 0) return whole
  return `${whole}.${fraction.padEnd(Math.min(2, decimals), '0')}`
}

const SIZE_UNITS = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const

export const formatBytes = (value: bigint | number): string => {
  let size = Number(value)
  if (size < 1024) return `${size} B`
  let unit = 'B'
  for (const next of SIZE_UNITS) {
    if (size < 1024) break
    size /= 1024
    unit = next
  }
  return `${size < 10 ? size.toFixed(2) : size.toFixed(1)} ${unit}`
}

/** `45s`, `3m 20s`, `2h 5m`, `12d 3h`. */
export const formatSeconds = (value: number | bigint): string => {
  const total = Math.max(0, Math.round(Number(value)))
  if (total < 60) return `${total}s`
  if (total < 3600) return `${Math.floor(total / 60)}m ${total % 60}s`
  if (total < 86_400) return `${Math.floor(total / 3600)}h ${Math.floor((total % 3600) / 60)}m`
  return `${Math.floor(total / 86_400)}d ${Math.floor((total % 86_400) / 3600)}h`
}

/** Replaces what a terminal would act on; names in datasets may hold anything. */
export const printable = (text: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are the point
  text.replace(/[\u0000-\u001f\u007f-\u009f]/g, (character) => {
    const code = character.charCodeAt(0)
    return code === 10 ? '\\n' : `\\x${code.toString(16).padStart(2, '0')}`
  })

/** Left-aligned columns, two spaces apart. */
export const formatTable = (
  head: readonly string[],
  rows: readonly (readonly string[])[],
): string => {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  )
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd()
  return [line(head), ...rows.map(line)].join('\n')
}
