/**
 * The closed set of error codes with their fields, as types. What each means for the caller is in
 * `error-table.ts`; how it crosses the wire in `error-fields.ts`. A code without a row in both does
 * not compile.
 */

/**
 * Every code with its fields; expected before actual. Add yours to the family it belongs to, with a
 * row in `error-table.ts` and its fields in `error-fields.ts`.
 */
export type HoldfastErrorDetail =
  // invalid: the caller said something that can never work
  | { readonly code: 'UNIT_INVALID'; readonly unit: string; readonly value: string }
  | { readonly code: 'ID_INVALID'; readonly kind: string; readonly value: string }
  | { readonly code: 'SCHEME_UNKNOWN'; readonly scheme: string }
  | { readonly code: 'PAYLOAD_EMPTY' }
  | { readonly code: 'PAYLOAD_TOO_LARGE'; readonly limit: bigint; readonly actual: bigint }
  | { readonly code: 'MESSAGE_INVALID'; readonly field: string; readonly reason: string }
  | { readonly code: 'TERMS_INVALID'; readonly field: string; readonly reason: string }
  | { readonly code: 'VOUCHER_INVALID'; readonly reason: string }
  | { readonly code: 'VOUCHER_EXPIRED'; readonly expiry: bigint; readonly now: bigint }
  | { readonly code: 'VOUCHER_REPLAYED'; readonly nonce: string }
  | { readonly code: 'SIGNATURE_INVALID'; readonly expected: string; readonly actual: string }
  | { readonly code: 'RANGE_INVALID'; readonly reason: string }
  | { readonly code: 'ENCODING_REFUSED'; readonly encoding: string }
  | { readonly code: 'CONFIG_INVALID'; readonly path: string; readonly reason: string }
  | { readonly code: 'INPUT_UNREADABLE'; readonly path: string; readonly reason: string }
  | { readonly code: 'USAGE'; readonly reason: string }
  | { readonly code: 'CAR_INVALID'; readonly reason: string }
  | { readonly code: 'KEYSTORE_INVALID'; readonly path: string; readonly reason: string }
  | { readonly code: 'PASSPHRASE_WRONG'; readonly path: string }
  // denied: understood, but not for you
  | { readonly code: 'CLIENT_UNKNOWN'; readonly client: string }
  | { readonly code: 'UNAUTHORIZED'; readonly reason: string }
  | {
      readonly code: 'DENIED'
      readonly what: string
      /** 410 or 451. */
      readonly status: number
      readonly reason: string
    }
  | { readonly code: 'TLS_KEY_MISMATCH'; readonly expected: string; readonly actual: string }
  // missing
  | { readonly code: 'DEAL_NOT_FOUND'; readonly deal: string }
  | { readonly code: 'PROVIDER_NOT_FOUND'; readonly provider: string }
  | { readonly code: 'PAYLOAD_NOT_FOUND'; readonly root: string }
  | { readonly code: 'BLOCK_NOT_FOUND'; readonly cid: string }
  | { readonly code: 'BUNDLE_NOT_FOUND'; readonly period: bigint; readonly reason: string }
  | { readonly code: 'SESSION_NOT_FOUND'; readonly session: string }
  | { readonly code: 'DATASET_NOT_FOUND'; readonly dataset: string }
  | { readonly code: 'PATH_NOT_FOUND'; readonly path: string }
  | { readonly code: 'FILE_NOT_FOUND'; readonly path: string }
  // state: not now
  | { readonly code: 'WINDOW_CLOSED'; readonly period: bigint; readonly deadline: bigint }
  | { readonly code: 'SEED_MISSING'; readonly period: bigint }
  | { readonly code: 'DEAL_EXISTS'; readonly deal: string }
  | { readonly code: 'DEAL_STATE'; readonly deal: string; readonly reason: string }
  | { readonly code: 'PROVIDER_STATE'; readonly provider: string; readonly reason: string }
  | { readonly code: 'DISPUTE_STATE'; readonly dispute: string; readonly reason: string }
  | { readonly code: 'UPLOAD_INCOMPLETE'; readonly expected: bigint; readonly actual: bigint }
  | { readonly code: 'QUOTE_EXPIRED'; readonly expiry: bigint; readonly now: bigint }
  | { readonly code: 'NETWORK_EXISTS'; readonly path: string; readonly reason: string }
  | { readonly code: 'NOTHING_TO_DO'; readonly reason: string }
  | { readonly code: 'DECLINED'; readonly reason: string }
  | {
      readonly code: 'PARTIAL'
      readonly wanted: number
      readonly actual: number
      readonly reason: string
    }
  // funds
  | { readonly code: 'FUNDS_INSUFFICIENT'; readonly needed: bigint; readonly available: bigint }
  // limit
  | { readonly code: 'QUEUE_FULL'; readonly limit: number }
  | { readonly code: 'RATE_LIMITED'; readonly reason: string }
  | { readonly code: 'DISK_FULL'; readonly needed: bigint; readonly available: bigint }
  | { readonly code: 'TIMED_OUT'; readonly what: string; readonly afterMs: number }
  // integrity
  | { readonly code: 'PROOF_INVALID'; readonly reason: string }
  | { readonly code: 'CHECKSUM_MISMATCH'; readonly expected: string; readonly actual: string }
  | { readonly code: 'ROOT_MISMATCH'; readonly expected: string; readonly actual: string }
  | { readonly code: 'CID_MISMATCH'; readonly expected: string; readonly actual: string }
  | {
      readonly code: 'PAYLOAD_CORRUPT'
      readonly root: string
      readonly leaf: bigint
      readonly what: string
    }
  | {
      readonly code: 'STORE_CORRUPT'
      readonly path: string
      readonly offset: bigint
      readonly reason: string
    }
  | { readonly code: 'STORE_READ_ONLY'; readonly path: string; readonly reason: string }
  | { readonly code: 'VOLUME_UNAVAILABLE'; readonly path: string; readonly reason: string }
  /** `pid` is 0 when the process cannot be seen from here: in another container. */
  | { readonly code: 'HOME_IN_USE'; readonly path: string; readonly pid: number }
  | {
      readonly code: 'REPLICAS_EXHAUSTED'
      readonly dataset: string
      readonly tried: readonly string[]
    }
  // ledger
  | { readonly code: 'LEDGER_UNREACHABLE'; readonly endpoint: string; readonly reason: string }
  | { readonly code: 'TX_REVERTED'; readonly error: string; readonly args: readonly string[] }
  | { readonly code: 'CHAIN_UNSUITABLE'; readonly reason: string }
  | { readonly code: 'TRANSACTION_TOO_LARGE'; readonly limit: bigint; readonly actual: bigint }
  // transport
  | { readonly code: 'PEER_UNREACHABLE'; readonly peer: string; readonly reason: string }
  | { readonly code: 'PEER_MISBEHAVED'; readonly peer: string; readonly reason: string }
  | { readonly code: 'PROCESS_FAILED'; readonly program: string; readonly reason: string }
  // abort
  | { readonly code: 'ABORTED' }
  | { readonly code: 'SHUTTING_DOWN' }
  // bug: ours
  | { readonly code: 'INVARIANT'; readonly sentence: string }

export type HoldfastErrorCode = HoldfastErrorDetail['code']
