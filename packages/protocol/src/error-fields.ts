/**
 * What kind of value each field of each error is, as data: what lets an error cross the wire and be
 * checked on arrival. The compiler holds it to the union in `error-codes.ts`: a code or field without an
 * entry here, or with the wrong kind, does not compile.
 */
import type { HoldfastErrorCode, HoldfastErrorDetail } from './error-codes.ts'

export type FieldKind = 'text' | 'texts' | 'int' | 'number'

type DetailOf<C extends HoldfastErrorCode> = Extract<HoldfastErrorDetail, { readonly code: C }>

type KindOf<V> = V extends bigint
  ? 'int'
  : V extends number
    ? 'number'
    : V extends string
      ? 'text'
      : 'texts'

type FieldsOf<D> = { readonly [F in Exclude<keyof D, 'code'>]: KindOf<D[F]> }

const REASON = { reason: 'text' } as const
const PATH_REASON = { path: 'text', reason: 'text' } as const
const EXPECTED_ACTUAL = { expected: 'text', actual: 'text' } as const
const NEEDED_AVAILABLE = { needed: 'int', available: 'int' } as const
const EXPIRY_NOW = { expiry: 'int', now: 'int' } as const

/** Fields of every code except `code` itself. */
export const ERROR_FIELDS: { readonly [C in HoldfastErrorCode]: FieldsOf<DetailOf<C>> } = {
  UNIT_INVALID: { unit: 'text', value: 'text' },
  ID_INVALID: { kind: 'text', value: 'text' },
  SCHEME_UNKNOWN: { scheme: 'text' },
  PAYLOAD_EMPTY: {},
  PAYLOAD_TOO_LARGE: { limit: 'int', actual: 'int' },
  MESSAGE_INVALID: { field: 'text', reason: 'text' },
  TERMS_INVALID: { field: 'text', reason: 'text' },
  VOUCHER_INVALID: REASON,
  VOUCHER_EXPIRED: EXPIRY_NOW,
  VOUCHER_REPLAYED: { nonce: 'text' },
  SIGNATURE_INVALID: EXPECTED_ACTUAL,
  RANGE_INVALID: REASON,
  ENCODING_REFUSED: { encoding: 'text' },
  CONFIG_INVALID: PATH_REASON,
  INPUT_UNREADABLE: PATH_REASON,
  USAGE: REASON,
  CAR_INVALID: REASON,
  KEYSTORE_INVALID: PATH_REASON,
  PASSPHRASE_WRONG: { path: 'text' },
  CLIENT_UNKNOWN: { client: 'text' },
  UNAUTHORIZED: REASON,
  DENIED: { what: 'text', status: 'number', reason: 'text' },
  TLS_KEY_MISMATCH: EXPECTED_ACTUAL,
  DEAL_NOT_FOUND: { deal: 'text' },
  PROVIDER_NOT_FOUND: { provider: 'text' },
  PAYLOAD_NOT_FOUND: { root: 'text' },
  BLOCK_NOT_FOUND: { cid: 'text' },
  BUNDLE_NOT_FOUND: { period: 'int', reason: 'text' },
  SESSION_NOT_FOUND: { session: 'text' },
  DATASET_NOT_FOUND: { dataset: 'text' },
  PATH_NOT_FOUND: { path: 'text' },
  FILE_NOT_FOUND: { path: 'text' },
  WINDOW_CLOSED: { period: 'int', deadline: 'int' },
  SEED_MISSING: { period: 'int' },
  DEAL_EXISTS: { deal: 'text' },
  DEAL_STATE: { deal: 'text', reason: 'text' },
  PROVIDER_STATE: { provider: 'text', reason: 'text' },
  DISPUTE_STATE: { dispute: 'text', reason: 'text' },
  UPLOAD_INCOMPLETE: { expected: 'int', actual: 'int' },
  QUOTE_EXPIRED: EXPIRY_NOW,
  NETWORK_EXISTS: PATH_REASON,
  NOTHING_TO_DO: REASON,
  DECLINED: REASON,
  PARTIAL: { wanted: 'number', actual: 'number', reason: 'text' },
  FUNDS_INSUFFICIENT: NEEDED_AVAILABLE,
  QUEUE_FULL: { limit: 'number' },
  RATE_LIMITED: REASON,
  DISK_FULL: NEEDED_AVAILABLE,
  TIMED_OUT: { what: 'text', afterMs: 'number' },
  PROOF_INVALID: REASON,
  CHECKSUM_MISMATCH: EXPECTED_ACTUAL,
  ROOT_MISMATCH: EXPECTED_ACTUAL,
  CID_MISMATCH: EXPECTED_ACTUAL,
  PAYLOAD_CORRUPT: { root: 'text', leaf: 'int', what: 'text' },
  STORE_CORRUPT: { path: 'text', offset: 'int', reason: 'text' },
  STORE_READ_ONLY: PATH_REASON,
  VOLUME_UNAVAILABLE: PATH_REASON,
  HOME_IN_USE: { path: 'text', pid: 'number' },
  REPLICAS_EXHAUSTED: { dataset: 'text', tried: 'texts' },
  LEDGER_UNREACHABLE: { endpoint: 'text', reason: 'text' },
  TX_REVERTED: { error: 'text', args: 'texts' },
  CHAIN_UNSUITABLE: REASON,
  TRANSACTION_TOO_LARGE: { limit: 'int', actual: 'int' },
  PEER_UNREACHABLE: { peer: 'text', reason: 'text' },
  PEER_MISBEHAVED: { peer: 'text', reason: 'text' },
  PROCESS_FAILED: { program: 'text', reason: 'text' },
  ABORTED: {},
  SHUTTING_DOWN: {},
  INVARIANT: { sentence: 'text' },
}
