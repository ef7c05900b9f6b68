/**
 * The table that says for each error code whose fault it is, how it travels over gRPC, whether to
 * try again, what a command exits with, and what to tell the person.
 */
import type { HoldfastErrorCode } from './error-codes.ts'

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

/** The caller said something that can never work. */
const invalid = (exit: Exit, hint: string): ErrorRow => row(GRPC.invalid, 'never', exit, hint)
/** It is not there, or not yet. */
const missing = (retry: Retry, exit: Exit, hint: string): ErrorRow =>
  row(GRPC.notFound, retry, exit, hint)
/** Right, but not now. */
const state = (retry: Retry, exit: Exit, hint: string): ErrorRow =>
  row(GRPC.precondition, retry, exit, hint)
/** Too much at once. */
const limit = (hint: string): ErrorRow => row(GRPC.exhausted, 'back-off', 'tryAgain', hint)
/** Bytes or proofs that are not what they should be: never again from there. */
const integrity = (hint: string): ErrorRow => row(GRPC.dataLoss, 'never', 'verification', hint)
/** Somebody does not answer. */
const away = (hint: string): ErrorRow => row(GRPC.unavailable, 'back-off', 'tryAgain', hint)

/** One row per code: gRPC status, retry advice, exit code, hint. */
export const ERROR_TABLE: Readonly<Record<HoldfastErrorCode, ErrorRow>> = {
  UNIT_INVALID: invalid('usage', 'Give a non-negative whole number.'),
  ID_INVALID: invalid('usage', 'Check that the identifier was copied whole.'),
  SCHEME_UNKNOWN: invalid('usage', 'Use sha256-1k or commp.'),
  PAYLOAD_EMPTY: invalid('usage', 'A payload holds at least one byte.'),
  PAYLOAD_TOO_LARGE: invalid('usage', 'Split the dataset into smaller payloads.'),
  MESSAGE_INVALID: invalid(
    'error',
    'Send what the reason asks for; between two programs, one is faulty or of another version.',
  ),
  TERMS_INVALID: invalid('error', 'Ask for a fresh quote and build the terms from it.'),
  VOUCHER_INVALID: invalid('error', 'Sign a voucher for this provider, chain and payload.'),
  VOUCHER_EXPIRED: invalid('error', 'Sign a new voucher; check the clock of this machine.'),
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
  RANGE_INVALID: invalid('usage', 'Ranges are a-b in bytes, both included, inside the file.'),
  ENCODING_REFUSED: invalid('error', 'Send the bytes as they are, without Content-Encoding.'),
  CONFIG_INVALID: invalid('usage', 'Correct the named setting.'),
  INPUT_UNREADABLE: invalid('error', 'Check the path and its permissions.'),
  USAGE: invalid('usage', 'See --help.'),
  CAR_INVALID: invalid('verification', 'The archive is damaged or is not a CARv1.'),
  KEYSTORE_INVALID: invalid(
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
  DENIED: row(GRPC.denied, 'never', 'error', 'This provider does not serve it; another may.'),
  TLS_KEY_MISMATCH: row(
    GRPC.unauthenticated,
    'never',
    'verification',
    'Whoever answered is not the registered provider; do not continue.',
  ),
  DEAL_NOT_FOUND: missing('after-tip', 'notFound', 'Check the deal id and the network.'),
  PROVIDER_NOT_FOUND: missing('after-tip', 'notFound', 'See holdfast providers.'),
  PAYLOAD_NOT_FOUND: missing('never', 'notFound', 'This provider does not hold that payload.'),
  BLOCK_NOT_FOUND: missing('never', 'notFound', 'This provider has no such block, or not yet.'),
  SESSION_NOT_FOUND: missing(
    'never',
    'error',
    'Open the upload again; finished ranges are kept by the new session when they can be.',
  ),
  BUNDLE_NOT_FOUND: missing(
    'after-tip',
    'notFound',
    'A provider keeps bundles until their period is final; direct mode makes none.',
  ),
  DATASET_NOT_FOUND: missing('after-tip', 'notFound', 'Check the CID; publish the dataset first.'),
  PATH_NOT_FOUND: missing('never', 'notFound', 'See holdfast ls for what the dataset holds.'),
  FILE_NOT_FOUND: missing('never', 'notFound', 'Check the path.'),
  WINDOW_CLOSED: state(
    'after-tip',
    'error',
    'The period can no longer be proven; the next one can.',
  ),
  SEED_MISSING: state('after-tip', 'tryAgain', "Wait for the period's seed to be posted."),
  DEAL_EXISTS: row(GRPC.exists, 'never', 'nothingToDo', 'The deal is open already.'),
  DEAL_STATE: state('after-tip', 'error', 'See holdfast status for the state of the deal.'),
  PROVIDER_STATE: state(
    'after-tip',
    'error',
    'See holdfast providers for the state of the provider.',
  ),
  DISPUTE_STATE: state(
    'after-tip',
    'error',
    'Look at the dispute and at the period again: it may be answered, late or final.',
  ),
  UPLOAD_INCOMPLETE: state('back-off', 'tryAgain', 'Send the missing ranges, then commit again.'),
  QUOTE_EXPIRED: state('never', 'tryAgain', 'Ask for a fresh quote: holdfast plan.'),
  NETWORK_EXISTS: row(
    GRPC.exists,
    'never',
    'error',
    'Stop the running one first, or name another directory.',
  ),
  NOTHING_TO_DO: state('never', 'nothingToDo', 'Everything asked for is done already.'),
  DECLINED: state('never', 'declined', 'Run again with --yes to go ahead.'),
  PARTIAL: state(
    'back-off',
    'partial',
    'Run the same command again; it continues where it stopped.',
  ),
  FUNDS_INSUFFICIENT: state('after-payment', 'funds', 'Deposit more: holdfast fund <amount>.'),
  QUEUE_FULL: limit('Try again in a moment.'),
  RATE_LIMITED: limit('Slow down, then try again.'),
  DISK_FULL: row(
    GRPC.exhausted,
    'never',
    'tryAgain',
    'Choose another provider, or free space there.',
  ),
  TIMED_OUT: row(GRPC.deadline, 'back-off', 'timedOut', 'Try again, or allow more with --timeout.'),
  PROOF_INVALID: integrity('What was shown does not open the commitment.'),
  CHECKSUM_MISMATCH: row(
    GRPC.dataLoss,
    'back-off',
    'tryAgain',
    'The bytes changed on their way; send the part again.',
  ),
  ROOT_MISMATCH: integrity('The bytes are not those that were promised; send them again.'),
  CID_MISMATCH: integrity('The bytes are not those the CID names; use another replica.'),
  PAYLOAD_CORRUPT: integrity('The stored copy is damaged; repair it from another replica.'),
  STORE_CORRUPT: integrity('Run holdfast-provider scrub, and check the disk.'),
  STORE_READ_ONLY: row(
    GRPC.unavailable,
    'never',
    'error',
    'The disk failed a write: check it, then restart the provider.',
  ),
  VOLUME_UNAVAILABLE: row(
    GRPC.unavailable,
    'back-off',
    'tryAgain',
    'Check that the disk is mounted and answers: holdfast-provider volumes list.',
  ),
  HOME_IN_USE: state(
    'never',
    'error',
    'Stop the process that uses the directory, or name another one.',
  ),
  REPLICAS_EXHAUSTED: away('No replica gave the right bytes; see holdfast status.'),
  LEDGER_UNREACHABLE: away('Check the RPC endpoint; for the devnet: holdfast devnet status.'),
  TX_REVERTED: row(
    GRPC.aborted,
    'never',
    'error',
    'The contract refused; the error names the rule.',
  ),
  CHAIN_UNSUITABLE: state('never', 'error', 'Holdfast needs an EVM chain with EIP-2537.'),
  TRANSACTION_TOO_LARGE: state(
    'never',
    'error',
    'It needs more gas than one transaction may use; split it into smaller ones.',
  ),
  PEER_UNREACHABLE: away('Check that the provider runs and can be reached.'),
  PEER_MISBEHAVED: integrity('Do not use this provider; another replica may serve.'),
  PROCESS_FAILED: row(GRPC.internal, 'never', 'error', 'See its log for the reason.'),
  ABORTED: row(GRPC.cancelled, 'never', 'error', 'Stopped on request.'),
  SHUTTING_DOWN: away('The node is stopping; try again soon or use another.'),
  INVARIANT: row(GRPC.internal, 'never', 'error', 'This is a bug in Holdfast; please report it.'),
}
