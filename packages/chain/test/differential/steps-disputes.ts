/** What may happen between whoever asks and a provider that answers or does not. */
import {
  type BundleQuestion,
  type Period,
  period,
  slotIndex,
  usablePeriods,
} from '@holdfast/protocol'
import type { DealMembership, Dispute, DisputedEntry } from '../../src/ledger.ts'
import type { Seeded } from '../simulation/seeded.ts'
import type { Keeper } from './cast.ts'
import { below, type MakeStep, mostly, short, someone } from './steps-deals.ts'
import { somePeriod } from './steps-proofs.ts'
import type { Twins } from './twins.ts'

const someQuestion = (
  random: Seeded,
  keeper: Keeper,
  of: Period,
): { readonly question: BundleQuestion; readonly membership: DealMembership | undefined } => {
  const tree = keeper.treeAt(of)
  const held = Array.from({ length: tree.slots }, (_, slot) => tree.path(slotIndex(slot)))
    .map((path) => ({ path, leaf: tree.get(path.slot) }))
    .flatMap(({ path, leaf }) => (leaf === undefined ? [] : [{ path, leaf }]))
  if (held.length === 0 || random.chance(0.5)) {
    const i = Number(
      below(
        random,
        mostly(random, 460n, () => 500n),
      ),
    )
    return { question: { class: 'global', i }, membership: undefined }
  }
  const member = random.pick(held)
  const i = Number(
    below(
      random,
      mostly(random, 5n, () => 7n),
    ),
  )
  const membership = mostly(random, member, () => random.pick(held))
  return { question: { class: 'deal', deal: member.leaf.deal, i }, membership }
}

/** A committed period that can still be asked about, as a rule. */
const askable = async (twins: Twins, random: Seeded, keeper: Keeper): Promise<Period> => {
  const found: Period[] = []
  for (let back = 0n; back < 5n && back <= twins.now; back++) {
    const of = period(twins.now - back)
    if ((await twins.reader.committed(keeper.provider, of)) !== undefined) found.push(of)
  }
  if (found.length === 0) return somePeriod(twins, random)
  return mostly(random, random.pick(found), () => somePeriod(twins, random))
}

export const openDispute: MakeStep = async (twins, random) => {
  const keeper = random.pick(twins.cast.keepers)
  const { provider } = keeper
  const of = await askable(twins, random, keeper)
  const again = twins.cast.disputed.filter((entry) => entry.provider === provider)
  const fresh = { period: of, ...someQuestion(random, keeper, of) }
  const asked =
    again.length > 0 && random.chance(0.05)
      ? { ...random.pick(again), membership: undefined }
      : fresh
  const parameters = { ...asked, provider }
  const name = `dispute ${short(provider)} ${asked.period} ${asked.question.class} ${asked.question.i}`
  return { name, by: someone(random), run: (w) => w.openDispute(parameters) }
}

const openOne = async (twins: Twins, random: Seeded): Promise<Dispute | undefined> => {
  const open: Dispute[] = []
  for (const { provider } of twins.cast.keepers)
    open.push(...(await twins.reader.disputes(provider)))
  return open.length === 0 ? undefined : random.pick(open)
}

const entryOf = ({ provider, period: of, question }: DisputedEntry): DisputedEntry => ({
  provider,
  period: of,
  question,
})

export const answerDispute: MakeStep = async (twins, random) => {
  const open = await openOne(twins, random)
  const { disputed } = twins.cast
  const chosen = open ?? (disputed.length === 0 ? undefined : random.pick(disputed))
  if (chosen === undefined) return undefined
  const entry = entryOf(chosen)
  const bundle = twins.cast.keeperOf(entry.provider).kept(entry.period)
  if (bundle === undefined) return undefined
  const shown = mostly(random, entry.question, () => random.pick(disputed).question)
  try {
    const opening = bundle.opening(shown)
    const name = `answer ${short(entry.provider)} ${entry.period} ${entry.question.class} ${entry.question.i}`
    return { name, by: someone(random), run: (w) => w.answerDispute(entry, opening) }
  } catch {
    // The bundle has no such entry to show by mistake.
    return undefined
  }
}

export const slashTimeout: MakeStep = async (twins, random) => {
  const open = await openOne(twins, random)
  const { disputed } = twins.cast
  const chosen = open ?? (disputed.length === 0 ? undefined : random.pick(disputed))
  if (chosen === undefined) return undefined
  const entry = entryOf(chosen)
  const usable = await usableFor(twins, random, open)
  const name = `slash ${short(entry.provider)} ${entry.period} ${entry.question.i} by ${usable.join(',')}`
  return { name, by: someone(random), run: (w) => w.slashTimeout(entry, usable) }
}

const usableFor = async (
  twins: Twins,
  random: Seeded,
  open: Dispute | undefined,
): Promise<readonly Period[]> => {
  const { cast, time, now } = twins
  if (open === undefined || random.chance(0.05)) return [somePeriod(twins, random)]
  if (random.chance(0.1)) return []
  const seeded = new Set<Period>()
  for (let of = open.period; of < now; of = period(of + 1n)) {
    if ((await twins.reader.seed(of)) !== undefined) seeded.add(of)
  }
  const { openedAt } = open
  const found = usablePeriods(cast.network, {
    openedAt,
    now: time,
    hasSeed: (of) => seeded.has(of),
  })
  return found ?? []
}
