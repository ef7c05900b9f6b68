/** What an intake of uploads stands on, and what it is told. */
import type {
  Address,
  Bytes,
  Clock,
  Logger,
  Root,
  Seconds,
  Signer,
  SigningDomain,
} from '@holdfast/protocol'
import type { Holdings } from '../holdings.ts'
import type { PromiseBook } from '../journal/promise-book.ts'
import type { Limits } from '../limits/limits.ts'
import type { SectorStore } from '../store/sector-store.ts'
import type { VoucherRules } from './vouchers.ts'

export interface IntakeDependencies {
  readonly store: SectorStore
  readonly holdings: Holdings
  readonly book: PromiseBook
  readonly operator: Signer
  readonly clock: Clock
  readonly logger: Logger
  /** Free vault balance of a payer, in the token this provider takes. */
  readonly balanceOf: (payer: Address) => Promise<bigint>
  /** Called with a payer whose signature was checked; throws to refuse. */
  readonly admit: (payer: Address) => void
  /** Told every payload that is now here. */
  readonly onStored: (root: Root) => void
}

export interface IntakeOptions {
  readonly domain: SigningDomain
  /** What vouchers must say; asked for each. */
  readonly rules: () => VoucherRules
  readonly partBytesMax: Bytes
  readonly sessionTtl: Seconds
  readonly limits: () => Pick<Limits, 'partsMax' | 'sessionsPerPayerMax'>
  readonly tokenKey: Uint8Array
}
