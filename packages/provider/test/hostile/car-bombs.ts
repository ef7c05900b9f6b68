/** Payloads that hurt whoever reads them as CARs without looking: each is a valid upload. */
import type { CID } from 'multiformats/cid'
import { writeHeader, writeVarint } from '../../src/car/header.ts'
import {
  type Block,
  blockOf,
  carOf,
  cborList,
  DAG_CBOR,
  DAG_PB,
  pbNode,
  sectionOf,
  UNIXFS,
} from '../support/cars.ts'

const { cid: ANY } = blockOf(Buffer.from('root'))

/** A chain of nodes, each of which links ten times to the next: 10^depth paths, `depth` blocks. */
const exponential = (depth: number): { readonly root: CID; readonly car: Buffer } => {
  let node = blockOf(Buffer.from('the end'))
  const blocks: Block[] = [node]
  for (let i = 0; i < depth; i++) {
    const links = Array.from({ length: 10 }, (_, n) => ({ block: node, name: `${n}` }))
    node = pbNode(UNIXFS.directory, links)
    blocks.push(node)
  }
  return { root: node.cid, car: carOf(node.cid, blocks) }
}

/** A list that is nested deeper than any stack. */
const nested = blockOf(Buffer.concat([Buffer.alloc(500_000, 0x81), Uint8Array.of(0x80)]), DAG_CBOR)
/** A node of two million empty fields. */
const fields = ((): Block => {
  const bytes = Buffer.alloc(4 * 2 ** 20 - 64)
  for (let i = 0; i < bytes.length; i += 2) bytes[i] = 0x1a
  return blockOf(bytes, DAG_PB)
})()

const wide = exponential(40)

export const CAR_BOMBS: readonly { readonly name: string; readonly payload: Buffer }[] = [
  {
    name: 'a header of 16 GiB',
    payload: Buffer.concat([Buffer.from('ffffffff3f', 'hex'), Buffer.alloc(99)]),
  },
  {
    name: 'a million empty sections',
    payload: Buffer.concat([writeHeader(ANY), Buffer.alloc(1_000_000)]),
  },
  {
    name: 'tiny sections without end',
    payload: Buffer.concat([
      writeHeader(ANY),
      ...Array.from({ length: 40_000 }, (_, i) => sectionOf(blockOf(Buffer.from(`${i}`)))),
    ]),
  },
  {
    name: 'a section of 4 GiB',
    payload: Buffer.concat([writeHeader(ANY), writeVarint(2 ** 32 - 1), Buffer.alloc(99)]),
  },
  { name: 'a DAG of 10^40 paths', payload: wide.car },
  { name: 'CBOR half a million deep', payload: carOf(nested.cid, [nested, cborList([nested])]) },
  { name: 'a node of two million fields', payload: carOf(fields.cid, [fields]) },
]

/** What to ask for once they are stored. */
export const CAR_BOMB_ROOTS: readonly CID[] = [wide.root, nested.cid, fields.cid]
