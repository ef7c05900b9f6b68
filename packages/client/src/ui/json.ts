/** JSON as commands print it: bigints as decimal strings, one line, keys in the order given. */
import { HoldfastError } from '@holdfast/protocol'
import { errorMessage } from '../system-error.ts'
import { errorText } from './error-text.ts'

const plain = (_key: string, value: unknown): unknown =>
  typeof value === 'bigint' ? value.toString() : value

export const toJson = (value: unknown): string => JSON.stringify(value, plain)

/** `{"error":{"code","message","hint",…fields}}` */
export const errorToJson = (error: HoldfastError): string => {
  const { code, ...fields } = error.detail
  return toJson({ error: { code, message: errorText(error), hint: error.hint, ...fields } })
}

/** Any thrown thing as our error; what is not ours is a bug of ours. */
export const toHoldfastError = (error: unknown): HoldfastError => {
  if (HoldfastError.is(error)) return error
  const stack = (error as { readonly stack?: unknown } | null | undefined)?.stack
  const sentence = typeof stack === 'string' ? stack : errorMessage(error)
  return new HoldfastError({ code: 'INVARIANT', sentence }, { cause: error })
}
