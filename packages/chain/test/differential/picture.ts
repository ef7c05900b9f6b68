/** Everything that both ledgers say about those who take part, as one value to compare. */
import {
  type Address,
  type Amount,
  type DealId,
  type Hash32,
  HoldfastError,
  type Period,
  type ProviderId,
  period,
} from '@holdfast/protocol'
import type {
  Deal,
  Dispute,
  DisputedEntry,
  LedgerReader,
  ProviderRecord,
  ProviderStanding,
  TreeSnapshot,
} from '../../src/ledger.ts'

/** What is looked at. */
export interface Watched {
  /** Whether tokens came in or went out, so that those outside the vault moved. */
  readonly moved: boolean
  readonly accounts: readonly Address[]
  readonly tokens: readonly Address[]
  readonly providers: readonly ProviderId[]
  readonly deals: readonly DealId[]
  readonly disputed: readonly DisputedEntry[]
  readonly now: Period
}

interface ProviderPicture {
  readonly record: ProviderRecord | undefined
  readonly standing: ProviderStanding
  readonly proven: readonly Period[]
  readonly missed: readonly Period[]
  readonly units: bigint
  readonly committed: readonly (Hash32 | undefined)[]
  readonly trees: readonly (TreeSnapshot | string)[]
  readonly disputes: readonly Dispute[]
}

export interface Picture {
  readonly free: readonly Amount[]
  readonly outside: readonly Amount[]
  readonly fees: readonly Amount[]
  readonly providers: readonly ProviderPicture[]
  readonly deals: readonly (Deal | undefined)[]
  readonly disputes: readonly (Dispute | undefined)[]
}

const orCode = async <T>(read: Promise<T>): Promise<T | string> => {
  try {
    return await read
  } catch (refusal) {
    if (HoldfastError.is(refusal)) return refusal.code
    throw refusal
  }
}

const back = (now: Period, by: bigint): Period => period(now > by ? now - by : 0n)

const providerPicture = async (
  reader: LedgerReader,
  id: ProviderId,
  now: Period,
): Promise<ProviderPicture> => {
  const [before, oldest] = [back(now, 3n), back(now, 7n)]
  const [record, standing, proven, missed, units, committed, trees, disputes] = await Promise.all([
    reader.provider(id),
    reader.standing(id),
    reader.proven(id, back(now, 4n), period(now + 1n)),
    reader.missed(id, period(0n), period(now + 2n)),
    reader.missUnits(id, period(now + 1n)),
    Promise.all([now, before, oldest].map((of) => reader.committed(id, of))),
    Promise.all([now, oldest].map((of) => orCode(reader.snapshot(id, of)))),
    reader.disputes(id),
  ])
  const { beneficiary } = record ?? {}
  const plain = record === undefined ? undefined : { ...record, beneficiary }
  return { record: plain, standing, proven, missed, units, committed, trees, disputes }
}

export const pictureOf = async (reader: LedgerReader, watched: Watched): Promise<Picture> => {
  const { accounts, tokens, providers, deals, disputed, now, moved } = watched
  const purses = tokens.flatMap((token) => accounts.map((owner) => ({ token, owner })))
  const [free, outside, fees, providersSeen, dealsSeen, disputes] = await Promise.all([
    Promise.all(purses.map(({ token, owner }) => reader.balance(owner, token))),
    Promise.all((moved ? purses : []).map(({ token, owner }) => reader.tokenBalance(owner, token))),
    Promise.all(tokens.map((token) => reader.feesCollected(token))),
    Promise.all(providers.map((id) => providerPicture(reader, id, now))),
    Promise.all(deals.map((id) => reader.deal(id))),
    Promise.all(disputed.map((entry) => reader.dispute(entry))),
  ])
  return { free, outside, fees, providers: providersSeen, deals: dealsSeen, disputes }
}
