/**
 * The header of a CARv1: a DAG-CBOR map of `roots` and `version`. Written here for answers, and read as
 * far as this provider needs it.
 */
import type { CID } from 'multiformats/cid'
import { cborLinks } from './cbor.ts'
import { cidAt } from './cids.ts'

/** Roots that one header may name. */
const ROOTS_MAX = 256
/** `"version": 1` as it stands in every header of a CARv1. */
const VERSION_1 = Buffer.from('6776657273696f6e01', 'hex')
const ROOTS = Buffer.from('65726f6f7473', 'hex')

/** The roots; undefined for what is no header of a CARv1. */
export const headerRoots = (header: Uint8Array): readonly CID[] | undefined => {
  const bytes = Buffer.from(header.buffer, header.byteOffset, header.length)
  if (bytes[0] !== 0xa2 || !bytes.includes(VERSION_1) || !bytes.includes(ROOTS)) return undefined
  const roots: CID[] = []
  let isGood = true
  const whole = cborLinks(bytes, (link) => {
    const cid = cidAt(link)?.[0]
    if (cid === undefined || roots.length >= ROOTS_MAX) isGood = false
    else roots.push(cid)
  })
  return whole && isGood ? roots : undefined
}

/** `varint(length) ‖ header` for one root. */
export const writeHeader = (root: CID): Buffer => {
  const { bytes } = root
  const length = bytes.length + 1
  const size = length < 24 ? [0x40 + length] : [0x58, length]
  const body = Buffer.concat([
    Uint8Array.of(0xa2),
    ROOTS,
    Uint8Array.of(0x81, 0xd8, 0x2a, ...size, 0),
    bytes,
    VERSION_1,
  ])
  return Buffer.concat([writeVarint(body.length), body])
}

/** Unsigned LEB128 of a number below 2^32. */
export const writeVarint = (value: number): Uint8Array => {
  const out: number[] = []
  let left = value
  for (; left >= 0x80; left = Math.floor(left / 128)) out.push((left % 128) | 0x80)
  out.push(left)
  return Uint8Array.from(out)
}
