/**
 * Building payload trees of both schemes: one thread in memory, in WASM only, and whole files on one
 * and two workers.
 */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { type Engine, openEngine, type TreeScheme } from '@holdfast/native'
import { bytes, subtreeRoot, type TreeHasher } from '@holdfast/protocol'
import { openProver, type Prover } from '@holdfast/prover'
import { hex, mustEqual, noise, writeNoise } from '../data.ts'
import type { BenchCase, Contestant, Goal } from '../harness.ts'
import { CRYPTO_PEER, PeerList } from '../peers.ts'
import type { Suite } from '../suite.ts'

const MIB = 1 << 20

/** The protocol's slow tree over node:crypto: what our engines are checked against. */
const cryptoHasher: TreeHasher = {
  name: 'node:crypto',
  leaves: (payload, out) => eachDigest(payload, 1024, out),
  pairs: (nodes, out) => eachDigest(nodes, 64, out),
}

const eachDigest = (input: Uint8Array, size: number, out: Uint8Array): void => {
  for (let at = 0, to = 0; at < input.length; at += size, to += 32) {
    out.set(
      createHash('sha256')
        .update(input.subarray(at, at + size))
        .digest(),
      to,
    )
  }
}

/** One subtree of the payload in memory, kept nodes included. */
const tree = (engine: Engine, data: Uint8Array, scheme: TreeScheme, level: number): Contestant => {
  const root = new Uint8Array(32)
  const keptLevel = scheme === 1 ? 4 : 7
  const leaves = scheme === 1 ? Math.ceil(data.length / 1024) : 4 * Math.ceil(data.length / 127)
  const kept = new Uint8Array(Math.ceil(leaves / 2 ** keptLevel) * 32)
  const run = (): Uint8Array => {
    engine.subtree(data, { scheme, level, keptLevel }, { kept, root })
    return root
  }
  return { name: engine.name, work: data.length, run }
}

interface TreeCase {
  readonly name: string
  readonly engine: Engine
  readonly data: Uint8Array
  readonly level: number
  readonly goal: Goal
  /** Flat SHA-256 of the same bytes by this. */
  readonly flat: { readonly name: string; readonly digest: (data: Uint8Array) => Uint8Array }
}

const sha256Case = ({ name, engine, data, level, goal, flat }: TreeCase): BenchCase => {
  const root = hex(subtreeRoot(data, level, cryptoHasher))
  const digest = createHash('sha256').update(data).digest('hex')
  const ours = tree(engine, data, 1, level)
  return {
    name,
    unit: 'MB/s',
    better: 'more',
    clock: 'thread',
    scale: 1e-6,
    ours,
    peers: [{ name: `${flat.name}, flat`, work: data.length, run: () => flat.digest(data) }],
    check: (result, contestant) =>
      mustEqual(hex(result as Uint8Array), contestant === ours ? root : digest, contestant.name),
    goal,
  }
}

interface StreamingPiece {
  write(data: Uint8Array): void
  multihashByteLength(): number
  digestInto(out: Uint8Array, offset: number, withPrefix: boolean): number
  free(): void
}

const rootOfPiece = (digest: Uint8Array): Uint8Array => digest.slice(-32)

/** The npm packages that compute piece commitments; the slow ones over the start of the payload only. */
const commpPeers = async (list: PeerList, data: Uint8Array): Promise<readonly Contestant[]> => {
  const peers: Contestant[] = []
  const rust = await list.load('fr32-sha2-256-trunc254-padded-binary-tree-multihash')
  if (rust) {
    const create = rust.module['create'] as () => StreamingPiece
    const run = (): Uint8Array => {
      const hasher = create()
      hasher.write(data)
      const digest = new Uint8Array(hasher.multihashByteLength())
      hasher.digestInto(digest, 0, true)
      hasher.free()
      return rootOfPiece(digest)
    }
    peers.push({ name: rust.name, work: data.length, run })
  }
  const part = data.subarray(0, data.length / 16)
  const segment = await list.load('@web3-storage/data-segment')
  if (segment) {
    const { fromPayload } = segment.module['Piece'] as {
      fromPayload(data: Uint8Array): { root: Uint8Array }
    }
    peers.push({ name: segment.name, work: part.length, run: () => fromPayload(part).root })
  }
  const synapse = await list.load('@filoz/synapse-core/piece')
  if (synapse) {
    const calculate = synapse.module['calculate'] as (data: Uint8Array) => {
      readonly multihash: { readonly digest: Uint8Array }
    }
    const run = (): Uint8Array => rootOfPiece(calculate(part).multihash.digest)
    peers.push({ name: synapse.name, work: part.length, run })
  }
  return peers
}

const commpCase = async (engine: Engine, name: string, goal: Goal): Promise<BenchCase> => {
  const list = new PeerList()
  const data = noise(127 * 2 ** 17)
  const reference = openEngine(engine.name === 'wasm' ? undefined : 'wasm')
  const roots = new Map<number, string>()
  for (const [length, level] of [
    [data.length, 19],
    [data.length / 16, 15],
  ] as const) {
    const { run } = tree(reference, data.subarray(0, length), 2, level)
    roots.set(length, hex(run() as Uint8Array))
  }
  return {
    name,
    unit: 'MB/s',
    better: 'more',
    clock: 'thread',
    scale: 1e-6,
    ours: tree(engine, data, 2, 19),
    peers: await commpPeers(list, data),
    absent: list.absent,
    check: (result, { name: whose, work }) =>
      mustEqual(hex(result as Uint8Array), roots.get(work), whose),
    rounds: 9,
    goal,
  }
}

const fileCase = (
  scheme: TreeScheme,
  provers: { readonly one: Prover; readonly two: Prover },
  path: string,
  length: number,
): BenchCase => {
  const payload = { path, offset: bytes(0), length: bytes(length) }
  const by = (name: string, prover: Prover): Contestant => ({
    name,
    work: length,
    run: async () => (await prover.commitFile(payload, { scheme })).root,
  })
  let wanted: unknown
  return {
    name: `${scheme === 1 ? 'sha256-1k' : 'commp'} of a 256 MiB file, two workers : one`,
    unit: 'MB/s',
    better: 'more',
    clock: 'wall',
    scale: 1e-6,
    ours: by(`${provers.two.engine}, two workers`, provers.two),
    peers: [by('holdfast, one worker', provers.one)],
    check: (result, { name }) => {
      wanted ??= result
      mustEqual(result, wanted, name)
    },
    rounds: 31,
    ...(scheme === 1 ? { goal: { of: 'ratio', bound: 1.75, stretch: 1.9 } } : {}),
  }
}

interface FlatHash {
  init(): FlatHash
  update(data: Uint8Array): FlatHash
  digest(form: 'binary'): Uint8Array
}

const wasmCase = async (): Promise<BenchCase> => {
  const list = new PeerList()
  const peer = await list.load('hash-wasm')
  const create = peer?.module['createSHA256'] as undefined | (() => Promise<FlatHash>)
  const hasher = await create?.()
  if (!peer || !hasher) throw new Error(list.absent.join('; '))
  return sha256Case({
    name: 'sha256-1k tree of 64 MiB, WASM only, one thread : hash-wasm flat',
    engine: openEngine('wasm'),
    data: noise(64 * MIB),
    level: 16,
    goal: { of: 'ratio', bound: 2, stretch: 3 },
    flat: { name: peer.name, digest: (data) => hasher.init().update(data).digest('binary') },
  })
}

export const commitSuite: Suite = {
  name: 'commit',
  about: 'payload trees of both schemes, in memory, in WASM, and whole files on workers',
  async *cases({ folder, say }) {
    const flat = {
      name: CRYPTO_PEER,
      digest: (data: Uint8Array) => createHash('sha256').update(data).digest(),
    }
    yield sha256Case({
      name: 'sha256-1k tree of 256 MiB, one thread : node:crypto flat',
      engine: openEngine(),
      data: noise(256 * MIB),
      level: 18,
      goal: { of: 'ratio', bound: 1.3, stretch: 1.5 },
      flat,
    })
    yield wasmCase()
    yield commpCase(openEngine(), 'commp, one thread', { of: 'ratio', bound: 38, stretch: 42 })
    yield commpCase(openEngine('wasm'), 'commp, WASM only', {
      of: 'ratio',
      bound: 8.5,
      stretch: 12,
    })
    say('writing a file of 256 MiB')
    const path = join(folder, 'payload')
    writeNoise(path, 256 * MIB)
    const [one, two] = await Promise.all([openProver({ threads: 1 }), openProver({ threads: 2 })])
    try {
      for (const scheme of [1, 2] as const) yield fileCase(scheme, { one, two }, path, 256 * MIB)
    } finally {
      await Promise.all([one.close(), two.close()])
    }
  },
}
