/**
 * The prover's work over a simulated disk, on the calling thread: whole trees in memory, every answer
 * from a tree that led to the root. Slow for large payloads, and obviously right; the real one is
 * held to the same protocol rules by its own tests.
 */
import { createHash } from 'node:crypto'
import {
  buildPath,
  bytes,
  type Commitment,
  depthFor,
  encodeAnswer,
  HoldfastError,
  LEAF_BYTES,
  type LeafIndex,
  type Leaves,
  leafIndex,
  leafNodes,
  leavesFor,
  NODE_BYTES,
  parentNodes,
  type Root,
  root,
  type SlotLeaf,
  type SlotPath,
  type TreeHasher,
  toHex,
  toNumber,
} from '@holdfast/protocol'
import {
  type AnswerJob,
  type AnswerOutcome,
  type FileRange,
  type KeptPayload,
  keptLayersLength,
  type LeafProof,
  type RangeCommit,
  type SmallCommit,
} from '@holdfast/prover'
import type { CoreProver } from '../provider-core.ts'
import { type Disk, readFully, withFile } from '../store/disk.ts'
import { type BundleMaker, makeBundle, readBundle } from './simulated-bundle.ts'
import type { SimulatedRun } from './simulated-run.ts'

const sha256 = (data: Uint8Array): Uint8Array => createHash('sha256').update(data).digest()

const hasher: TreeHasher = {
  name: 'node',
  leaves: (payload, out) => {
    for (let i = 0; i * LEAF_BYTES < payload.length; i++) {
      out.set(sha256(payload.subarray(i * LEAF_BYTES, (i + 1) * LEAF_BYTES)), i * NODE_BYTES)
    }
  },
  pairs: (nodes, out) => {
    for (let i = 0; 2 * i * NODE_BYTES < nodes.length; i++) {
      out.set(sha256(nodes.subarray(2 * i * NODE_BYTES, 2 * (i + 1) * NODE_BYTES)), i * NODE_BYTES)
    }
  },
}

/** A payload's bytes with all nodes over them. */
export class PayloadTree {
  readonly data: Uint8Array
  readonly root: Root
  readonly leaves: Leaves
  readonly #levels: Uint8Array[]

  constructor(data: Uint8Array) {
    this.data = data
    this.leaves = leavesFor(bytes(data.length))
    this.#levels = [leafNodes(data, hasher)]
    for (let level = 0; level < depthFor(this.leaves); level++) {
      this.#levels.push(parentNodes(this.#levels[level] ?? new Uint8Array(), level, hasher))
    }
    this.root = root(toHex(this.#levels.at(-1) ?? new Uint8Array()))
  }

  get commitment(): Commitment {
    return { scheme: 1, root: this.root, length: bytes(this.data.length) }
  }

  open(index: LeafIndex): LeafProof {
    const at = Number(index) * LEAF_BYTES
    const leaf = new Uint8Array(LEAF_BYTES)
    leaf.set(this.data.subarray(at, at + LEAF_BYTES))
    const path = buildPath(this.leaves, index, (level, node) => {
      const from = Number(node) * NODE_BYTES
      return (this.#levels[level] ?? new Uint8Array()).subarray(from, from + NODE_BYTES)
    })
    return { index, leaf, path }
  }

  answer(leaf: SlotLeaf, slot: SlotPath, index: LeafIndex): Uint8Array {
    return encodeAnswer({ slot, leaf, opening: this.open(index) })
  }
}

/** What is wrong with a payload. */
export interface FoundWrong {
  readonly leaf: LeafIndex
  readonly what: string
}

export class SimulatedProver implements CoreProver {
  readonly #run: SimulatedRun
  readonly #disk: Disk
  readonly #maker: BundleMaker

  constructor(run: SimulatedRun, disk: Disk) {
    this.#run = run
    this.#disk = disk
    this.#maker = { disk, known: new Map(), treeOf: (payload) => this.#treeOf(payload) }
  }

  async commitFile(payload: FileRange): Promise<Commitment> {
    await this.#run.pause()
    return this.#run.step(() => this.#readTree(payload).commitment)
  }

  async commitBytes(data: Uint8Array): Promise<SmallCommit> {
    await this.#run.pause()
    return this.#run.step(() => {
      const { commitment } = new PayloadTree(data.slice())
      // It keeps no layers: their place stays as it was taken.
      return { commitment, layers: new Uint8Array(toNumber(keptLayersLength(commitment.length))) }
    })
  }

  commitRanges(payload: FileRange): RangeCommit {
    return {
      cover: () => this.#run.step(() => undefined),
      checkpoint: () => [],
      finish: () => this.commitFile(payload),
    }
  }

  async answer(jobs: readonly AnswerJob[]): Promise<readonly AnswerOutcome[]> {
    await this.#run.pause()
    return this.#run.step(() => jobs.map((job) => this.#answerOne(job)))
  }

  bundlePeriod: CoreProver['bundlePeriod'] = async (input) => {
    await this.#run.pause()
    return this.#run.step(() => makeBundle(this.#maker, input))
  }

  openBundle: CoreProver['openBundle'] = (path) =>
    this.#run.step(() => readBundle(this.#maker, path, this.#run))

  #answerOne(job: AnswerJob): AnswerOutcome {
    const tree = this.#treeOf(job)
    if ('what' in tree) return { ok: false, ...tree }
    return { ok: true, proofs: job.indices.map((index) => tree.open(index)) }
  }

  #treeOf({ payload, commitment }: KeptPayload): PayloadTree | FoundWrong {
    try {
      const tree = this.#readTree(payload)
      if (tree.root === commitment.root) return tree
      return { leaf: leafIndex(0), what: `the root is ${tree.root}` }
    } catch (error) {
      return { leaf: leafIndex(0), what: String(error) }
    }
  }

  #readTree({ path, offset, length }: FileRange): PayloadTree {
    const data = new Uint8Array(toNumber(length))
    try {
      withFile(this.#disk, path, 'read', (file) =>
        readFully(this.#disk, file, data, toNumber(offset)),
      )
    } catch (cause) {
      const reason = String(cause)
      throw new HoldfastError({ code: 'INPUT_UNREADABLE', path, reason }, { cause })
    }
    return new PayloadTree(data)
  }
}
