/**
 * Errors across the wire: the binary trailer `holdfast-error-bin` holds a code and its fields as one
 * JSON object, big integers as decimal strings. Source: docs/spec/transfer.md.
 *
 * Both directions are bounded, because trailers are: texts are cut at 256 characters, lists at 8.
 * What arrives is a peer's word: only known codes with all fields of the right kind are rebuilt,
 * control characters are replaced, and anything else becomes PEER_MISBEHAVED, never an exception.
 */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import type { HoldfastErrorCode, HoldfastErrorDetail } from '../error-codes.ts'
import { ERROR_FIELDS, type FieldKind } from '../error-fields.ts'
import { HoldfastError } from '../errors.ts'
import { ErrorDetailSchema } from '../generated/holdfast/provider/v1/provider_pb.ts'

/** The trailer's key. */
export const ERROR_TRAILER = 'holdfast-error-bin'

const DETAIL_BYTES_MAX = 16_384
const TEXT_MAX = 256
const TEXTS_MAX = 8

const cut = (value: unknown): string => {
  const text = String(value).replaceAll(/\p{Cc}/gu, '\ufffd')
  return text.length <= TEXT_MAX ? text : `${text.slice(0, TEXT_MAX - 1)}…`
}

const toJson = (kind: FieldKind, value: unknown): unknown => {
  if (kind === 'number') return value
  if (kind === 'texts') return Array.isArray(value) ? value.slice(0, TEXTS_MAX).map(cut) : []
  return cut(value)
}

const INTEGER = /^-?(?:0|[1-9][0-9]{0,99})$/

/** The field's value, or undefined when it is not of its kind. */
const fromJson = (kind: FieldKind, value: unknown): unknown => {
  switch (kind) {
    case 'number':
      return typeof value === 'number' ? value : undefined
    case 'int':
      return typeof value === 'string' && INTEGER.test(value) ? BigInt(value) : undefined
    case 'text':
      return typeof value === 'string' ? cut(value) : undefined
    case 'texts':
      return Array.isArray(value) && value.every((entry) => typeof entry === 'string')
        ? value.slice(0, TEXTS_MAX).map(cut)
        : undefined
  }
}

const kindsOf = (code: HoldfastErrorCode): readonly (readonly [string, FieldKind])[] =>
  Object.entries(ERROR_FIELDS[code])

const isCode = (text: string): text is HoldfastErrorCode => Object.hasOwn(ERROR_FIELDS, text)

/** The trailer for an error. Message, stack and cause stay here. */
export const encodeErrorDetail = (error: HoldfastError): Uint8Array => {
  const detail = new Map(Object.entries(error.detail))
  const fields = kindsOf(error.code).map(([name, kind]) => [name, toJson(kind, detail.get(name))])
  return toBinary(
    ErrorDetailSchema,
    create(ErrorDetailSchema, {
      code: error.code,
      fieldsJson: JSON.stringify(Object.fromEntries(fields)),
    }),
  )
}

const misbehaved = (reason: string, cause?: unknown): HoldfastError =>
  new HoldfastError({ code: 'PEER_MISBEHAVED', peer: 'the other side', reason }, { cause })

const rebuild = (code: HoldfastErrorCode, fieldsJson: string): HoldfastError => {
  const parsed: unknown = JSON.parse(fieldsJson)
  if (typeof parsed !== 'object' || parsed === null) {
    return misbehaved(`its error ${code} has no fields`)
  }
  const given = new Map<string, unknown>(Object.entries(parsed))
  const detail: Record<string, unknown> = { code }
  for (const [name, kind] of kindsOf(code)) {
    const value = fromJson(kind, given.get(name))
    if (value === undefined) return misbehaved(`its error ${code} has no valid ${name}`)
    detail[name] = value
  }
  return new HoldfastError(detail as unknown as HoldfastErrorDetail)
}

/**
 * The error that a trailer describes. Never throws: a trailer that is too long, broken, or of an
 * unknown code gives `PEER_MISBEHAVED` with what was wrong with it.
 */
export const decodeErrorDetail = (data: Uint8Array): HoldfastError => {
  if (data.length > DETAIL_BYTES_MAX) {
    return misbehaved(`its error detail has ${data.length} bytes, at most ${DETAIL_BYTES_MAX}`)
  }
  try {
    const { code, fieldsJson } = fromBinary(ErrorDetailSchema, data, { readUnknownFields: false })
    if (!isCode(code)) return misbehaved(`it failed with an unknown error, ${cut(code)}`)
    return rebuild(code, fieldsJson)
  } catch (cause) {
    return misbehaved('its error detail cannot be read', cause)
  }
}
