/**
 * The one error of Holdfast, its closed set of codes, and the table that says for each code whose
 * fault it is, how it travels over gRPC, whether to try again, what a command exits with, and what
 * to tell the person. A code without a row does not compile, nor one whose fields are missing in
 * `error-fields.ts`.
 *
 * Recognise errors by `HoldfastError.is(e, 'CODE')`, never by `instanceof` across packages.
 */

/**
 * Every code with its fields; expected before actual. Add yours to the family it belongs to, with a
 * row below and its fields in `error-fields.ts`.
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
  | { readonly code: 'CONFIG_INVALID'; readonly path: string; readonly reason: string }
  | { readonly code: 'INPUT_UNREADABLE'; readonly path: string; readonly reason: string }
  | { readonly code: 'USAGE'; readonly reason: string }
  | { readonly code: 'CAR_INVALID'; readonly reason: string }
  | { readonly code: 'KEYSTORE_INVALID'; readonly path: string; readonly reason: string }
  | { readonly code: 'PASSPHRASE_WRONG'; readonly path: string }
  // denied: understood, but not for you
  | { readonly code: 'CLIENT_UNKNOWN'; readonly client: string }
  | { readonly code: 'UNAUTHORIZED'; readonly reason: string }
  | { readonly code: 'TLS_KEY_MISMATCH'; readonly expected: string; readonly actual: string }
  // missing
  | { readonly code: 'DEAL_NOT_FOUND'; readonly deal: string }
  | { readonly code: 'PROVIDER_NOT_FOUND'; readonly provider: string }
  | { readonly code: 'PAYLOAD_NOT_FOUND'; readonly root: string }
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

/** What a command exits with; `interface.md` fixes the numbers. */
export const EXIT_CODES = {
  done: 0,
  error: 1,
  usage: 2,
  notFound: 3,
  partial: 4,
  tryAgain: 5,
  funds: 6,
  verification: 7,
  declined: 8,
  nothingToDo: 9,
  timedOut: 10,
} as const

type Exit = keyof typeof EXIT_CODES
type Retry = 'never' | 'after-tip' | 'after-payment' | 'back-off'

export interface ErrorRow {
  /** The gRPC status code as a number (grpc.io, status codes). */
  readonly grpcStatus: number
  readonly retry: Retry
  readonly exit: Exit
  /** What the person can do next; a full sentence. */
  readonly hint: string
}

const GRPC = {
  cancelled: 1,
  invalid: 3,
  deadline: 4,
  notFound: 5,
  exists: 6,
  denied: 7,
  exhausted: 8,
  precondition: 9,
  aborted: 10,
  internal: 13,
  unavailable: 14,
  dataLoss: 15,
  unauthenticated: 16,
} as const

const row = (grpcStatus: number, retry: Retry, exit: Exit, hint: string): ErrorRow => ({
  grpcStatus,
  retry,
  exit,
  hint,
})

/** One row per code: gRPC status, retry advice, exit code, hint. */
export const ERROR_TABLE: Readonly<Record<HoldfastErrorCode, ErrorRow>> = {
  UNIT_INVALID: row(GRPC.invalid, 'never', 'usage', 'Give a non-negative whole number.'),
  ID_INVALID: row(GRPC.invalid, 'never', 'usage', 'Check that the identifier was copied whole.'),
  SCHEME_UNKNOWN: row(GRPC.invalid, 'never', 'usage', 'Use sha256-1k or commp.'),
  PAYLOAD_EMPTY: row(GRPC.invalid, 'never', 'usage', 'A payload holds at least one byte.'),
  PAYLOAD_TOO_LARGE: row(
    GRPC.invalid,
    'never',
    'usage',
    'Split the dataset into smaller payloads.',
  ),
  MESSAGE_INVALID: row(
    GRPC.invalid,
    'never',
    'error',
    'The peer speaks another version or is faulty.',
  ),
  TERMS_INVALID: row(
    GRPC.invalid,
    'never',
    'error',
    'Ask for a fresh quote and build the terms from it.',
  ),
  VOUCHER_INVALID: row(
    GRPC.invalid,
    'never',
    'error',
    'Sign a voucher for this provider, chain and payload.',
  ),
  VOUCHER_EXPIRED: row(
    GRPC.invalid,
    'never',
    'error',
    'Sign a new voucher; check the clock of this machine.',
  ),
  VOUCHER_REPLAYED: row(
    GRPC.exists,
    'never',
    'error',
    'Every upload needs a voucher with a fresh nonce.',
  ),
  SIGNATURE_INVALID: row(
    GRPC.unauthenticated,
    'never',
    'error',
    'Check which key signed, and for which network.',
  ),
  RANGE_INVALID: row(
    GRPC.invalid,
    'never',
    'usage',
    'Ranges are a-b in bytes, both included, inside the file.',
  ),
  CONFIG_INVALID: row(GRPC.invalid, 'never', 'usage', 'Correct the named setting.'),
  INPUT_UNREADABLE: row(GRPC.invalid, 'never', 'error', 'Check the path and its permissions.'),
  USAGE: row(GRPC.invalid, 'never', 'usage', 'See --help.'),
  CAR_INVALID: row(
    GRPC.invalid,
    'never',
    'verification',
    'The archive is damaged or is not a CARv1.',
  ),
  KEYSTORE_INVALID: row(
    GRPC.invalid,
    'never',
    'error',
    'A keystore is a JSON file of version 3 (scrypt, aes-128-ctr).',
  ),
  PASSPHRASE_WRONG: row(GRPC.unauthenticated, 'never', 'error', 'Check the passphrase file.'),
  CLIENT_UNKNOWN: row(
    GRPC.denied,
    'after-payment',
    'funds',
    'Deposit into the vault first: holdfast fund <amount>.',
  ),
  UNAUTHORIZED: row(GRPC.denied, 'never', 'error', 'Use the key this belongs to.'),
  TLS_KEY_MISMATCH: row(
    GRPC.unauthenticated,
    'never',
    'verification',
    'Whoever answered is not the registered provider; do not continue.',
  ),
  DEAL_NOT_FOUND: row(GRPC.notFound, 'after-tip', 'notFound', 'Check the deal id and the network.'),
  PROVIDER_NOT_FOUND: row(GRPC.notFound, 'after-tip', 'notFound', 'See holdfast providers.'),
  PAYLOAD_NOT_FOUND: row(
    GRPC.notFound,
    'never',
    'notFound',
    'This provider does not hold that payload.',
  ),
  SESSION_NOT_FOUND: row(
    GRPC.notFound,
    'never',
    'error',
    'Open the upload again; finished ranges are kept by the new session when they can be.',
  ),
  DATASET_NOT_FOUND: row(
    GRPC.notFound,
    'after-tip',
    'notFound',
    'Check the CID; publish the dataset first.',
  ),
  PATH_NOT_FOUND: row(
    GRPC.notFound,
    'never',
    'notFound',
    'See holdfast ls for what the dataset holds.',
  ),
  FILE_NOT_FOUND: row(GRPC.notFound, 'never', 'notFound', 'Check the path.'),
  WINDOW_CLOSED: row(
    GRPC.precondition,
    'after-tip',
    'error',
    'The period can no longer be proven; the next one can.',
  ),
  SEED_MISSING: row(
    GRPC.precondition,
    'after-tip',
    'tryAgain',
    "Wait for the period's seed to be posted.",
  ),
  DEAL_EXISTS: row(GRPC.exists, 'never', 'nothingToDo', 'The deal is open already.'),
  DEAL_STATE: row(
    GRPC.precondition,
    'after-tip',
    'error',
    'See holdfast status for the state of the deal.',
  ),
  PROVIDER_STATE: row(
    GRPC.precondition,
    'after-tip',
    'error',
    'See holdfast providers for the state of the provider.',
  ),
  UPLOAD_INCOMPLETE: row(
    GRPC.precondition,
    'back-off',
    'tryAgain',
    'Send the missing ranges, then commit again.',
  ),
  QUOTE_EXPIRED: row(
    GRPC.precondition,
    'never',
    'tryAgain',
    'Ask for a fresh quote: holdfast plan.',
  ),
  NETWORK_EXISTS: row(
    GRPC.exists,
    'never',
    'error',
    'Stop the running one first, or name another directory.',
  ),
  NOTHING_TO_DO: row(
    GRPC.precondition,
    'never',
    'nothingToDo',
    'Everything asked for is done already.',
  ),
  DECLINED: row(GRPC.precondition, 'never', 'declined', 'Run again with --yes to go ahead.'),
  PARTIAL: row(
    GRPC.precondition,
    'back-off',
    'partial',
    'Run the same command again; it continues where it stopped.',
  ),
  FUNDS_INSUFFICIENT: row(
    GRPC.precondition,
    'after-payment',
    'funds',
    'Deposit more: holdfast fund <amount>.',
  ),
  QUEUE_FULL: row(GRPC.exhausted, 'back-off', 'tryAgain', 'Try again in a moment.'),
  RATE_LIMITED: row(GRPC.exhausted, 'back-off', 'tryAgain', 'Slow down, then try again.'),
  DISK_FULL: row(
    GRPC.exhausted,
    'never',
    'tryAgain',
    'Choose another provider, or free space there.',
  ),
  TIMED_OUT: row(GRPC.deadline, 'back-off', 'timedOut', 'Try again, or allow more with --timeout.'),
  PROOF_INVALID: row(
    GRPC.dataLoss,
    'never',
    'verification',
    'What was shown does not open the commitment.',
  ),
  ROOT_MISMATCH: row(
    GRPC.dataLoss,
    'never',
    'verification',
    'The bytes are not those that were promised; send them again.',
  ),
  CID_MISMATCH: row(
    GRPC.dataLoss,
    'never',
    'verification',
    'The bytes are not those the CID names; use another replica.',
  ),
  PAYLOAD_CORRUPT: row(
    GRPC.dataLoss,
    'never',
    'verification',
    'The stored copy is damaged; repair it from another replica.',
  ),
  STORE_CORRUPT: row(
    GRPC.dataLoss,
    'never',
    'verification',
    'Run holdfast-provider scrub, and check the disk.',
  ),
  STORE_READ_ONLY: row(
    GRPC.unavailable,
    'never',
    'error',
    'The disk failed a write: check it, then restart the provider.',
  ),
  HOME_IN_USE: row(
    GRPC.precondition,
    'never',
    'error',
    'Stop the process that uses the directory, or name another one.',
  ),
  REPLICAS_EXHAUSTED: row(
    GRPC.unavailable,
    'back-off',
    'tryAgain',
    'No replica gave the right bytes; see holdfast status.',
  ),
  LEDGER_UNREACHABLE: row(
    GRPC.unavailable,
    'back-off',
    'tryAgain',
    'Check the RPC endpoint; for the devnet: holdfast devnet status.',
  ),
  TX_REVERTED: row(
    GRPC.aborted,
    'never',
    'error',
    'The contract refused; the error names the rule.',
  ),
  CHAIN_UNSUITABLE: row(
    GRPC.precondition,
    'never',
    'error',
    'Holdfast needs an EVM chain with EIP-2537.',
  ),
  TRANSACTION_TOO_LARGE: row(
    GRPC.precondition,
    'never',
    'error',
    'It needs more gas than one transaction may use; split it into smaller ones.',
  ),
  PEER_UNREACHABLE: row(
    GRPC.unavailable,
    'back-off',
    'tryAgain',
    'Check that the provider runs and can be reached.',
  ),
  PEER_MISBEHAVED: row(
    GRPC.dataLoss,
    'never',
    'verification',
    'Do not use this provider; another replica may serve.',
  ),
  PROCESS_FAILED: row(GRPC.internal, 'never', 'error', 'See its log for the reason.'),
  ABORTED: row(GRPC.cancelled, 'never', 'error', 'Stopped on request.'),
  SHUTTING_DOWN: row(
    GRPC.unavailable,
    'back-off',
    'tryAgain',
    'The node is stopping; try again soon or use another.',
  ),
  INVARIANT: row(GRPC.internal, 'never', 'error', 'This is a bug in Holdfast; please report it.'),
}

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
