/**
 * What a block links to, as far as a CAR of a DAG asks: DAG-PB with enough of UnixFS to tell an entity
 * from what it merely lists, and DAG-CBOR. Everything else has no links.
 */
import type { CID } from 'multiformats/cid'
import { cborLinks } from './cbor.ts'
import { cidAt } from './cids.ts'

const DAG_PB = 0x70
const DAG_CBOR = 0x71

export type DagScope = 'block' | 'entity' | 'all'

/** Links of one block that are followed; more is no file and no directory that anybody writes. */
const LINKS_MAX = 65_536
/** UnixFS node types whose links are other things, not parts of this one. */
const DIRECTORY = 1
const SHARD = 5
/** Names in a shard of 256 slots begin with two hex digits; a shard below has nothing more. */
const SHARD_PREFIX = 2

interface PbLink {
  readonly cid: CID
  readonly nameLength: number
}

interface PbNode {
  readonly links: readonly PbLink[]
  readonly unixfsType: number | undefined
}

/** CIDs in the order of the block; undefined when the block is malformed. */
export const linksOf = (
  cid: CID,
  block: Uint8Array,
  scope: DagScope,
): readonly CID[] | undefined => {
  if (scope === 'block') return []
  if (cid.code === DAG_CBOR) return scope === 'entity' ? [] : cborCids(block)
  if (cid.code !== DAG_PB) return []
  const node = readPbNode(block)
  if (node === undefined) return undefined
  return node.links.filter((link) => scope === 'all' || isPart(node, link)).map((link) => link.cid)
}

const isPart = ({ unixfsType }: PbNode, { nameLength }: PbLink): boolean =>
  unixfsType === SHARD ? nameLength === SHARD_PREFIX : unixfsType !== DIRECTORY

const cborCids = (block: Uint8Array): readonly CID[] | undefined => {
  const cids: CID[] = []
  let isGood = true
  const whole = cborLinks(block, (link) => {
    const cid = cidAt(link)?.[0]
    if (cid === undefined || cids.length >= LINKS_MAX) isGood = false
    else cids.push(cid)
  })
  return whole && isGood ? cids : undefined
}

/** Told every field of a message: its number, its bytes when it has a length, else its value. */
type OnField = (number: number, bytes: Uint8Array, value: number) => void

const NO_BYTES = new Uint8Array(0)

/** Reads a protobuf message, building nothing; false when it is malformed. */
const eachField = (message: Uint8Array, onField: OnField): boolean => {
  let at = 0
  const varint = (): number => {
    let value = 0
    for (let i = 0; i < 10; i++) {
      const byte = message[at++]
      if (byte === undefined) return Number.NaN
      value += (byte & 0x7f) * 2 ** (7 * i)
      if (byte < 0x80) return value
    }
    return Number.NaN
  }
  while (at < message.length) {
    const key = varint()
    const wire = key % 8
    const value = wire === 0 || wire === 2 ? varint() : wire === 1 ? 8 : wire === 5 ? 4 : Number.NaN
    const length = wire === 0 ? 0 : value
    if (!Number.isSafeInteger(value) || at + length > message.length) return false
    onField(Math.floor(key / 8), wire === 2 ? message.subarray(at, at + length) : NO_BYTES, value)
    at += length
  }
  return true
}

const readPbNode = (block: Uint8Array): PbNode | undefined => {
  const links: PbLink[] = []
  let unixfsType: number | undefined
  let isGood = true
  const whole = eachField(block, (number, bytes) => {
    if (number === 1)
      eachField(bytes, (field, _bytes, value) => {
        if (field === 1) unixfsType = value
      })
    if (number !== 2 || !isGood) return
    const link = links.length < LINKS_MAX ? readPbLink(bytes) : undefined
    if (link === undefined) isGood = false
    else links.push(link)
  })
  return whole && isGood ? { links, unixfsType } : undefined
}

const readPbLink = (bytes: Uint8Array): PbLink | undefined => {
  let cid: CID | undefined
  let nameLength = 0
  eachField(bytes, (number, value) => {
    if (number === 1) cid = cidAt(value)?.[0]
    if (number === 2) nameLength = value.length
  })
  return cid === undefined ? undefined : { cid, nameLength }
}
