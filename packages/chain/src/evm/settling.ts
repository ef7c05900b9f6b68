/**
 * What the chain says about the nonces of a line: mined by one of our attempts, spent by somebody
 * else, or given back by a reorganisation. Reads only; what it finds is recorded by the keeper.
 */
import type { CallOptions } from '@holdfast/protocol'
import type { BlockRef } from '../ledger.ts'
import { REWIND_BLOCKS } from '../ledger.ts'
import type { Attempt, NonceLine, Settled, Slot } from '../outbox/nonce-line.ts'
import { getHeaderAt } from './blocks.ts'
import { isKnown } from './broadcast.ts'
import type { ChainClient } from './client.ts'
import type { Counts } from './counts.ts'
import { findAnywhere, findMined, isCorroborated, type Mined } from './receipts.ts'

export interface Verdict {
  readonly slot: Slot
  readonly settled: Settled
  /** The attempt that was mined, with its receipt; undefined when it was somebody else's. */
  readonly by: { readonly attempt: Attempt; readonly mined: Mined } | undefined
}

/** Without a receipt for this long after the nonce was spent, it was somebody else. */
const FOREIGN_MS = 1500

/** Nonces that are spent without a receipt of ours: since when, and when everybody was asked. */
export type Doubts = Map<number, { readonly since: number; readonly asked: number }>

const settledBy = (attempt: Attempt, { receipt, block }: Mined): Settled => {
  const reverted = receipt.status === 'reverted'
  const outcome = attempt.cancels ? 'displaced' : reverted ? 'reverted' : 'mined'
  const { number: blockNumber, hash: blockHash } = block
  return { outcome, hash: attempt.hash, blockNumber, blockHash }
}

/** The verdict on one nonce that is not known to be spent; undefined when there is none yet. */
export const verdictOn = async (
  client: ChainClient,
  slot: Slot,
  state: { readonly counts: Counts; readonly head: BlockRef; readonly doubts: Doubts },
  options?: CallOptions,
): Promise<Verdict | undefined> => {
  const { counts, head, doubts } = state
  const isSpent = counts.spent > slot.nonce
  // The newest is the likeliest; the others count once the nonce is gone.
  const attempts = isSpent ? [...slot.attempts].reverse() : slot.attempts.slice(-1)
  const found = await Promise.all(attempts.map(({ hash }) => findMined(client, hash, options)))
  const at = found.findIndex((mined) => mined !== undefined)
  const [attempt, mined] = [attempts[at], found[at]]
  if (attempt !== undefined && mined !== undefined) {
    if (!(await isCorroborated(client, mined, attempt.hash))) return undefined
    doubts.delete(slot.nonce)
    return { slot, settled: settledBy(attempt, mined), by: { attempt, mined } }
  }
  if (!isSpent) {
    doubts.delete(slot.nonce)
    return undefined
  }
  if (!(await isForeign(client, slot, doubts, options))) return undefined
  doubts.delete(slot.nonce)
  const { number: blockNumber, hash: blockHash } = head
  const settled = { outcome: 'foreign', hash: undefined, blockNumber, blockHash } as const
  return { slot, settled, by: undefined }
}

/** Spent, and no endpoint that answers knows anything of ours for this nonce, for a while. */
const isForeign = async (
  client: ChainClient,
  slot: Slot,
  doubts: Doubts,
  options?: CallOptions,
): Promise<boolean> => {
  const now = client.clock.now()
  const doubt = doubts.get(slot.nonce) ?? { since: now, asked: now }
  doubts.set(slot.nonce, doubt)
  if (now - doubt.asked < FOREIGN_MS) return false
  doubts.set(slot.nonce, { ...doubt, asked: now })
  for (const { hash } of slot.attempts) {
    const mined = await findAnywhere(client, hash, options)
    // Whoever denies it is found out here; the next look asks somebody else.
    if (mined !== undefined && !(await isCorroborated(client, mined, hash))) return false
    if (mined !== undefined || (await isKnown(client, hash, options)) !== false) return false
  }
  return true
}

/** A block by its place and content. */
export type Block = Pick<BlockRef, 'number' | 'hash'>

/** Whether the chain that ends at `head` still has the block. */
export const stands = async (
  client: ChainClient,
  block: Block | undefined,
  head: BlockRef,
  options?: CallOptions,
): Promise<boolean> => {
  if (block === undefined || block.number > head.number) return false
  return (await getHeaderAt(client, block.number, options))?.hash === block.hash
}

export interface PastLook {
  /** Its block is gone, and so is the transaction. */
  readonly undone: readonly Slot[]
  /** Mined again in another block. */
  readonly moved: readonly Verdict[]
  /** Too deep to be taken back. */
  readonly final: readonly Slot[]
}

/** What became of nonces that were spent: a reorganisation may have given them back. */
export const lookBack = async (
  client: ChainClient,
  line: NonceLine,
  head: BlockRef,
  options?: CallOptions,
): Promise<PastLook> => {
  const look = { undone: [] as Slot[], moved: [] as Verdict[], final: [] as Slot[] }
  const spent = line.slots.filter(({ settled }) => settled !== undefined)
  await Promise.all(
    spent.map(async (slot) => {
      const { settled } = slot
      if (settled === undefined) return
      if (settled.blockNumber + BigInt(REWIND_BLOCKS) < head.number) look.final.push(slot)
      else if (await isUndone(client, settled, head, options)) {
        const again = await againIn(client, slot, options)
        if (again === undefined) look.undone.push(slot)
        else look.moved.push(again)
      }
    }),
  )
  return look
}

/** An endpoint that lags has no opinion. */
const isUndone = async (
  client: ChainClient,
  { blockNumber, blockHash, hash }: Settled,
  head: BlockRef,
  options?: CallOptions,
): Promise<boolean> => {
  if (hash === undefined || head.number < blockNumber) return false
  const header = await getHeaderAt(client, blockNumber, options)
  return header !== undefined && header.hash !== blockHash
}

const againIn = async (
  client: ChainClient,
  slot: Slot,
  options?: CallOptions,
): Promise<Verdict | undefined> => {
  for (const attempt of [...slot.attempts].reverse()) {
    const mined = await findMined(client, attempt.hash, options)
    if (mined !== undefined) {
      return { slot, settled: settledBy(attempt, mined), by: { attempt, mined } }
    }
  }
  return undefined
}
