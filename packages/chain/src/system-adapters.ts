/**
 * The ambient ports on Node: wall clock, operating system randomness, and a logger that writes one
 * JSON value per line. The only place of this package that touches the real clock and real dice.
 */
import { randomBytes } from 'node:crypto'
import {
  type CallOptions,
  type Clock,
  HoldfastError,
  type LogFields,
  type Logger,
  type Milliseconds,
  milliseconds,
  type Random,
} from '@holdfast/protocol'

const sleep = (duration: Milliseconds, options: CallOptions = {}): Promise<void> =>
  new Promise((resolve, reject) => {
    const { signal } = options
    const abort = (): void => {
      clearTimeout(timer)
      reject(new HoldfastError({ code: 'ABORTED' }, { cause: signal?.reason }))
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort)
      resolve()
    }, duration)
    if (signal?.aborted) abort()
    else signal?.addEventListener('abort', abort, { once: true })
  })

/** Wall time of this machine. */
export const systemClock: Clock = { now: () => milliseconds(Date.now()), sleep }

/** The operating system's random bytes. */
export const systemRandom: Random = { bytes: (length) => new Uint8Array(randomBytes(length)) }

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

const RANK: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 }

export interface JsonLoggerOptions {
  /** Lines below it are dropped; `info` unless given. */
  readonly level?: LogLevel
  readonly clock?: Clock
}

/** Bigints as decimal strings, errors as name, code and message, bytes by their length only. */
const plain = (_key: string, value: unknown): unknown => {
  if (typeof value === 'bigint') return value.toString()
  if (HoldfastError.is(value)) return { code: value.code, message: value.message }
  if (value instanceof Error) return { name: value.name, message: value.message }
  if (value instanceof Uint8Array) return { bytes: value.length }
  return value
}

/**
 * A logger that writes `{"time","level","event",…fields}` lines. A field that cannot be written
 * (a circle) costs its line's fields, never the program.
 */
export const createJsonLogger = (
  stream: { write(line: string): unknown },
  options: JsonLoggerOptions = {},
): Logger => {
  const clock = options.clock ?? systemClock
  const least = RANK[options.level ?? 'info']
  const write = (level: LogLevel, event: string, fields: LogFields): void => {
    if (RANK[level] < least) return
    const head = { time: new Date(clock.now()).toISOString(), level, event }
    try {
      stream.write(`${JSON.stringify({ ...head, ...fields }, plain)}\n`)
    } catch (cause) {
      stream.write(`${JSON.stringify({ ...head, unwritable: String(cause) })}\n`)
    }
  }
  const bound = (base: LogFields): Logger => ({
    debug: (event, fields) => write('debug', event, { ...base, ...fields }),
    info: (event, fields) => write('info', event, { ...base, ...fields }),
    warn: (event, fields) => write('warn', event, { ...base, ...fields }),
    error: (event, fields) => write('error', event, { ...base, ...fields }),
    child: (fields) => bound({ ...base, ...fields }),
  })
  return bound({})
}
