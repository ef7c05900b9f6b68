/**
 * Numbers as people read them: bytes, money, gas, moments. Exact where a person may copy it.
 */
const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const

export const bytes = (text: string | number | undefined): string => {
  let value = Number(text ?? 0)
  let unit = 0
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024
    unit++
  }
  return `${unit === 0 ? value : value.toFixed(value < 10 ? 2 : 1)} ${UNITS[unit]}`
}

/** Digits in groups of three, with narrow spaces between them. */
const grouped = (digits: string): string => digits.replace(/\B(?=(\d{3})+$)/g, '\u202f')

const decimal = (value: bigint, decimals: number, shown: number): string => {
  const digits = value.toString().padStart(decimals + 1, '0')
  const whole = grouped(digits.slice(0, digits.length - decimals))
  const rest = digits.slice(digits.length - decimals)
  const significant = whole === '0' ? rest.search(/[1-9]/) + 3 : shown
  const fraction = rest.slice(0, Math.max(shown, significant)).replace(/0+$/, '')
  return fraction === '' ? whole : `${whole}.${fraction}`
}

export interface Token {
  readonly symbol: string
  readonly decimals: number
}

/** Base units as tokens, with a few decimals; more where there is nothing before the point. */
export const tokens = (text: string | undefined, token: Token): string =>
  decimal(BigInt(text ?? '0'), token.decimals, Math.min(4, token.decimals))

/** Wei as coins. */
export const coin = (text: string | undefined): string => decimal(BigInt(text ?? '0'), 18, 5)

/** A number of things: `1 payload`, `2 payloads`. */
export const counted = (count: string | number, thing: string): string =>
  `${grouped(String(count))} ${thing}${String(count) === '1' ? '' : 's'}`

export const short = (id: string): string => (id.length > 14 ? `${id.slice(0, 10)}…` : id)

const two = (value: number): string => String(value).padStart(2, '0')

/** `14:03:05`, with the day when it is another one than `now`'s. Local time. */
export const moment = (seconds: string | number | undefined, now: number): string => {
  if (seconds === undefined) return ''
  const at = new Date(Number(seconds) * 1000)
  const time = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`
  const today = new Date(now * 1000).toDateString() === at.toDateString()
  return today ? time : `${day(Number(seconds))} ${time}`
}

export const day = (seconds: number): string => {
  const at = new Date(seconds * 1000)
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`
}

export const span = (seconds: number): string => {
  const value = Math.max(0, Math.round(seconds))
  if (value < 120) return `${value} s`
  if (value < 7200) return `${Math.round(value / 60)} min`
  return value < 172_800 ? `${Math.round(value / 3600)} h` : `${Math.round(value / 86_400)} days`
}
