/**
 * What the HTTPS interface answers: JSON, errors with our codes, and the headers that every response
 * carries so that stored bytes are never run by a browser.
 */
import type { ServerResponse } from 'node:http'
import { HoldfastError, type HoldfastErrorCode } from '@holdfast/protocol'

/** Stored bytes are somebody's data, never a page of ours. */
export const SAFE_HEADERS: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; sandbox",
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
}

const HTTP_STATUS: Readonly<Partial<Record<HoldfastErrorCode, number>>> = {
  SESSION_NOT_FOUND: 404,
  PAYLOAD_NOT_FOUND: 404,
  PATH_NOT_FOUND: 404,
  BLOCK_NOT_FOUND: 404,
  BUNDLE_NOT_FOUND: 404,
  DEAL_NOT_FOUND: 404,
  UNAUTHORIZED: 401,
  RANGE_INVALID: 400,
  CHECKSUM_MISMATCH: 422,
  ENCODING_REFUSED: 415,
  QUEUE_FULL: 503,
  RATE_LIMITED: 429,
  TIMED_OUT: 408,
  DISK_FULL: 507,
  STORE_READ_ONLY: 503,
  SHUTTING_DOWN: 503,
  ABORTED: 503,
}

/** Worth another try in a moment. */
const RETRY_SOON: ReadonlySet<HoldfastErrorCode> = new Set(['QUEUE_FULL', 'RATE_LIMITED'])

const CLIENT_STATUS: ReadonlySet<number> = new Set([3])

/** The status of an error: by name where HTTP has a better word, else by whose fault it is. */
export const statusOf = (error: HoldfastError): number =>
  (error.detail.code === 'DENIED' ? error.detail.status : undefined) ??
  HTTP_STATUS[error.code] ??
  (CLIENT_STATUS.has(error.row.grpcStatus) ? 400 : 500)

export const sendJson = (response: ServerResponse, status: number, value: object): void => {
  const body = Buffer.from(
    `${JSON.stringify(value, (_name, field: unknown) =>
      typeof field === 'bigint' ? field.toString() : field,
    )}\n`,
  )
  response.writeHead(status, {
    ...SAFE_HEADERS,
    'content-type': 'application/json; charset=utf-8',
    'content-length': body.length,
    'cache-control': 'no-store',
  })
  response.end(body)
}

/** Errors thrown by our own mistakes are not explained to strangers. */
export const asOurs = (thrown: unknown): HoldfastError =>
  HoldfastError.is(thrown)
    ? thrown
    : new HoldfastError({ code: 'INVARIANT', sentence: 'the provider failed; see its log' })

export const sendError = (response: ServerResponse, error: HoldfastError): void => {
  const { code, ...fields } = error.detail
  if (RETRY_SOON.has(code) && !response.hasHeader('retry-after')) {
    response.setHeader('retry-after', 1)
  }
  // Who knows better has set it already.
  const status = response.statusCode === 200 ? statusOf(error) : response.statusCode
  sendJson(response, status, {
    error: { code, message: error.message, hint: error.hint, ...fields },
  })
}
