/**
 * The demo's story as text: figures as people write them, columns that line up.
 */

const UNITS = ['bytes', 'kB', 'MB', 'GB', 'TB']

/** `9.8 MB`; decimal units, as disks are sold. */
export const formatBytes = (bytes) => {
  const step = bytes < 1000 ? 0 : Math.min(Math.floor(Math.log10(bytes) / 3), UNITS.length - 1)
  return `${step === 0 ? bytes : (bytes / 1000 ** step).toFixed(1)} ${UNITS[step]}`
}

/** `1 file`, `233 files`. */
export const formatCount = (count, word) => `${count} ${word}${count === 1 ? '' : 's'}`

/** Base units of a token as a decimal, every digit shown: `0.000123 tUSD`. */
export const formatAmount = (units, { decimals, symbol }) => {
  const digits = units.toString().padStart(decimals + 1, '0')
  const cut = digits.length - decimals
  const fraction = decimals === 0 ? '' : `.${digits.slice(cut)}`
  return `${digits.slice(0, cut)}${fraction} ${symbol}`
}

/** `0x1234abcd…` */
export const short = (hex) => `${hex.slice(0, 10)}…`

/** Consecutive numbers as ranges: `3-5, 7`. */
export const formatPeriods = (periods) => {
  const groups = []
  for (const period of periods) {
    const last = groups.at(-1)
    if (last !== undefined && last.to + 1n === period) last.to = period
    else groups.push({ from: period, to: period })
  }
  if (groups.length === 0) return 'none'
  return groups.map(({ from, to }) => (from === to ? `${from}` : `${from}-${to}`)).join(', ')
}

/** Rows of cells as lines; every column as wide as its widest cell. */
export const alignColumns = (rows) => {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)))
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]))
      .join('  ')
      .trimEnd(),
  )
}

/** A path as it is, or quoted when it would break a line. */
export const formatPath = (path) => (/\p{Cc}/u.test(path) ? JSON.stringify(path) : path)
