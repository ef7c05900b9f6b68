/**
 * Turns node contents into blocks with CIDs and hands them to a sink, in the order of the calls.
 * Invariant: the sink does not keep the bytes after `put` returned; they may be reused.
 */
import type { Bytes } from '@holdfast/protocol'
import { bytes, plus } from '@holdfast/protocol'
import { encode, type PBLink, prepare } from '@ipld/dag-pb'
import { UnixFS } from 'ipfs-unixfs'
import { CID } from 'multiformats/cid'
import { create } from 'multiformats/hashes/digest'
import type { BlockHasher } from './block-hasher.ts'
import type { Profile } from './profiles.ts'

export const RAW_CODE = 0x55
export const DAG_PB_CODE = 0x70

/** Where blocks go. A returned promise means: wait for it before the next block. */
export interface BlockSink {
  put(cid: CID, block: Uint8Array): Promise<void> | undefined
}

/** A block that was written, as its parent needs to know it. */
export interface DagNode {
  readonly cid: CID
  /** Bytes of all blocks from here down, as UnixFS links record them. */
  readonly tsize: Bytes
  /** File bytes from here down; 0 for directories and symbolic links. */
  readonly fileSize: Bytes
}

export interface DagLink {
  readonly name: string
  readonly node: DagNode
}

const ZERO = bytes(0n)

export class NodeWriter {
  readonly profile: Profile
  readonly #hasher: BlockHasher
  readonly #sink: BlockSink
  #pending: Promise<void> | undefined

  constructor(profile: Profile, hasher: BlockHasher, sink: BlockSink) {
    this.profile = profile
    this.#hasher = hasher
    this.#sink = sink
  }

  /** The sink's wish to be waited for, once. Call after every block or small file. */
  takePending(): Promise<void> | undefined {
    const pending = this.#pending
    this.#pending = undefined
    return pending
  }

  /** A leaf of a file: bare bytes, or wrapped when the profile says so. */
  leaf(data: Uint8Array): DagNode {
    const fileSize = bytes(data.byteLength)
    if (this.profile.rawLeaves) {
      return { cid: this.#write(1, RAW_CODE, data), tsize: fileSize, fileSize }
    }
    const block = encode({ Data: new UnixFS({ type: 'file', data }).marshal(), Links: [] })
    return {
      cid: this.#write(this.profile.cidVersion, DAG_PB_CODE, block),
      tsize: bytes(block.byteLength),
      fileSize,
    }
  }

  /** An inner node of a file over at least one child. */
  fileNode(children: readonly DagNode[]): DagNode {
    const unixfs = new UnixFS({ type: 'file' })
    let fileSize = ZERO
    for (const child of children) {
      unixfs.addBlockSize(child.fileSize)
      fileSize = plus(fileSize, child.fileSize)
    }
    const links = children.map((node) => ({ name: '', node }))
    return { ...this.node(unixfs, links), fileSize }
  }

  symlink(target: Uint8Array): DagNode {
    return this.node(new UnixFS({ type: 'symlink', data: target }), [])
  }

  /** Any dag-pb node. Links are put into canonical order: by the bytes of their names. */
  node(unixfs: UnixFS, links: readonly DagLink[]): DagNode {
    const pbLinks: PBLink[] = []
    let below = ZERO
    for (const { name, node } of links) {
      pbLinks.push({ Name: name, Hash: node.cid, Tsize: Number(node.tsize) })
      below = plus(below, node.tsize)
    }
    const block = encode(prepare({ Data: unixfs.marshal(), Links: pbLinks }))
    const cid = this.#write(this.profile.cidVersion, DAG_PB_CODE, block)
    return { cid, tsize: plus(bytes(block.byteLength), below), fileSize: ZERO }
  }

  #write(version: 0 | 1, codec: number, block: Uint8Array): CID {
    const digest = create(this.#hasher.code, this.#hasher.digest(block))
    const cid = CID.create(version, codec, digest)
    const wait = this.#sink.put(cid, block)
    if (wait !== undefined) {
      this.#pending = this.#pending === undefined ? wait : Promise.all([this.#pending, wait]).then()
    }
    return cid
  }
}
