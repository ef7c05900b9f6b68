/**
 * The one error of Holdfast. Its codes are in `error-codes.ts`, what they mean for whoever gets one
 * in `error-table.ts`.
 *
 * Recognise errors by `HoldfastError.is(e, 'CODE')`, never by `instanceof` across packages.
 */
import type { HoldfastErrorCode, HoldfastErrorDetail } from './error-codes.ts'
import { ERROR_TABLE, type ErrorRow } from './error-table.ts'

const MARK: unique symbol = Symbol.for('holdfast.error') as never

const printable = (value: unknown): string =>
  Array.isArray(value) ? `[${value.map(printable).join(', ')}]` : String(value)

const describe = (detail: HoldfastErrorDetail): string => {
  const { code, ...fields } = detail
  const parts = Object.entries(fields).map(([key, value]) => `${key} ${printable(value)}`)
  const words = code.toLowerCase().replaceAll('_', ' ')
  return parts.length === 0 ? words : `${words}: ${parts.join(', ')}`
}

/** The world went wrong in a way that has a name. Our own bugs use `invariant`. */
export class HoldfastError extends Error {
  readonly detail: HoldfastErrorDetail

  constructor(
    detail: HoldfastErrorDetail,
    options?: { readonly cause?: unknown; readonly message?: string },
  ) {
    super(
      options?.message ?? describe(detail),
      options?.cause === undefined ? undefined : { cause: options.cause },
    )
    this.name = 'HoldfastError'
    this.detail = detail
    Object.defineProperty(this, MARK, { value: true })
  }

  get code(): HoldfastErrorCode {
    return this.detail.code
  }

  get row(): ErrorRow {
    return ERROR_TABLE[this.detail.code]
  }

  get hint(): string {
    return this.row.hint
  }

  /** True for a HoldfastError of any copy of this package; with `code`, of that code only. */
  static is(value: unknown, code?: HoldfastErrorCode): value is HoldfastError {
    if (typeof value !== 'object' || value === null || !(MARK in value)) return false
    return code === undefined || (value as unknown as HoldfastError).detail.code === code
  }
}

/** Our own bugs. @throws HoldfastError `INVARIANT` unless `condition` holds. */
export function invariant(condition: unknown, sentence: string): asserts condition {
  if (!condition) throw new HoldfastError({ code: 'INVARIANT', sentence })
}
