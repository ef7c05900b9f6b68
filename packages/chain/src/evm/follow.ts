/**
 * Follows the chain: updates that revert and apply blocks along the chain of parent hashes, so that
 * whoever folds them always has the state of one real block. Far behind the head it reads logs over
 * ranges and leaves empty blocks out; in the last `REWIND_BLOCKS` it reads every header and checks
 * every link. Memory: the trail of at most `REWIND_BLOCKS` references, and one update.
 */
import { type CallOptions, HoldfastError, milliseconds } from '@holdfast/protocol'
import {
  type AppliedBlock,
  type BlockRef,
  type LedgerEvent,
  type LedgerUpdate,
  type NetworkParams,
  REWIND_BLOCKS,
} from '../ledger.ts'
import { getHeaderAt, getHeaderOf, type Header, refOf } from './blocks.ts'
import { type EvmClient, pause } from './client.ts'
import { contractAddresses, decodeEvent } from './events.ts'
import type { HeadFeed } from './head-feed.ts'
import { eachLogRange, getLogsBetween, type MinedLog, RangeSize } from './logs.ts'

const DEPTH = BigInt(REWIND_BLOCKS)
/** From here on ranges are worth it; so going back the whole depth is still one update. */
const FAR = 2n * DEPTH
/** Headers asked for at once; also what one range may hold of blocks with events at a time. */
const HEADERS_AT_ONCE = 128
const CONTRADICTED_MS = 50

/** Where a follower stands, and how it moves. */
class Follower {
  readonly #client: EvmClient
  readonly #options: CallOptions
  /** What the reader has applied, oldest first; the newest `REWIND_BLOCKS` of it. */
  readonly #trail: BlockRef[]
  /** True while the reader's own past is all we know, before the first update. */
  #fresh: boolean
  /** True while the trail reaches back to the deployment, so that nothing is missing below it. */
  #whole: boolean
  /** Reverted, but not yet told, because applying was overtaken by another reorganisation. */
  #reverted: BlockRef[] = []
  readonly #size = new RangeSize()

  constructor(client: EvmClient, after: readonly BlockRef[], options: CallOptions) {
    this.#client = client
    this.#options = options
    this.#trail = after.slice(-REWIND_BLOCKS).map(refOf)
    this.#fresh = after.length > 0
    this.#whole = after.length === 0
  }

  isAt(head: BlockRef): boolean {
    return this.#trail.at(-1)?.hash === head.hash
  }

  /** One update towards `head`; undefined when the chain changed under our hands, or nothing is new. */
  async step(head: Header): Promise<LedgerUpdate | undefined> {
    await this.#rewind(head)
    const from = (this.#trail.at(-1)?.number ?? this.#client.network.deployedAt - 1n) + 1n
    const applied =
      head.number - from >= FAR ? await this.#far(from, head) : await this.#near(from, head)
    if (applied === undefined) return undefined
    const reverted = this.#reverted
    if (applied.length === 0 && reverted.length === 0) return undefined
    this.#reverted = []
    this.#fresh = false
    for (const block of applied) this.#push(block.ref)
    return { reverted, applied }
  }

  #push(ref: BlockRef): void {
    this.#trail.push(ref)
    if (this.#trail.length > REWIND_BLOCKS) {
      this.#trail.shift()
      this.#whole = false
    }
  }

  /** Takes blocks off the trail until its end is part of the chain under `head`. */
  async #rewind(head: Header): Promise<void> {
    for (;;) {
      const last = this.#trail.at(-1)
      if (last === undefined || (await this.#stands(last, head))) break
      this.#reverted.push(last)
      this.#trail.pop()
    }
    if (this.#trail.length > 0 || this.#whole || this.#reverted.length === 0) return
    if (!this.#fresh) throw tooDeep()
    await this.#beyond(head)
  }

  async #stands(ref: BlockRef, head: Header): Promise<boolean> {
    if (ref.number > head.number) return false
    if (ref.number === head.number) return ref.hash === head.hash
    if (ref.number + 1n === head.number && ref.hash === head.parent) return true
    return (await getHeaderAt(this.#client, ref.number, this.#options))?.hash === ref.hash
  }

  /** The reader's whole known past is gone: down the abandoned branch while the endpoint has it. */
  async #beyond(head: Header): Promise<void> {
    const { deployedAt } = this.#client.network
    let oldest = await getHeaderOf(this.#client, this.#oldest().hash, this.#options)
    while (oldest !== undefined && this.#reverted.length < REWIND_BLOCKS) {
      const below = await getHeaderOf(this.#client, oldest.parent, this.#options)
      if (below !== undefined && (await this.#stands(below, head))) {
        this.#trail.push(refOf(below))
        return
      }
      if (below === undefined || below.number < deployedAt) break
      this.#reverted.push(refOf(below))
      oldest = below
    }
    if (this.#reverted.length >= REWIND_BLOCKS) throw tooDeep()
    await this.#backByNumber(head)
  }

  #oldest(): BlockRef {
    const oldest = this.#reverted.at(-1)
    if (oldest === undefined) throw new HoldfastError({ code: 'INVARIANT', sentence: 'no reverts' })
    return oldest
  }

  /** Nobody remembers the branch: back a fixed depth, also over blocks that may be the same. */
  async #backByNumber(head: Header): Promise<void> {
    const { deployedAt } = this.#client.network
    const known = this.#oldest().number
    const top = known - 1n < head.number ? known - 1n : head.number
    const floor = top - DEPTH > deployedAt - 1n ? top - DEPTH : deployedAt - 1n
    const refs = await this.#headers(numbers(floor < 0n ? 0n : floor, top))
    const base = refs.shift()
    this.#reverted.push(...refs.reverse().map(refOf))
    if (base === undefined || base.number < deployedAt) this.#whole = true
    else this.#trail.push(refOf(base))
  }

  async #headers(wanted: readonly bigint[]): Promise<readonly Header[] & Header[]> {
    const found: Header[] = []
    for (let i = 0; i < wanted.length; i += HEADERS_AT_ONCE) {
      const part = wanted.slice(i, i + HEADERS_AT_ONCE)
      const headers = await Promise.all(
        part.map((number) => getHeaderAt(this.#client, number, this.#options)),
      )
      for (const header of headers) if (header !== undefined) found.push(header)
    }
    return found
  }

  /** A range far below the head: blocks with events, and the last one. */
  async #far(from: bigint, head: Header): Promise<readonly AppliedBlock[] | undefined> {
    const query = {
      ...{ from, to: head.number - DEPTH },
      addresses: contractAddresses(this.#client.network),
    }
    const ranges = eachLogRange(this.#client, query, this.#options, this.#size)
    // Only the first piece: the next update takes the next one.
    const first = await ranges.next()
    if (first.done === true) return undefined
    const byBlock = grouped(first.value.logs)
    const wanted = new Set([...byBlock.keys(), first.value.to])
    const headers = await this.#headers([...wanted].sort((a, b) => (a < b ? -1 : 1)))
    return assembled(this.#client.network, headers, byBlock, wanted.size)
  }

  /** Every block up to the head, every link checked. */
  async #near(from: bigint, head: Header): Promise<readonly AppliedBlock[] | undefined> {
    if (from > head.number) return []
    const headers = await this.#headers(numbers(from, head.number - 1n))
    headers.push(head)
    let parent = this.#trail.at(-1)?.hash
    let next = from
    for (const header of headers) {
      if (header.number !== next++) return undefined
      if (parent !== undefined && header.parent !== parent) return undefined
      parent = header.hash
    }
    const addresses = contractAddresses(this.#client.network)
    const query = { from, to: head.number, addresses }
    const logs = await getLogsBetween(this.#client, query, this.#options)
    return assembled(this.#client.network, headers, grouped(logs), headers.length)
  }
}

const tooDeep = (): HoldfastError =>
  new HoldfastError({
    code: 'CHAIN_UNSUITABLE',
    reason: `the chain was reorganised deeper than ${REWIND_BLOCKS} blocks; rebuild from the deployment`,
  })

const numbers = (from: bigint, to: bigint): readonly bigint[] => {
  const out: bigint[] = []
  for (let n = from; n <= to; n++) out.push(n)
  return out
}

const grouped = (logs: readonly MinedLog[]): ReadonlyMap<bigint, readonly MinedLog[]> => {
  const byBlock = new Map<bigint, MinedLog[]>()
  for (const log of logs) {
    const list = byBlock.get(log.blockNumber)
    if (list === undefined) byBlock.set(log.blockNumber, [log])
    else list.push(log)
  }
  return byBlock
}

/** Blocks with their events, or undefined when headers and logs are of different chains. */
const assembled = (
  network: NetworkParams,
  headers: readonly Header[],
  byBlock: ReadonlyMap<bigint, readonly MinedLog[]>,
  expected: number,
): readonly AppliedBlock[] | undefined => {
  if (headers.length !== expected) return undefined
  const known = new Set(headers.map((header) => header.number))
  const blocks: AppliedBlock[] = []
  for (const number of byBlock.keys()) if (!known.has(number)) return undefined
  for (const header of headers) {
    const logs = byBlock.get(header.number) ?? []
    if (logs.some((log) => log.blockHash.toLowerCase() !== header.hash)) return undefined
    const events: LedgerEvent[] = []
    for (const log of logs) {
      const event = decodeEvent(network, log)
      if (event !== undefined) events.push(event)
    }
    blocks.push({ ref: refOf(header), events })
  }
  return blocks
}

const asTrail = (after: BlockRef | readonly BlockRef[] | undefined): readonly BlockRef[] => {
  if (after === undefined) return []
  return 'hash' in after ? [after] : after
}

/** See `LedgerReader.follow`. */
export async function* followLedger(
  client: EvmClient,
  feed: HeadFeed,
  after: BlockRef | readonly BlockRef[] | undefined,
  options: CallOptions = {},
): AsyncGenerator<LedgerUpdate> {
  const follower = new Follower(client, asTrail(after), options)
  let head = await feed.now(options)
  for (;;) {
    if (head.number < client.network.deployedAt) {
      const reason = `the chain ends at block ${head.number}, before the deployment`
      throw new HoldfastError({ code: 'CHAIN_UNSUITABLE', reason })
    }
    const update = await follower.step(head)
    if (update !== undefined) yield update
    // An endpoint behind a balancer may contradict itself for a while: look again, but not at once.
    else if (!follower.isAt(head)) await pause(client, milliseconds(CONTRADICTED_MS), options)
    head = follower.isAt(head) ? await feed.after(head.hash, options) : await feed.now(options)
  }
}
