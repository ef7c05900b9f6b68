/**
 * SHA-256 of many small and large messages, BLAKE3 and CRC-32C: the kernels beside every package for
 * the same job.
 */
import { createHash } from 'node:crypto'
import { type Engine, openEngine } from '@holdfast/native'
import { hex, mustEqual, noise } from '../data.ts'
import type { BenchCase, Contestant } from '../harness.ts'
import { CRYPTO_PEER, PeerList } from '../peers.ts'
import type { Suite } from '../suite.ts'

type Digest = (data: Uint8Array) => Uint8Array

const byCrypto: Digest = (data) => createHash('sha256').update(data).digest()

/** Digests of equal messages, one call each. */
const oneByOne = (digest: Digest, data: Uint8Array, size: number): (() => Uint8Array) => {
  const out = new Uint8Array((data.length / size) * 32)
  return () => {
    for (let at = 0, to = 0; at < data.length; at += size, to += 32) {
      out.set(digest(data.subarray(at, at + size)), to)
    }
    return out
  }
}

const ourMessages = (engine: Engine, data: Uint8Array, size: number): Contestant => {
  const out = new Uint8Array((data.length / size) * 32)
  const run = (): Uint8Array => {
    engine.messages(data, size, out)
    return out
  }
  return { name: engine.name, work: data.length, run }
}

/** Peers that hash one message per call. */
const digestPeers = async (list: PeerList): Promise<readonly (readonly [string, Digest])[]> => {
  const noble = await list.load('@noble/hashes/sha2.js')
  const wasm = await list.load('hash-wasm')
  const chainsafe = await list.load('@chainsafe/as-sha256')
  const create = wasm?.module['createSHA256'] as undefined | (() => Promise<WasmHash>)
  const hasher = await create?.()
  return [
    [CRYPTO_PEER, byCrypto] as const,
    ...(noble ? [[noble.name, noble.module['sha256'] as Digest] as const] : []),
    ...(wasm && hasher
      ? [[wasm.name, (data: Uint8Array) => hasher.init().update(data).digest('binary')] as const]
      : []),
    ...(chainsafe ? [[chainsafe.name, chainsafe.module['digest'] as Digest] as const] : []),
  ]
}

interface WasmHash {
  init(): WasmHash
  update(data: Uint8Array): WasmHash
  digest(form: 'binary'): Uint8Array
}

interface MessageCase {
  readonly name: string
  readonly size: number
  readonly count: number
  readonly engine: Engine
  readonly goal?: BenchCase['goal']
  readonly only?: (name: string) => boolean
}

const messageCase = async (input: MessageCase): Promise<BenchCase> => {
  const list = new PeerList()
  const data = noise(input.size * input.count)
  const peers = await digestPeers(list)
  const wanted = hex(oneByOne(byCrypto, data, input.size)())
  return {
    name: input.name,
    unit: 'MB/s',
    better: 'more',
    clock: 'thread',
    scale: 1e-6,
    ours: ourMessages(input.engine, data, input.size),
    peers: peers
      .filter(([name]) => input.only?.(name) ?? true)
      .map(([name, digest]) => ({
        name,
        work: data.length,
        run: oneByOne(digest, data, input.size),
      })),
    absent: list.absent,
    check: (result, { name }) => mustEqual(hex(result as Uint8Array), wanted, name),
    ...(input.goal ? { goal: input.goal } : {}),
  }
}

type HashInto = (input: Uint8Array, output: Uint8Array) => void

const nodeCase = async (
  engine: Engine,
  name: string,
  goal?: BenchCase['goal'],
): Promise<BenchCase> => {
  const count = 4096
  const list = new PeerList()
  const data = noise(count * 64)
  const wanted = hex(oneByOne(byCrypto, data, 64)())
  const into = (whose: string, hash: HashInto): Contestant => {
    const out = new Uint8Array(count * 32)
    const run = (): Uint8Array => {
      hash(data, out)
      return out
    }
    return { name: whose, work: count, run }
  }
  const peers: Contestant[] = [
    { name: CRYPTO_PEER, work: count, run: oneByOne(byCrypto, data, 64) },
  ]
  for (const entry of ['@chainsafe/hashtree', '@chainsafe/as-sha256']) {
    const peer = await list.load(entry)
    const hash = (peer?.module['hashInto'] ??
      (peer?.module['default'] as { hashInto?: unknown })?.hashInto) as HashInto
    if (peer) peers.push(into(peer.name, hash))
  }
  return {
    name,
    unit: 'Mhash/s',
    better: 'more',
    clock: 'thread',
    scale: 1e-6,
    ours: into(engine.name, (input, out) => engine.pairs(input, out)),
    peers,
    absent: list.absent,
    check: (result, contestant) => mustEqual(hex(result as Uint8Array), wanted, contestant.name),
    ...(goal ? { goal } : {}),
  }
}

const blakeCase = async (
  size: number,
  count: number,
  label: string,
): Promise<BenchCase | undefined> => {
  const list = new PeerList()
  const data = noise(size * count)
  const contestant = (name: string, digest: Digest): Contestant => ({
    name,
    work: data.length,
    run: oneByOne(digest, data, size),
  })
  const napi = await list.load('@napi-rs/blake-hash')
  const package3 = await list.load('blake3')
  const noble = await list.load('@noble/hashes/blake3.js')
  const wasm = await list.load('hash-wasm')
  const create = wasm?.module['createBLAKE3'] as undefined | (() => Promise<WasmHash>)
  const hasher = await create?.()
  const reference = noble?.module['blake3'] as Digest | undefined
  const native = napi?.module['blake3'] as undefined | ((data: Uint8Array) => Uint8Array)
  if (!napi || !native || !reference || !noble) return undefined
  const wanted = hex(oneByOne(reference, data, size)())
  return {
    name: `BLAKE3, ${label}: what the client uses`,
    unit: 'MB/s',
    better: 'more',
    clock: 'thread',
    scale: 1e-6,
    ours: contestant(napi.name, (bytes) => Buffer.from(native(bytes))),
    peers: [
      contestant(noble.name, reference),
      ...(package3 ? [contestant(package3.name, package3.module['hash'] as Digest)] : []),
      ...(wasm && hasher
        ? [contestant(wasm.name, (bytes) => hasher.init().update(bytes).digest('binary'))]
        : []),
    ],
    absent: list.absent,
    check: (result, { name }) => mustEqual(hex(result as Uint8Array), wanted, name),
  }
}

const crcCase = async (engine: Engine): Promise<BenchCase> => {
  const list = new PeerList()
  const data = noise(1 << 20)
  const wasm = await list.load('hash-wasm')
  const create = wasm?.module['createCRC32'] as
    | undefined
    | ((polynomial: number) => Promise<WasmHash>)
  const hasher = await create?.(0x82f63b78)
  const wanted = engine.crc32c(0, data)
  const peerRun = (): number =>
    hasher ? Buffer.from(hasher.init().update(data).digest('binary')).readUInt32BE(0) : 0
  return {
    name: 'CRC-32C of 1 MiB',
    unit: 'MB/s',
    better: 'more',
    clock: 'thread',
    scale: 1e-6,
    ours: { name: engine.name, work: data.length, run: () => engine.crc32c(0, data) },
    peers: wasm && hasher ? [{ name: wasm.name, work: data.length, run: peerRun }] : [],
    absent: list.absent,
    check: (result, { name }) => mustEqual(result, wanted, name),
  }
}

export const hashSuite: Suite = {
  name: 'hash',
  about: 'SHA-256 of nodes, leaves and blocks, BLAKE3, CRC-32C: kernels beside every package',
  async *cases() {
    const best = openEngine()
    const wasm = openEngine('wasm')
    yield nodeCase(best, '64-byte nodes', { of: 'ratio', bound: 1.2, stretch: 1.4 })
    yield nodeCase(wasm, '64-byte nodes, WASM only')
    yield messageCase({
      name: '1 MiB blocks for CIDs, 16 at a time',
      size: 1 << 20,
      count: 16,
      engine: best,
      goal: { of: 'ratio', bound: 1.4, stretch: 1.6 },
    })
    yield messageCase({
      name: '1 KiB leaves, 1024 at a time',
      size: 1024,
      count: 1024,
      engine: best,
    })
    yield messageCase({
      name: '1 KiB leaves, WASM only',
      size: 1024,
      count: 1024,
      engine: wasm,
      only: (name) => name !== CRYPTO_PEER,
    })
    for (const [size, count, label] of [
      [1024, 1024, '1 KiB'],
      [1 << 20, 8, '1 MiB'],
    ] as const) {
      const bench = await blakeCase(size, count, label)
      if (bench) yield bench
    }
    yield crcCase(best)
  },
}
