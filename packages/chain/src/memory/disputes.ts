/** The rules of Disputes.sol on the in-memory state, in the contract's order. */
import {
  type Address,
  amount,
  answerDueAt,
  BUNDLE_GLOBALS,
  BUNDLE_PER_DEAL,
  type BundleOpening,
  bondFor,
  type CommittedBundle,
  dealId,
  depthFor,
  disputeIdOf,
  disputesUntil,
  EXPIRY_PERIODS as EXPIRY,
  encodeBundleOpening,
  HoldfastError,
  larger,
  NODE_BYTES,
  OPEN_DISPUTES_MAX,
  type Period,
  type ProviderId,
  period,
  periodAt,
  periodStart,
  slotNode,
  type Timestamp,
  toHex,
  uintBytes,
  usablePeriodsNeeded,
  verifyBundleEntry,
} from '@holdfast/protocol'
import type { Dispute, DisputedEntry, DisputeRef, OpenDisputeParameters } from '../ledger.ts'
import { committedAt, isProven, owedAudit, providerState, revoke } from './marks.ts'
import { slash } from './registry.ts'
import { climbed, invalid, openDisputes } from './trees.ts'
import { credit, debit, payFee, stakeToken, type World } from './world.ts'

const EXPIRY_PERIODS = BigInt(EXPIRY)

const refuse = (entry: DisputedEntry, reason: string): HoldfastError =>
  new HoldfastError({ code: 'DISPUTE_STATE', dispute: disputeIdOf(entry), reason })

/** The entry alone, as records carry it. */
const entryOf = ({ provider, period: of, question }: DisputedEntry): DisputedEntry => ({
  provider,
  period: of,
  question,
})

/** Numbers of questions have 32 bits on chain. @throws HoldfastError `UNIT_INVALID`. */
const checkNumber = ({ question: { i } }: DisputedEntry): void => {
  uintBytes(BigInt(i), 4)
}

/** As events name it. */
const refOf = (entry: DisputedEntry): DisputeRef => {
  const { provider, period: of } = entry
  return { dispute: disputeIdOf(entry), provider, period: of }
}

const notCommitted = ({ provider, period: of }: DisputedEntry): HoldfastError =>
  providerState(provider, `it has no bundle for that period (${of})`)

/** Holds the period's finality back. */
const hold = (world: World, entry: DisputedEntry): CommittedBundle => {
  const { provider, period: of } = entry
  const committed = committedAt(world, provider, of)
  if (committed === undefined || !isProven(world, provider, of)) throw notCommitted(entry)
  if (committed.tree.weight === 0n)
    throw providerState(provider, 'its tree of that period is empty')
  const deadline = disputesUntil(world.network, of)
  if (world.time > deadline) {
    throw new HoldfastError({ code: 'WINDOW_CLOSED', period: of, deadline })
  }
  if (openDisputes(world, provider).length >= OPEN_DISPUTES_MAX) {
    throw providerState(provider, `it has ${OPEN_DISPUTES_MAX} open disputes`)
  }
  return committed
}

const checkQuestion = (
  { question, membership }: OpenDisputeParameters,
  { tree }: CommittedBundle,
): void => {
  const { i } = question
  const most = question.class === 'global' ? BUNDLE_GLOBALS : BUNDLE_PER_DEAL
  if (i < 0 || BigInt(i) >= most) throw invalid(`there is no such question (${i})`)
  if (question.class === 'global') {
    if (membership !== undefined) throw invalid('a global question names no deal')
    return
  }
  if (membership?.leaf.deal !== question.deal) {
    throw invalid(`the membership is not of the deal in question (${question.deal})`)
  }
  const { leaf, path } = membership
  if (path.siblings.length !== tree.depth) {
    throw invalid(`the slot path has the wrong length (${tree.depth}, ${path.siblings.length})`)
  }
  if (path.slot >> BigInt(tree.depth) !== 0n) {
    throw invalid(`the slot is outside the tree (${path.slot}, ${tree.depth})`)
  }
  const { hash } = climbed(slotNode(leaf), path)
  if (hash !== tree.root) throw invalid(`the deal is not in the tree (${tree.root}, ${hash})`)
}

export const openDispute = (
  world: World,
  sender: Address,
  parameters: OpenDisputeParameters,
): void => {
  checkNumber(parameters)
  const entry = entryOf(parameters)
  if (world.disputes.has(disputeIdOf(entry))) throw refuse(entry, 'it was disputed before')
  const committed = hold(world, entry)
  checkQuestion(parameters, committed)
  const open = openDisputes(world, entry.provider).length
  const bond = bondFor(world.network.disputeBond, open)
  const record: Dispute = { ...entry, state: 'open', opener: sender, openedAt: world.time, bond }
  world.disputes.set(disputeIdOf(entry), record)
  world.emit({
    kind: 'dispute-opened',
    ...refOf(entry),
    question: entry.question,
    opener: sender,
    bond,
  })
  debit(world, stakeToken(world), sender, bond)
}

const openRecord = (world: World, entry: DisputedEntry): Dispute => {
  checkNumber(entry)
  const record = world.disputes.get(disputeIdOf(entry))
  if (record?.state === 'open') return record
  throw refuse(entry, 'no such dispute is open')
}

const end = (world: World, record: Dispute, state: Dispute['state']): void =>
  world.disputes.set(disputeIdOf(record), { ...record, state })

/** Index and count, 8 bytes each, before the path. */
const OPENING_HEAD = 16
const DEAL_BYTES = 32

/** As a call names it: the deal is the one in the answer, wherever the count says that begins. */
const namedBy = (entry: DisputedEntry, opening: BundleOpening): DisputedEntry => {
  const { question } = entry
  if (question.class === 'global') return entry
  if (opening.count === 0n) throw invalid('a bundle has entries')
  const at = OPENING_HEAD + NODE_BYTES * depthFor(opening.count)
  const shown = encodeBundleOpening(opening).subarray(at, at + DEAL_BYTES)
  if (shown.length < DEAL_BYTES) throw invalid('the opening is too short')
  return { ...entry, question: { ...question, deal: dealId(toHex(shown)) } }
}

export const answerDispute = (world: World, entry: DisputedEntry, opening: BundleOpening): void => {
  const record = openRecord(world, namedBy(entry, opening))
  const { provider, period: of, question, bond } = record
  const committed = committedAt(world, provider, of)
  if (committed === undefined) throw notCommitted(entry)
  verifyBundleEntry(committed, question, opening)
  end(world, record, 'answered')
  world.emit({ kind: 'dispute-answered', ...refOf(record) })
  const { disputeBond } = world.network
  credit(world, stakeToken(world), provider, disputeBond)
  payFee(world, stakeToken(world), amount(bond - disputeBond))
}

const isUsable = (world: World, of: Period): boolean =>
  world.seeds.has(of) && world.time >= periodStart(world.network, period(of + 1n))

/** A dispute does not expire when the chain was usable for long enough in the 30 periods after it. */
const checkExpired = (world: World, record: Dispute): void => {
  const { network, seeds } = world
  const first = periodAt(network, record.openedAt)
  let found = 0
  for (let of = first as bigint; of < first + EXPIRY_PERIODS; of++) {
    if (seeds.has(period(of))) found += 1
    if (found < usablePeriodsNeeded(network)) continue
    throw refuse(record, `it is slashed, it does not expire: the chain was usable (${of})`)
  }
}

const checkTime = (world: World, record: Dispute, usable: readonly Period[]): void => {
  const { network, time } = world
  const expiry = (record.openedAt + EXPIRY_PERIODS * network.period) as Timestamp
  const least = usable.length === 0 ? expiry : answerDueAt(network, record.openedAt)
  if (time < least) throw refuse(record, `the provider still has time (${least})`)
  if (usable.length === 0) {
    checkExpired(world, record)
    return
  }
  if (usable.length !== usablePeriodsNeeded(network))
    throw invalid(`${usable.length} periods do not show the chain usable`)
  let next = periodAt(network, record.openedAt)
  for (const of of usable) {
    if (of < next || !isUsable(world, of))
      throw invalid(`period ${of} does not show the chain usable`)
    next = period(of + 1n)
  }
}

export const slashTimeout = (
  world: World,
  entry: DisputedEntry,
  usable: readonly Period[],
): void => {
  const record = openRecord(world, entry)
  const { provider, period: of, question, opener, bond } = record
  checkTime(world, record, usable)
  const expired = usable.length === 0
  end(world, record, expired ? 'expired' : 'lost')
  const first = revoke(world, provider, of)
  if (expired) world.emit({ kind: 'dispute-expired', ...refOf(record) })
  else {
    // A commitment is one promise: whoever asked first for it is paid, whatever else is asked.
    const slashed = first ? slash(world, provider, opener) : amount(0n)
    world.emit({ kind: 'dispute-lost', ...refOf(record), opener, slashed })
    if (question.class === 'deal') {
      world.shownLost.set(question.deal, true)
      world.emit({ kind: 'deal-shown-lost', deal: question.deal, period: of })
    }
  }
  credit(world, stakeToken(world), opener, bond)
}

/** An audit does not expire when a period that it waited for could be used: then it is slashed. */
const checkNoSeed = (world: World, provider: ProviderId, audited: Period): void => {
  for (let of = audited + 1n; of < audited + EXPIRY_PERIODS; of++) {
    if (!world.seeds.has(period(of))) continue
    throw providerState(provider, `its audit is slashed, it does not expire (${audited}, ${of})`)
  }
}

export const slashAudit = (
  world: World,
  sender: Address,
  { provider, usable }: { readonly provider: ProviderId; readonly usable: Period },
): void => {
  const owed = owedAudit(world, provider)
  if (owed === undefined) {
    throw new HoldfastError({ code: 'NOTHING_TO_DO', reason: `${provider} owes no audit` })
  }
  const of = owed.period
  const expired = usable === of
  const over = period(expired ? of + EXPIRY_PERIODS : usable + 1n)
  const late = world.time >= periodStart(world.network, over)
  if (!late || usable < of || !world.seeds.has(larger(usable, of))) {
    throw providerState(provider, `its audit is not late (${of}, ${usable})`)
  }
  if (expired) checkNoSeed(world, provider, of)
  revoke(world, provider, of)
  const slashed = expired ? amount(0n) : slash(world, provider, sender)
  world.emit({ kind: 'audit-lost', provider, period: of, reporter: sender, slashed })
}
