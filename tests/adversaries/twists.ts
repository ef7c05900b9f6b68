/** What cheating providers make of the right entries of a period before they commit to them. */
import type { Period } from '@holdfast/protocol'
import type { ArenaProvider, Twist } from '../support/arena-provider.ts'
import { Bundle, type Entry } from '../support/bundle.ts'

const isDeal = ({ question }: Entry): boolean => question.class === 'deal'

/** Heads of answers are public; leaf and path are not known to who has no bytes. */
export const madeUp: Twist = (entries) =>
  entries.map((entry) => ({ ...entry, answer: entry.answer.map((b, at) => (at < 117 ? b : 7)) }))

/** Without one leaf in ten, wherever it is asked for. */
export const someLost: Twist = (entries) =>
  entries.map((entry) =>
    entry.leaf % 10n === 3n ? { ...entry, answer: new Uint8Array(0) } : entry,
  )

export const absent: Twist = (entries) =>
  entries.map((entry) => ({ ...entry, answer: new Uint8Array(0) }))

/** Every entry of a deal holds the other deal's answer, under the right name. */
export const otherDeal: Twist = (entries) => {
  const deals = entries.filter(isDeal)
  const half = deals.length / 2
  const swapped = [...deals.slice(half), ...deals.slice(0, half)]
  return entries.map((entry) => {
    const at = deals.indexOf(entry)
    return at === -1 ? entry : { ...entry, answer: swapped[at]?.answer ?? entry.answer }
  })
}

/** The five answers of each deal, each one place further. */
export const permuted: Twist = (entries) =>
  entries.map((entry, index) => {
    if (!isDeal(entry)) return entry
    const at = index - 460
    const from = 460 + at - (at % 5) + ((at + 1) % 5)
    return { ...entry, answer: entries[from]?.answer ?? entry.answer }
  })

/** Whole deals at each other's place: harmless, for a question names a deal. */
export const dealsMoved: Twist = (entries) => {
  const deals = entries.filter(isDeal)
  const half = deals.length / 2
  return [
    ...entries.filter((entry) => !isDeal(entry)),
    ...deals.slice(half),
    ...deals.slice(0, half),
  ]
}

/** The very bundle that another provider has for this period, its openings shown in their places. */
export const commitToOthers = async (
  cheat: ArenaProvider,
  other: ArenaProvider,
  of: Period,
): Promise<void> => {
  const { entries } = await other.build(of)
  const order = (await cheat.build(of)).entries
  const replay = new Bundle(await other.context(of), entries, order)
  const { root } = replay
  await cheat.operator.ledger.commitPeriod({ provider: cheat.provider, period: of, root })
  cheat.bundles.set(of, replay)
}

/** What another provider answers in this period, in a bundle of one's own. */
export const answersOf = async (other: ArenaProvider, of: Period): Promise<Twist> => {
  const { entries: theirs } = await other.build(of)
  return (entries) =>
    entries.map((entry, at) => ({ ...entry, answer: theirs[at]?.answer ?? entry.answer }))
}
