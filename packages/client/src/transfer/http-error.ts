/**
 * Errors of the HTTPS interface back into ours. The body is a peer's word: only the codes that change
 * what the client does next are rebuilt, everything else is reported as what the peer said.
 */
import { HoldfastError, type HoldfastErrorDetail } from '@holdfast/protocol'

type Fields = Readonly<Record<string, unknown>>

const TEXT_MAX = 256

const text = (value: unknown): string =>
  String(value ?? '')
    .replaceAll(/\p{Cc}/gu, '\ufffd')
    .slice(0, TEXT_MAX)

const integer = (value: unknown): bigint => {
  const digits = text(value)
  return /^\d{1,20}$/.test(digits) ? BigInt(digits) : 0n
}

const rebuild = (code: string, fields: Fields): HoldfastErrorDetail | undefined => {
  switch (code) {
    case 'SESSION_NOT_FOUND':
      return { code, session: text(fields['session']) }
    case 'PAYLOAD_NOT_FOUND':
      return { code, root: text(fields['root']) }
    case 'PAYLOAD_CORRUPT':
      return {
        code,
        root: text(fields['root']),
        leaf: integer(fields['leaf']),
        what: text(fields['what']),
      }
    case 'CHECKSUM_MISMATCH':
    case 'ROOT_MISMATCH':
      return { code, expected: text(fields['expected']), actual: text(fields['actual']) }
    case 'UNAUTHORIZED':
    case 'RATE_LIMITED':
    case 'RANGE_INVALID':
      return { code, reason: text(fields['reason']) }
    case 'QUEUE_FULL':
      return { code, limit: Number(integer(fields['limit'])) }
    case 'DISK_FULL':
      return { code, needed: integer(fields['needed']), available: integer(fields['available']) }
    case 'SHUTTING_DOWN':
      return { code }
    default:
      return undefined
  }
}

const asFields = (value: unknown): Fields =>
  typeof value === 'object' && value !== null ? (value as Fields) : {}

/** The error that an answer other than 200 and 206 stands for. */
export const httpError = (peer: string, status: number, body: unknown): HoldfastError => {
  const fields = asFields(asFields(body)['error'])
  const code = text(fields['code'])
  const detail = rebuild(code, fields)
  if (detail !== undefined) return new HoldfastError(detail)
  const said = code === '' ? '' : ` ${code}: ${text(fields['message'])}`
  const reason = `HTTP ${status}${said}`
  return status === 429 || status >= 500
    ? new HoldfastError({ code: 'PEER_UNREACHABLE', peer, reason })
    : new HoldfastError({ code: 'PEER_MISBEHAVED', peer, reason })
}
