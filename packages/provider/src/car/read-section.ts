/** One section of a payload by its offset: whose block it is, and where the block's bytes are. */
import { bytes, type Root } from '@holdfast/protocol'
import type { CID } from 'multiformats/cid'
import type { Holdings } from '../holdings.ts'
import { CID_BYTES_MAX, SECTION_BYTES_MAX } from './car-limits.ts'
import { cidAt } from './cids.ts'
import { varintAt } from './section-walker.ts'

export interface Section {
  readonly cid: CID
  readonly offset: number
  readonly length: number
  readonly section: { readonly offset: number; readonly length: number }
}

/** Length and CID, at most. */
const HEAD_BYTES: number = 5 + CID_BYTES_MAX

/** Bytes of a payload, all at once. */
export const readBytes = async (
  holdings: Holdings,
  root: Root,
  { offset, length }: { readonly offset: number; readonly length: number },
): Promise<Buffer> => {
  const parts: Uint8Array[] = []
  const range = { start: bytes(offset), end: bytes(offset + length) }
  for await (const part of holdings.read(root, range)) parts.push(part)
  return Buffer.concat(parts)
}

/** Undefined when there is no section at that place. */
export const readSection = async (
  holdings: Holdings,
  root: Root,
  offset: number,
): Promise<Section | undefined> => {
  const payloadLength = Number(holdings.find(root)?.commitment.length ?? 0)
  const length = Math.min(HEAD_BYTES, payloadLength - offset)
  if (length <= 0) return undefined
  const head = await readBytes(holdings, root, { offset, length })
  const prefix = varintAt(head)
  if (typeof prefix === 'string' || prefix.value > SECTION_BYTES_MAX) return undefined
  const whole = prefix.length + prefix.value
  if (offset + whole > payloadLength) return undefined
  const [cid] = cidAt(head.subarray(prefix.length, whole)) ?? []
  if (cid === undefined) return undefined
  const start = prefix.length + cid.bytes.length
  const section = { offset, length: whole }
  return { cid, offset: offset + start, length: whole - start, section }
}
