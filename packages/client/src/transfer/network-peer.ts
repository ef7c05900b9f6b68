/** The adapter of `ProviderPeer` on gRPC (conversation) and HTTPS (bulk bytes), one pinned key for both. */
import type { ProviderRecord } from '@holdfast/chain'
import {
  type Bytes,
  bytes,
  type CallOptions,
  type Clock,
  type CommitUploadResponse,
  type DescribeResponse,
  HoldfastError,
  providerService,
  type RevokeGrantRequest,
  type Root,
  type SessionRequest,
  toNumber,
} from '@holdfast/protocol'
import { type Checksum, openChecksum } from '@holdfast/prover'
import { GrpcChannel } from './grpc-channel.ts'
import { HttpsChannel } from './https-channel.ts'
import { pinCertificate } from './pinned-tls.ts'
import type { ByteSpan, ConnectPeer, ProviderPeer, UploadPart } from './provider-peer.ts'
import { RenewingPeer } from './renewing-peer.ts'

/** For calls that answer from memory. */
const SHORT_MS = 15_000
/** For calls that may wait for a transaction. */
const LEDGER_MS = 120_000
/** Silence on a bulk connection. */
const IDLE_MS = 60_000
/** The slowest provider that may verify a payload: 16 MiB per second, and room. */
const COMMIT_BYTES_PER_MS = 16_777n

export interface ConnectorOptions {
  /** Connections that parts are sent over. Default 4. */
  readonly uploadConnections?: number
  /** Where bulk bytes go instead of where the provider says: for a tunnel. Its key is checked all the same. */
  readonly httpEndpoint?: string
}

/** Makes the `ConnectPeer` of a real network. */
export const networkConnector =
  (clock: Clock, options: ConnectorOptions = {}): ConnectPeer =>
  (record, call = {}) =>
    RenewingPeer.open(record, pinnedConnector(clock, options), call)

/** Peers that know one certificate and no other. */
const pinnedConnector =
  (clock: Clock, { httpEndpoint, ...channel }: ConnectorOptions): ConnectPeer =>
  async (record, options = {}) => {
    const pinned = await pinCertificate(record.endpoint, record.tlsKeyHash, {
      timeoutMs: SHORT_MS,
      ...options,
    })
    const grpc = new GrpcChannel(record.endpoint, pinned, clock)
    return new NetworkPeer(
      record,
      grpc,
      (base) => new HttpsChannel(httpEndpoint ?? base, pinned, { idleMs: IDLE_MS, ...channel }),
    )
  }

class NetworkPeer implements ProviderPeer {
  readonly provider: ProviderRecord['provider']
  readonly #grpc: GrpcChannel
  readonly #openHttps: (base: string) => HttpsChannel
  readonly #checksum: Checksum = openChecksum()
  #described: Promise<DescribeResponse> | undefined
  #https: HttpsChannel | undefined

  constructor(
    { provider }: ProviderRecord,
    grpc: GrpcChannel,
    openHttps: (base: string) => HttpsChannel,
  ) {
    this.provider = provider
    this.#grpc = grpc
    this.#openHttps = openHttps
  }

  /** Asked once per peer; it also says where bulk bytes go. */
  describe(options: CallOptions = {}): Promise<DescribeResponse> {
    this.#described ??= this.#grpc
      .call(providerService.describe, {}, { timeoutMs: SHORT_MS, ...options })
      .catch((error: unknown) => {
        this.#described = undefined
        throw error
      })
    return this.#described
  }

  quote: ProviderPeer['quote'] = (request, options = {}) =>
    this.#grpc.call(providerService.quote, request, { timeoutMs: SHORT_MS, ...options })

  openUpload: ProviderPeer['openUpload'] = (request, options = {}) =>
    this.#grpc.call(providerService.openUpload, request, { timeoutMs: LEDGER_MS, ...options })

  commitUpload(
    session: SessionRequest,
    length: Bytes,
    options: CallOptions = {},
  ): Promise<CommitUploadResponse> {
    const timeoutMs = LEDGER_MS + toNumber(length / COMMIT_BYTES_PER_MS)
    return this.#grpc.call(providerService.commitUpload, session, { timeoutMs, ...options })
  }

  async abortUpload(session: SessionRequest, options: CallOptions = {}): Promise<void> {
    await this.#grpc.call(providerService.abortUpload, session, { timeoutMs: SHORT_MS, ...options })
  }

  async revokeGrant(request: RevokeGrantRequest, options: CallOptions = {}): Promise<void> {
    await this.#grpc.call(providerService.revokeGrant, request, { timeoutMs: SHORT_MS, ...options })
  }

  proposeDeal: ProviderPeer['proposeDeal'] = (request, options = {}) =>
    this.#grpc.call(providerService.proposeDeal, request, { timeoutMs: LEDGER_MS, ...options })

  bundleEntries: ProviderPeer['bundleEntries'] = (request, options = {}) =>
    this.#grpc.call(providerService.getBundleEntries, request, { timeoutMs: SHORT_MS, ...options })

  getDeal: ProviderPeer['getDeal'] = (request, options = {}) =>
    this.#grpc.call(providerService.getDeal, request, { timeoutMs: SHORT_MS, ...options })

  async putPart(
    { session, token }: SessionRequest,
    { start, end, total, body }: UploadPart,
    options: CallOptions = {},
  ): Promise<readonly ByteSpan[]> {
    const https = await this.#bulk(options)
    const call = {
      path: `/v1/uploads/${encodeURIComponent(session)}`,
      headers: {
        authorization: `Bearer ${token}`,
        'content-range': `bytes ${start}-${end - 1n}/${total}`,
        'content-type': 'application/octet-stream',
        'content-digest': `crc32c=:${checksumText(this.#checksum(body))}:`,
      },
    }
    const answer = await https.put({ ...call, ...options }, body)
    return durableSpans(https.peer, answer)
  }

  async durable(
    { session, token }: SessionRequest,
    options: CallOptions = {},
  ): Promise<readonly ByteSpan[]> {
    const https = await this.#bulk(options)
    const answer = await https.json({
      path: `/v1/uploads/${encodeURIComponent(session)}`,
      headers: { authorization: `Bearer ${token}` },
      ...options,
    })
    return durableSpans(https.peer, answer)
  }

  async readPayload(
    root: Root,
    { start, end }: ByteSpan,
    options: CallOptions = {},
  ): Promise<Uint8Array> {
    const https = await this.#bulk(options)
    return https.bytes(
      {
        path: `/v1/payloads/${root}`,
        headers: { range: `bytes=${start}-${end - 1n}` },
        ...options,
      },
      toNumber(end - start),
    )
  }

  close(): void {
    this.#https?.close()
    this.#grpc.close()
  }

  async #bulk(options: CallOptions): Promise<HttpsChannel> {
    const { httpEndpoint } = await this.describe(options)
    this.#https ??= this.#openHttps(httpEndpoint)
    return this.#https
  }
}

/** The four bytes of a CRC-32C, big endian, in base64: as `Content-Digest` wants it (RFC 9530). */
const checksumText = (checksum: number): string => {
  const bytesOf = Buffer.alloc(4)
  bytesOf.writeUInt32BE(checksum)
  return bytesOf.toString('base64')
}

/** `{"durable":[["start","end"],…]}`: decimal strings, end exclusive. */
const durableSpans = (peer: string, answer: unknown): readonly ByteSpan[] => {
  const list = (answer as { readonly durable?: unknown } | undefined)?.durable
  if (!Array.isArray(list)) throw malformed(peer)
  return list.map((entry: unknown) => {
    const [start, end] = Array.isArray(entry) ? entry : []
    if (typeof start !== 'string' || typeof end !== 'string') throw malformed(peer)
    if (!/^\d{1,16}$/.test(start) || !/^\d{1,16}$/.test(end)) throw malformed(peer)
    return { start: bytes(BigInt(start)), end: bytes(BigInt(end)) }
  })
}

const malformed = (peer: string): HoldfastError =>
  new HoldfastError({ code: 'PEER_MISBEHAVED', peer, reason: 'its durable ranges are malformed' })
