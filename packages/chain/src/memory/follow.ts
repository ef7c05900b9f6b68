/** Following the simulated chain: the same contract as on a real one, over blocks held in memory. */
import { HoldfastError } from '@holdfast/protocol'
import { type AppliedBlock, type BlockRef, type LedgerUpdate, REWIND_BLOCKS } from '../ledger.ts'
import type { Blocks } from './memory-chain.ts'

/** Blocks that one update brings at most. */
const UPDATE_BLOCKS = 1000
/** The newest of the reader's blocks that still stands, and those after it. */
const parted = (
  blocks: Blocks,
  trail: readonly BlockRef[],
): { readonly base: bigint; readonly reverted: readonly BlockRef[] } => {
  const reverted: BlockRef[] = []
  for (const ref of trail.toReversed()) {
    if (blocks.at(ref.number)?.ref.hash === ref.hash) return { base: ref.number, reverted }
    reverted.push(ref)
  }
  const oldest = reverted.at(-1)
  if (oldest === undefined) return { base: -1n, reverted }
  // Nothing of the reader's past is left: back by number, as the port says.
  const top = oldest.number - 1n < blocks.tip.number ? oldest.number - 1n : blocks.tip.number
  const floor = top - BigInt(REWIND_BLOCKS) > -1n ? top - BigInt(REWIND_BLOCKS) : -1n
  for (let number = top; number > floor; number--) {
    const ref = blocks.at(number)?.ref
    if (ref !== undefined) reverted.push(ref)
  }
  return { base: floor, reverted }
}

/** See `LedgerReader.follow`. */
export async function* followBlocks(
  blocks: Blocks,
  after: BlockRef | readonly BlockRef[] | undefined,
  signals: readonly AbortSignal[],
): AsyncGenerator<LedgerUpdate> {
  const signal = AbortSignal.any([...signals])
  let trail: BlockRef[] = after === undefined ? [] : 'hash' in after ? [after] : [...after]
  for (;;) {
    if (signal.aborted) throw new HoldfastError({ code: 'ABORTED' }, { cause: signal.reason })
    const { base, reverted } = parted(blocks, trail)
    const applied: AppliedBlock[] = []
    for (let number = base + 1n; applied.length < UPDATE_BLOCKS; number++) {
      const block = blocks.at(number)
      if (block === undefined) break
      applied.push({ ref: block.ref, events: block.events })
    }
    const kept = trail.filter((ref) => ref.number <= base)
    trail = [...kept, ...applied.map((block) => block.ref)].slice(-REWIND_BLOCKS - 1)
    const changed = blocks.changed(signal)
    if (applied.length > 0 || reverted.length > 0) yield { reverted, applied }
    if (applied.length < UPDATE_BLOCKS) await changed
  }
}
