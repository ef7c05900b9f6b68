/**
 * Bytes from a client to a provider, ours as range PUTs of a real session with checksums, beside client
 * streams of grpc-js with its own and with a wide window, TLS on all of them. Three questions: what the
 * transport does by itself (both sides throw the bytes away), what the whole way to the disk does (ours
 * durable part by part, the streams in a file that is synced once), and what is left of it over a line of
 * 50 ms.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { signerFromPrivateKey, systemClock, systemRandom } from '@holdfast/chain'
import { networkConnector, type ProviderPeer } from '@holdfast/client'
import {
  amount,
  bytes,
  type Hash32,
  hash32,
  root,
  type SessionRequest,
  timestamp,
  toHex,
  type UploadVoucher,
  voucherDigest,
} from '@holdfast/protocol'
import { mustEqual, noise } from '../data.ts'
import type { BenchCase, Contestant } from '../harness.ts'
import type { Suite } from '../suite.ts'
import { type GrpcTarget, GrpcUploader } from '../upload/grpc-stream.ts'
import { accountKey, type UploadNode } from '../upload/node-messages.ts'

const MIB = 1 << 20
const LOOPBACK_BYTES = 256 * MIB
const PART_BYTES = 4 * MIB
/** Parts under way at once, as the client has them. */
const PARTS = 8
const WIDE_WINDOW = 16 * MIB
const MESSAGE_BYTES = MIB
const ONE_WAY_MS = 25

/** The programs beside this one. */
const PROGRAMS = {
  node: '../upload/node.js',
  sink: '../upload/grpc-sink.js',
  line: '../upload/delay-proxy.js',
} as const

/** Child processes that end with the suite. */
class Children {
  readonly #all: ChildProcess[] = []

  async start<T>(program: keyof typeof PROGRAMS, args: readonly string[]): Promise<T> {
    const entry = fileURLToPath(new URL(PROGRAMS[program], import.meta.url))
    const child = fork(entry, [...args], { serialization: 'advanced' })
    this.#all.push(child)
    return new Promise<T>((resolve, reject) => {
      child.once('message', (message) => resolve(message as T))
      child.once('exit', (code) => reject(new Error(`${program} ended with ${code}`)))
    })
  }

  stop(): void {
    for (const child of this.#all) child.kill()
  }
}

/** Ours: one payload into one fresh session after another. */
class Uploader {
  readonly #node: UploadNode
  readonly #peer: ProviderPeer
  readonly #payload: Uint8Array
  #session: SessionRequest | undefined

  constructor(node: UploadNode, peer: ProviderPeer, payload: Uint8Array) {
    this.#node = node
    this.#peer = peer
    this.#payload = payload
  }

  /** `http` says where the provider is reached, which may be a long line before it. */
  static async open(
    node: UploadNode,
    line: { readonly http: string; readonly connections: number },
    payload: Uint8Array,
  ): Promise<Uploader> {
    const none = { region: '', token: node.token, pricePerTibMonth: amount(0) }
    const prices = { ...none, provingFeeMonth: amount(0), egressPerTib: amount(0) }
    const { provider, tlsKeyHash, grpc: endpoint } = node
    const record = { provider, tlsKeyHash, endpoint, operator: provider, stake: amount(0) }
    const connect = networkConnector(systemClock, {
      uploadConnections: line.connections,
      httpEndpoint: line.http,
    })
    const peer = await connect({ ...record, accepting: true, ...prices })
    return new Uploader(node, peer, payload)
  }

  /** Gives the former session's space back and opens the next. */
  async renew(): Promise<void> {
    if (this.#session !== undefined) await this.#peer.abortUpload(this.#session)
    const publisher = signerFromPrivateKey(accountKey(3))
    const { provider, tlsKeyHash, chainId, market: verifyingContract } = this.#node
    const now = BigInt(Math.floor(systemClock.now() / 1000))
    const random = (): Hash32 => hash32(toHex(systemRandom.bytes(32)))
    const voucher: UploadVoucher = {
      payer: publisher.address,
      provider,
      tlsKeyHash,
      scheme: 1,
      root: root(random()),
      length: bytes(this.#payload.length),
      notBefore: timestamp(now - 10n),
      expiry: timestamp(now + 3600n),
      nonce: random(),
    }
    const signature = await publisher.sign(voucherDigest(voucher, { chainId, verifyingContract }))
    const { session, token } = await this.#peer.openUpload({ voucher, signature })
    this.#session = { session, token }
  }

  /** Sends everything; returns how many bytes are durable then. */
  async upload(): Promise<number> {
    const session = this.#session
    if (session === undefined) throw new Error('no session')
    const total = bytes(this.#payload.length)
    let next = 0
    const sender = async (): Promise<void> => {
      while (next < this.#payload.length) {
        const start = next
        const end = Math.min(this.#payload.length, start + PART_BYTES)
        next = end
        const body = this.#payload.subarray(start, end)
        await this.#peer.putPart(session, { start: bytes(start), end: bytes(end), total, body })
      }
    }
    await Promise.all(Array.from({ length: PARTS }, sender))
    const durable = await this.#peer.durable(session)
    return durable.reduce((sum, { start, end }) => sum + Number(end - start), 0)
  }

  close(): void {
    this.#peer.close()
  }
}

const ours = (uploader: Uploader, length: number): Contestant => ({
  name: 'holdfast',
  work: length,
  before: () => uploader.renew(),
  run: () => uploader.upload(),
})

const stream = (name: string, uploader: GrpcUploader, payload: Buffer): Contestant => ({
  name,
  work: payload.length,
  before: () => undefined,
  run: () => uploader.upload(payload, MESSAGE_BYTES),
})

const uploadCase = (
  line: { readonly name: string; readonly goal: NonNullable<BenchCase['goal']> },
  contestants: { readonly ours: Contestant; readonly peers: readonly Contestant[] },
): BenchCase => ({
  ...contestants,
  name: line.name,
  unit: 'MB/s',
  better: 'more',
  clock: 'wall',
  scale: 1e-6,
  check: (result, { name, work }) => mustEqual(result, work, name),
  goal: line.goal,
  rounds: 5,
})

const GRPC = '@grpc/grpc-js@1.14.7'

/** What a case needs: children, and clients that are closed at the end. */
class Bench {
  readonly #folder: string
  readonly children = new Children()
  readonly #clients: { close(): void }[] = []
  #homes = 0

  constructor(folder: string) {
    this.#folder = folder
  }

  async #home(): Promise<string> {
    const home = join(this.#folder, `home-${this.#homes++}`)
    await mkdir(home)
    return home
  }

  async node(mode: Mode): Promise<UploadNode> {
    return this.children.start<UploadNode>('node', [await this.#home(), mode])
  }

  async uploader(...args: Parameters<typeof Uploader.open>): Promise<Uploader> {
    const uploader = await Uploader.open(...args)
    this.#clients.push(uploader)
    return uploader
  }

  /** Streams to two servers of their own, with the library's window and with a wide one. */
  async streams(
    mode: Mode,
    data: Buffer,
    reach: (port: number) => Promise<number> = async (port) => port,
  ): Promise<readonly Contestant[]> {
    const contestants: Contestant[] = []
    for (const window of [0, WIDE_WINDOW]) {
      const args = [await this.#home(), String(window), mode]
      const sink = await this.children.start<GrpcTarget>('sink', args)
      const client = new GrpcUploader({ ...sink, port: await reach(sink.port) }, window)
      this.#clients.push(client)
      const name = window === 0 ? 'its own window' : 'window of 16 MiB'
      contestants.push(stream(`${GRPC}, ${name}`, client, data))
    }
    return contestants
  }

  close(): void {
    for (const client of this.#clients) client.close()
    this.children.stop()
  }
}

type Mode = 'keep' | 'count'

/** One connection, both sides throw the bytes away. */
const transportCase = async (bench: Bench, payload: Buffer): Promise<BenchCase> => {
  const node = await bench.node('count')
  const near = await bench.uploader(node, { http: node.http, connections: 1 }, payload)
  return uploadCase(
    { name: 'transport alone, one connection, loopback', goal: { of: 'ratio', bound: 6 } },
    { ours: ours(near, payload.length), peers: await bench.streams('count', payload) },
  )
}

/** One connection over loopback and over a long line, to the disk. */
async function* durableCases(bench: Bench, payload: Buffer): AsyncGenerator<BenchCase> {
  const node = await bench.node('keep')
  const near = await bench.uploader(node, { http: node.http, connections: 1 }, payload)
  yield uploadCase(
    { name: 'to the disk, one connection, loopback', goal: { of: 'ratio', bound: 6 } },
    { ours: ours(near, payload.length), peers: await bench.streams('keep', payload) },
  )
  const far = async (port: number): Promise<number> => {
    const args = [String(port), String(ONE_WAY_MS)]
    return (await bench.children.start<{ port: number }>('line', args)).port
  }
  const http = `https://127.0.0.1:${await far(Number(new URL(node.http).port))}`
  const away = await bench.uploader(node, { http, connections: 1 }, payload)
  // A stream with its own window needs minutes for more over a long line.
  const short = payload.subarray(0, 8 * MIB)
  yield uploadCase(
    {
      name: 'to the disk, one connection, 50 ms round trip (streams: 8 MiB)',
      goal: { of: 'figure', bound: 80 },
    },
    { ours: ours(away, payload.length), peers: await bench.streams('keep', short, far) },
  )
}

export const uploadSuite: Suite = {
  name: 'upload',
  about: 'bytes to a provider: loopback and 50 ms, beside gRPC streams',
  async *cases({ folder, say }) {
    const bench = new Bench(folder)
    try {
      say('starting providers and gRPC servers')
      const payload = Buffer.from(noise(LOOPBACK_BYTES, 11).buffer)
      yield await transportCase(bench, payload)
      yield* durableCases(bench, payload)
    } finally {
      bench.close()
    }
  },
}
