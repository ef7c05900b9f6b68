/**
 * Bytes from a client to a provider's disk: over loopback and over a line of 50 ms, ours on one
 * connection, beside client streams of grpc-js with its own and with a wide window. Ours are checksummed
 * parts of a real session, durable when counted; the streams go to a file that is synced once.
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

  /** `grpc` and `http` say where the provider is reached. */
  static async open(
    node: UploadNode,
    ports: { readonly http: string },
    payload: Uint8Array,
  ): Promise<Uploader> {
    const none = { region: '', token: node.token, pricePerTibMonth: amount(0) }
    const prices = { ...none, provingFeeMonth: amount(0), egressPerTib: amount(0) }
    const { provider, tlsKeyHash, grpc: endpoint } = node
    const record = { provider, tlsKeyHash, endpoint, operator: provider, stake: amount(0) }
    const connect = networkConnector(systemClock, {
      uploadConnections: 1,
      httpEndpoint: ports.http,
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

export const uploadSuite: Suite = {
  name: 'upload',
  about: 'bytes to a provider: loopback and 50 ms, beside gRPC streams',
  async *cases({ folder, say }) {
    const children = new Children()
    const start = <T>(program: keyof typeof PROGRAMS, ...args: string[]): Promise<T> =>
      children.start<T>(program, args)
    const clients: { close(): void }[] = []
    try {
      say('starting a provider and two gRPC servers')
      const homes = ['node', 'narrow', 'wide'].map((name) => join(folder, name))
      for (const home of homes) await mkdir(home)
      const [home = '', narrowAt = '', wideAt = ''] = homes
      const node = await start<UploadNode>('node', home)
      const narrow = await start<GrpcTarget>('sink', narrowAt, '0')
      const wide = await start<GrpcTarget>('sink', wideAt, String(WIDE_WINDOW))
      const far = async (port: number): Promise<number> =>
        (await start<{ port: number }>('line', String(port), String(ONE_WAY_MS))).port

      const payload = Buffer.from(noise(LOOPBACK_BYTES, 11).buffer)
      const peersOn = async (
        data: Buffer,
        reach: (port: number) => Promise<number>,
      ): Promise<readonly Contestant[]> => {
        const narrowOne = new GrpcUploader({ ...narrow, port: await reach(narrow.port) }, 0)
        const wideOne = new GrpcUploader({ ...wide, port: await reach(wide.port) }, WIDE_WINDOW)
        clients.push(narrowOne, wideOne)
        return [
          stream(`${GRPC}, its own window`, narrowOne, data),
          stream(`${GRPC}, window of 16 MiB`, wideOne, data),
        ]
      }
      const near = await Uploader.open(node, { http: node.http }, payload)
      clients.push(near)
      const nearPeers = await peersOn(payload, async (port) => port)
      yield uploadCase(
        { name: 'one connection, loopback', goal: { of: 'ratio', bound: 6 } },
        { ours: ours(near, payload.length), peers: nearPeers },
      )
      // A stream with its own window needs minutes for more over a long line.
      const httpPort = await far(Number(new URL(node.http).port))
      const away = await Uploader.open(node, { http: `https://127.0.0.1:${httpPort}` }, payload)
      clients.push(away)
      const short = payload.subarray(0, 8 * MIB)
      const farPeers = await peersOn(short, far)
      yield uploadCase(
        {
          name: 'one connection, 50 ms round trip (streams: 8 MiB)',
          goal: { of: 'figure', bound: 80 },
        },
        { ours: ours(away, payload.length), peers: farPeers },
      )
    } finally {
      for (const client of clients) client.close()
      children.stop()
    }
  },
}
