/**
 * Entries of committed bundles: good ones, ones opened wrongly, and bundles that were wrong when
 * they were committed.
 */
import { account, bundle, bytes, challenge, value32 } from './reference.mjs'
import { answerAt, dealTree } from './tree.mjs'

const { hex } = bytes

/** Payload numbers by slot: one deal; holes; enough deals for one level more. */
const LAYOUTS = [[0], [0, undefined, 1, 2, 3], [undefined, 2, 3, 0, 1, 2, 3, 1, 1, 3, 0, 1]]

const contextOf = (n) => ({
  chainId: [1n, 31_337n, (1n << 63n) + 5n][n],
  proofs: account('bundle proofs', n),
  provider: account('bundle provider', n),
  period: [0n, 19n, (1n << 32n) + 7n][n],
  seed: value32('bundle seed', n),
})

/** The weight left of the slot that holds a deal. */
const weightBefore = (slots, deal) => {
  let before = 0n
  for (const slot of slots) {
    if (slot?.deal === deal) return { before, leaves: slot.leaves }
    before += slot?.leaves ?? 0n
  }
  throw new Error(`no slot holds ${deal}`)
}

const madeOf = (layout, n) => {
  const context = contextOf(n)
  const { tree, payloads } = dealTree(layout)
  const position = ({ class: kind, deal, i }) => {
    if (kind === 0) return challenge.globalPosition(context, i, tree.top.weight)
    const { before, leaves } = weightBefore(tree.slots, deal)
    return before + challenge.dealIndex(context, deal, { i, leaves })
  }
  const known = new Map()
  const answerTo = (question) => {
    const at = position(question)
    if (!known.has(at)) known.set(at, answerAt(tree, payloads, at))
    return known.get(at)
  }
  const questions = bundle.questions(tree.slots.map((slot) => slot?.deal))
  const entries = questions.map((question) => ({ ...question, answer: answerTo(question) }))
  return { context, tree, entries, hashes: entries.map(bundle.entryHash) }
}

const caseOf = (made, { hashes = made.hashes, index, context = made.context, ...changed }) => {
  const entry = made.entries[index]
  return {
    chainId: String(context.chainId),
    proofs: context.proofs,
    provider: context.provider,
    period: String(context.period),
    seed: context.seed,
    treeRoot: hex(made.tree.top.hash),
    treeWeight: String(made.tree.top.weight),
    treeDepth: made.tree.depth,
    root: hex(bundle.root(made.context, hashes)),
    class: entry.class,
    deal: entry.deal,
    i: entry.i,
    index: String(index),
    count: String(hashes.length),
    answer: hex(entry.answer),
    path: hex(bundle.path(hashes, index)),
    valid: false,
    ...changed,
  }
}

const flip = (text, at) => {
  const data = bytes.unhex(text)
  data[at] ^= 1
  return hex(data)
}

/** Honest bundle, opened for another question, place, count or with other bytes. */
const misopened = (made, index) => {
  const good = caseOf(made, { index, valid: true, reason: '' })
  const count = BigInt(good.count)
  return [
    good,
    { class: 1 - good.class, reason: 'class' },
    { i: good.i + 1, reason: 'number' },
    ...(good.class === 1 ? [{ deal: made.entries.at(-1).deal, reason: 'deal' }] : []),
    { index: String(index + 5), reason: 'index five further' },
    { index: String(index + 1), reason: 'index one further' },
    { index: String(index + 1), i: (good.i + 1) % 5, reason: 'index and number one further' },
    { index: good.count, reason: 'index after the end' },
    { count: String(count + 5n), reason: 'a deal more' },
    { count: String(count - 5n), reason: 'a deal less' },
    { count: String(count + 1n), reason: 'an entry more' },
    { count: '455', reason: 'fewer than the global entries' },
    { count: String(460n + 5n * ((1n << 32n) + 1n)), reason: 'more deals than slots' },
    { root: flip(good.root, 0), reason: 'bundle' },
    { path: flip(good.path, 0), reason: 'first sibling' },
    { path: flip(good.path, good.path.length / 2 - 2), reason: 'last sibling' },
    { path: good.path.slice(0, -64), reason: 'a sibling short' },
    { path: `${good.path}${'00'.repeat(32)}`, reason: 'a sibling long' },
    { path: good.path.slice(0, -2), reason: 'a path a byte short' },
    { path: '0x', reason: 'no path' },
    { answer: flip(good.answer, 100), reason: 'answer' },
    { answer: '0x', reason: 'no answer' },
    { treeRoot: flip(good.treeRoot, 31), reason: 'tree of another period' },
    { treeDepth: good.treeDepth + 1, reason: 'depth of another period' },
  ].map((changed) => (changed === good ? good : { ...good, ...changed, valid: false }))
}

/** The bundle of this provider and period, shown as that of another. */
const replayed = (made, index) =>
  [
    { chainId: made.context.chainId + 1n },
    { proofs: account('another ledger') },
    { provider: account('another provider') },
    { period: made.context.period + 1n },
    { seed: value32('another seed') },
  ].map((changed) =>
    caseOf(made, {
      index,
      context: { ...made.context, ...changed },
      reason: `another ${Object.keys(changed)[0]}`,
    }),
  )

/** Bundles whose entry at `index` was wrong from the start, opened as they are. */
const miscommitted = (made, index) => {
  const entry = made.entries[index]
  const after = made.entries.slice(index).filter((other) => other.class === entry.class)
  const next = after.find(({ answer }) => !answer.equals(entry.answer))
  const commit = (reason, changed, at = index) => {
    const forged = { ...entry, ...changed }
    const hashes = made.hashes.with(index, bundle.entryHash(forged, at))
    return caseOf(made, { index, hashes, answer: hex(forged.answer), reason })
  }
  const madeUp = bytes.unhex(flip(hex(entry.answer), 77 + 40 * made.tree.depth + 5))
  const short = made.hashes.slice(0, -1)
  return [
    commit('committed: made-up leaf', { answer: madeUp }),
    commit('committed: nothing', { answer: Buffer.alloc(0) }),
    commit('committed: a head only', {
      answer: entry.answer.subarray(0, 77 + 40 * made.tree.depth),
    }),
    commit('committed: answer to a later challenge', { answer: next.answer }),
    commit('committed: another class', { class: 1 - entry.class }),
    commit('committed: another number', { i: entry.i + 1 }),
    commit('committed: another deal', { deal: value32('no deal') }),
    commit('committed: hashed for another index', {}, index + 5),
    caseOf(made, { index, hashes: short, reason: 'committed: an entry missing at the end' }),
  ]
}

/** The right answers of two deals, each committed as the other's. */
const exchanged = (made) => {
  const [first, second] = [460, 465].map((index) => made.entries[index])
  const forged = { ...first, answer: second.answer }
  const hashes = made.hashes.with(460, bundle.entryHash(forged, 460))
  const reason = "committed: another deal's answer"
  return caseOf(made, { index: 460, hashes, answer: hex(second.answer), reason })
}

export const bundles = () => {
  const cases = []
  LAYOUTS.forEach((layout, n) => {
    const made = madeOf(layout, n)
    const last = made.entries.length - 1
    for (const index of [0, 1, 255, 459, 460, 463, last]) {
      cases.push(caseOf(made, { index, valid: true, reason: '' }))
    }
    for (const index of [17, 461]) {
      if (n === 1) cases.push(...misopened(made, index))
      if (n > 0) cases.push(...miscommitted(made, index))
    }
    cases.push(...replayed(made, 459), ...replayed(made, last))
    if (n > 0) cases.push(exchanged(made))
  })
  return cases
}
