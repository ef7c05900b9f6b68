/**
 * The blocks of a DAG, depth first, each once, as a trustless gateway sends them. Bounded: a bit per
 * block of the payload, and a stack that a DAG made for the purpose cannot blow up.
 */
import { HoldfastError } from '@holdfast/protocol'
import type { CID } from 'multiformats/cid'
import type { Holdings } from '../holdings.ts'
import type { CarCatalogue, FoundBlock } from './car-catalogue.ts'
import { IDENTITY } from './cids.ts'
import { type DagScope, linksOf } from './links.ts'
import { readBytes } from './read-section.ts'

/** Links that wait to be followed. */
const STACK_MAX: number = 2 ** 18

export interface DagSource {
  readonly catalogue: CarCatalogue
  readonly holdings: Holdings
  /** Throws for a block that may not be served. */
  readonly allow: (cid: CID) => void
}

/** A section as it stands in the payload: length, CID, block. */
export interface WalkedBlock {
  readonly cid: CID
  readonly section: Buffer
}

/**
 * Walks from a block that was found. Blocks of other payloads are found too.
 * @throws HoldfastError `BLOCK_NOT_FOUND` for a link that is not here, `CAR_INVALID` for a malformed
 * block or too many links at once.
 */
export async function* walkDag(
  { catalogue, holdings, allow }: DagSource,
  root: FoundBlock,
  scope: DagScope,
): AsyncGenerator<WalkedBlock> {
  const seen = new Seen()
  const stack: CID[] = []
  for (let next: FoundBlock | undefined = root; next !== undefined; ) {
    const { cid, payload } = next
    if (seen.add(next)) {
      const section = await readBytes(holdings, payload, next.section)
      const block = section.subarray(next.offset - next.section.offset)
      yield { cid, section }
      const links = linksOf(cid, block, scope)
      if (links === undefined) throw invalid(`the block ${cid} is malformed`)
      if (stack.length + links.length > STACK_MAX) throw invalid(`too many links at ${cid}`)
      for (const link of [...links].reverse()) {
        if (link.multihash.code !== IDENTITY) stack.push(link)
      }
    }
    next = await follow(catalogue, stack.pop(), payload)
    if (next !== undefined) allow(next.cid)
  }
}

const invalid = (reason: string): HoldfastError =>
  new HoldfastError({ code: 'CAR_INVALID', reason })

const follow = async (
  catalogue: CarCatalogue,
  link: CID | undefined,
  preferred: FoundBlock['payload'],
): Promise<FoundBlock | undefined> => {
  if (link === undefined) return undefined
  const found = await catalogue.find(link, preferred)
  // The codec is the link's: the same bytes may be stored under another.
  if (found !== undefined) return { ...found, cid: link }
  throw new HoldfastError({ code: 'BLOCK_NOT_FOUND', cid: String(link) })
}

/** Blocks that were sent: a bit for each entry of each index that is met. */
class Seen {
  readonly #bits = new Map<string, Uint8Array>()

  /** False when the block was there already. */
  add({ payload, ordinal }: FoundBlock): boolean {
    const at = ordinal >> 3
    let bits = this.#bits.get(payload) ?? new Uint8Array(256)
    if (at >= bits.length) {
      const wider = new Uint8Array(Math.max(at + 1, bits.length * 2))
      wider.set(bits)
      bits = wider
    }
    this.#bits.set(payload, bits)
    const mask = 1 << (ordinal & 7)
    const isNew = ((bits[at] ?? 0) & mask) === 0
    bits[at] = (bits[at] ?? 0) | mask
    return isNew
  }
}
