/**
 * Bundles on a simulated disk: made whole in memory, written as one file that is synced before it is
 * known, read back checked by its own root.
 */
import {
  BUNDLE_GLOBALS,
  BUNDLE_PER_DEAL,
  type BuiltBundle,
  BundleBuilder,
  type BundleOpening,
  type BundleOrder,
  type BundleQuestion,
  buildBundlePath,
  bundleIndexOf,
  bundleNodes,
  bundleOrder,
  type ChallengeContext,
  concatBytes,
  DEAL_CHALLENGES,
  dealChallenges,
  GLOBAL_CHALLENGES,
  globalChallenges,
  type Hash32,
  HoldfastError,
  type LeafIndex,
  leafIndex,
  type Root,
  type SlotIndex,
  type SlotLeaf,
  toNumber,
} from '@holdfast/protocol'
import type {
  BundleInput,
  DamagedPayload,
  KeptPayload,
  PeriodBundle,
  StoredBundle,
} from '@holdfast/prover'
import { type Disk, replaceFile, withFile } from '../store/disk.ts'
import { errnoOf } from '../store/disk-errors.ts'
import type { SimulatedRun } from './simulated-run.ts'

interface Answerable {
  answer(
    leaf: SlotLeaf,
    slot: ReturnType<BundleInput['tree']['path']>,
    index: LeafIndex,
  ): Uint8Array
}

export interface BundleMaker {
  readonly disk: Disk
  /** Hashing a bundle takes long: what was hashed once, by path, with the bytes that it was. */
  readonly known: Map<string, { readonly data: Uint8Array; readonly bundle: BuiltWhole }>
  readonly treeOf: (
    payload: KeptPayload,
  ) => Answerable | { readonly leaf: LeafIndex; readonly what: string }
}

/** Answers in order; undefined where there is none. */
class Answers {
  readonly list: Uint8Array[] = []
  readonly damaged = new Map<Root, DamagedPayload>()
  readonly #maker: BundleMaker
  readonly #input: BundleInput
  readonly #trees = new Map<Root, ReturnType<BundleMaker['treeOf']>>()

  constructor(maker: BundleMaker, input: BundleInput) {
    this.#maker = maker
    this.#input = input
  }

  add(leaf: SlotLeaf, slot: SlotIndex, index: LeafIndex): void {
    const tree = this.#treeOf(leaf.root)
    if ('answer' in tree) {
      this.list.push(tree.answer(leaf, this.#input.tree.path(slot), index))
      return
    }
    const { root } = leaf
    const first = this.damaged.get(root) ?? { root, ...tree, absent: 0 }
    this.damaged.set(root, { ...first, absent: first.absent + 1 })
    this.list.push(new Uint8Array(0))
  }

  #treeOf(root: Root): ReturnType<BundleMaker['treeOf']> {
    const known = this.#trees.get(root)
    if (known !== undefined) return known
    const payload = this.#input.payloadOf(root)
    const missing = { leaf: leafIndex(0), what: 'the payload is not here' }
    const tree = payload === undefined ? missing : this.#maker.treeOf(payload)
    this.#trees.set(root, tree)
    return tree
  }
}

export const makeBundle = (maker: BundleMaker, input: BundleInput): PeriodBundle => {
  const { context, tree, path } = input
  const answers = new Answers(maker, input)
  for (const position of globalChallenges(context, GLOBAL_CHALLENGES, tree.weight)) {
    const { slot, leaf, index } = tree.locate(position)
    answers.add(leaf, slot, index)
  }
  const order = bundleOrder(tree)
  for (const { slot, deal } of order) {
    const leaf = tree.get(slot)
    if (leaf === undefined) continue
    for (const index of dealChallenges(context, deal, DEAL_CHALLENGES, leaf.leaves)) {
      answers.add(leaf, slot, index)
    }
  }
  const content = { context, order, answers: answers.list }
  const bundle = built(content)
  const { root, count, absent } = bundle
  const data = encode(content)
  write(maker.disk, path, data)
  maker.known.set(path, { data, bundle })
  return { root, count, absent, damaged: [...answers.damaged.values()] }
}

/** Root and count, how many answers are absent, and each entry's hash. */
interface BuiltWhole extends BuiltBundle {
  readonly absent: bigint
  readonly hashes: readonly Uint8Array[]
}

interface Content {
  readonly context: ChallengeContext
  readonly order: BundleOrder
  /** Empty where absent. */
  readonly answers: readonly Uint8Array[]
}

const built = ({ context, order, answers }: Content): BuiltWhole => {
  const builder = new BundleBuilder(context)
  const hashes = answers.map((answer, i) => {
    if (answer.length > 0) return builder.add(answer).hash
    const after = i - Number(BUNDLE_GLOBALS)
    const at = after < 0 ? undefined : order[Math.floor(after / Number(BUNDLE_PER_DEAL))]
    return builder.addAbsent(at).hash
  })
  const absent = BigInt(answers.filter(({ length }) => length === 0).length)
  return { ...builder.finish(), absent, hashes }
}

const write = (disk: Disk, path: string, content: Uint8Array): void => {
  const at = path.lastIndexOf('/')
  try {
    replaceFile(disk, { directory: path.slice(0, at), name: path.slice(at + 1) }, content)
  } catch (cause) {
    if (errnoOf(cause) !== 'ENOSPC') throw cause
    throw new HoldfastError({ code: 'DISK_FULL', needed: 1n, available: 0n }, { cause })
  }
}

/** Length of the head, the head as JSON, the answers one after another. */
const encode = ({ context, order, answers }: Content): Uint8Array => {
  const head = new TextEncoder().encode(
    JSON.stringify({ context, order, lengths: answers.map(({ length }) => length) }, bigints),
  )
  const size = new Uint8Array(4)
  new DataView(size.buffer).setUint32(0, head.length, true)
  return concatBytes(size, head, ...answers)
}

const bigints = (_name: string, value: unknown): unknown =>
  typeof value === 'bigint' ? `n:${value}` : value

const decode = (data: Uint8Array): Content => {
  const size = new DataView(data.buffer, data.byteOffset).getUint32(0, true)
  const text = new TextDecoder().decode(data.subarray(4, 4 + size))
  const head = JSON.parse(text, (_name, value: unknown) =>
    typeof value === 'string' && value.startsWith('n:') ? BigInt(value.slice(2)) : value,
  ) as Pick<Content, 'context' | 'order'> & { readonly lengths: readonly number[] }
  let at = 4 + size
  const answers = head.lengths.map((length) => {
    const answer = data.subarray(at, at + length)
    at += length
    return answer
  })
  if (at !== data.length) throw new Error(`it has ${data.length} bytes, not ${at}`)
  return { context: head.context, order: head.order, answers }
}

const readFile = (disk: Disk, path: string): Uint8Array => {
  try {
    return withFile(disk, path, 'read', (file) => {
      const data = new Uint8Array(disk.size(file))
      disk.read(file, data, 0)
      return data
    })
  } catch (cause) {
    const reason = String(cause)
    throw new HoldfastError({ code: 'INPUT_UNREADABLE', path, reason }, { cause })
  }
}

/** @throws HoldfastError `INPUT_UNREADABLE`, `STORE_CORRUPT`. */
export const readBundle = (
  { disk, known }: BundleMaker,
  path: string,
  run: SimulatedRun,
): StoredBundle => {
  const data = readFile(disk, path)
  let content: Content
  let bundle: BuiltWhole
  try {
    content = decode(data)
    const former = known.get(path)
    const same = former !== undefined && Buffer.compare(former.data, data) === 0
    bundle = same ? former.bundle : built(content)
    known.set(path, { data, bundle })
  } catch (cause) {
    const reason = String(cause)
    throw new HoldfastError({ code: 'STORE_CORRUPT', path, offset: 0n, reason }, { cause })
  }
  return new Stored(path, content, bundle, run)
}

class Stored implements StoredBundle {
  readonly path: string
  readonly root: Hash32
  readonly count: bigint
  readonly absent: bigint
  readonly context: ChallengeContext
  readonly #content: Content
  readonly #nodes: ReturnType<typeof bundleNodes>
  readonly #run: SimulatedRun

  constructor(path: string, content: Content, bundle: BuiltWhole, run: SimulatedRun) {
    this.path = path
    this.root = bundle.root
    this.count = bundle.count
    this.absent = bundle.absent
    this.context = content.context
    this.#content = content
    this.#nodes = bundleNodes(concatBytes(...bundle.hashes))
    this.#run = run
  }

  entry(index: bigint): Promise<BundleOpening> {
    return this.#run.step(() => {
      const answer = this.#content.answers[toNumber(index)]
      if (answer === undefined) {
        const reason = `entry ${index} is not one of ${this.count}`
        throw new HoldfastError({ code: 'RANGE_INVALID', reason })
      }
      const path = buildBundlePath(this.count, index, this.#nodes)
      return { index, count: this.count, answer, path }
    })
  }

  async open(question: BundleQuestion): Promise<BundleOpening | undefined> {
    if (question.class === 'global') return this.entry(BigInt(question.i))
    const { order } = this.#content
    const held = order.find(({ deal }) => deal === question.deal)
    if (held === undefined) return undefined
    return this.entry(bundleIndexOf(order, { class: 'deal', slot: held.slot, i: question.i }))
  }

  globalAnswers(k: number): Promise<readonly Uint8Array[]> {
    return this.#run.step(() => this.#content.answers.slice(0, k))
  }

  async *answers(): AsyncIterable<{ readonly index: bigint; readonly answer: Uint8Array }> {
    for (const [i, answer] of this.#content.answers.entries()) {
      yield await this.#run.step(() => ({ index: BigInt(i), answer }))
    }
  }
}
