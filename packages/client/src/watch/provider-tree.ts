/**
 * A provider's tree, rebuilt from the ledger's events when a dispute needs a path in it. Reads the
 * whole log once per use: disputes are rare, and a watch that keeps no tree has nothing to get wrong.
 */
import type { LedgerEvent, LedgerReader } from '@holdfast/chain'
import {
  type CallOptions,
  type DealId,
  type DealTerms,
  HoldfastError,
  leavesFor,
  type Period,
  type ProviderId,
  ProviderTreeHistory,
  periodAt,
  type SlotIndex,
  type SlotLeaf,
  type SlotPath,
} from '@holdfast/protocol'

/** A deal's place in a tree: what a dispute or a declaration shows. */
export interface DealPlace {
  readonly leaf: SlotLeaf
  readonly path: SlotPath
}

interface Change {
  readonly at: Period
  readonly slot: SlotIndex
  readonly deal: DealId | undefined
}

/** Everything that ever happened to the provider's slots, up to the tip. */
interface SlotLog {
  readonly changes: readonly Change[]
  readonly terms: ReadonlyMap<DealId, DealTerms>
}

/**
 * Where the deal stands in the provider's tree of a period, or in its present one.
 * @throws HoldfastError `DEAL_STATE` when it does not stand in it; `CHAIN_UNSUITABLE` when the log
 *   does not lead to the tree that the ledger holds.
 */
export const findInTree = async (
  ledger: LedgerReader,
  { deal, provider }: { readonly deal: DealId; readonly provider: ProviderId },
  of: Period | 'now',
  options: CallOptions = {},
): Promise<DealPlace> => {
  const log = await readSlotLog(ledger, provider, options)
  const kept = log.changes.at(-1)?.at ?? 0n
  const history = new ProviderTreeHistory(kept + 1n)
  for (const { at, slot, deal: held } of log.changes) {
    history.change(at, slot, held === undefined ? undefined : leafOf(log, held))
  }
  const tree = of === 'now' ? history.current() : history.at(of)
  if (of !== 'now') {
    const snapshot = await ledger.snapshot(provider, of, options)
    if (snapshot.root !== tree.root || snapshot.weight !== tree.weight) {
      const reason = `the log of ${provider} does not lead to its tree of period ${of}`
      throw new HoldfastError({ code: 'CHAIN_UNSUITABLE', reason })
    }
  }
  for (let at = 0n; at < tree.slots; at++) {
    const leaf = tree.get(at as SlotIndex)
    if (leaf?.deal === deal) return { leaf, path: tree.path(at as SlotIndex) }
  }
  const when = of === 'now' ? 'now' : `in period ${of}`
  throw new HoldfastError({ code: 'DEAL_STATE', deal, reason: `it is in no slot ${when}` })
}

const leafOf = ({ terms }: SlotLog, deal: DealId): SlotLeaf => {
  const signed = terms.get(deal)
  if (signed === undefined) throw new HoldfastError({ code: 'DEAL_NOT_FOUND', deal })
  const { scheme, root, length } = signed
  return { deal, scheme, root, leaves: leavesFor(length) }
}

/** Starts again when the chain is reorganised under its hands. */
const readSlotLog = async (
  ledger: LedgerReader,
  provider: ProviderId,
  options: CallOptions,
): Promise<SlotLog> => {
  const { number: tip } = await ledger.tip(options)
  let changes: Change[] = []
  let terms = new Map<DealId, DealTerms>()
  const fold = (event: LedgerEvent, at: Period): void => {
    if (event.kind === 'deal-opened' && event.terms.provider === provider) {
      terms.set(event.deal, event.terms)
    }
    if (event.kind === 'slot-changed' && event.provider === provider) {
      changes.push({ at, slot: event.slot, deal: event.deal })
    }
  }
  for (;;) {
    let isWhole = true
    for await (const { reverted, applied } of ledger.follow(undefined, options)) {
      if (reverted.length > 0) isWhole = false
      for (const { ref, events } of isWhole ? applied : []) {
        if (events.length === 0) continue
        const at = periodAt(ledger.network, ref.timestamp)
        for (const event of events) fold(event, at)
      }
      if (!isWhole || (applied.at(-1)?.ref.number ?? 0n) >= tip) break
    }
    if (isWhole) return { changes, terms }
    changes = []
    terms = new Map()
  }
}
