/**
 * A small client for tests: the protocol's own codecs over grpc-js and node:https, nothing of the
 * client package. It can also say things that no decent client says.
 */
import { Client, credentials, Metadata, type ServiceError } from '@grpc/grpc-js'
import { type NetworkParams, signingDomain, systemClock, systemRandom } from '@holdfast/chain'
import {
  type Address,
  amount,
  type Commitment,
  type CommitUploadResponse,
  costOf,
  type DealTerms,
  dealIdOf,
  decodeErrorDetail,
  ERROR_TRAILER,
  type Hash32,
  hash32,
  type OpenUploadResponse,
  type Periods,
  type ProposeDealRequest,
  type ProposeDealResponse,
  type ProviderId,
  periods,
  providerService,
  type ServiceMethod,
  type SessionRequest,
  type Signer,
  timestamp,
  toHex,
  type UploadVoucher,
  voucherDigest,
  type WatchUploadResponse,
  ZERO_HASH,
} from '@holdfast/protocol'
import type { ProviderEndpoints } from '../../src/provider.ts'
import type { TlsIdentity } from '../../src/tls.ts'
import {
  beginPut,
  type HalfPut,
  type HttpAnswer,
  type HttpCall,
  type HttpTarget,
  sendHttp,
} from './http-client.ts'
import { commitmentOf } from './payloads.ts'

/** What the client must know of the network it talks on. */
export interface ClientNetwork {
  readonly params: NetworkParams
  readonly config: { readonly provider: ProviderId; readonly token: Address }
  readonly publisher: Signer
  /** Block time, about. */
  readonly time: () => bigint
}

export const nonce = (): Hash32 => hash32(toHex(systemRandom.bytes(32)))

export class TestClient {
  readonly #network: ClientNetwork
  readonly #endpoints: ProviderEndpoints
  readonly #tls: TlsIdentity
  readonly #client: Client

  constructor(parts: {
    readonly network: ClientNetwork
    readonly endpoints: ProviderEndpoints
    readonly tls: TlsIdentity
  }) {
    this.#network = parts.network
    this.#endpoints = parts.endpoints
    this.#tls = parts.tls
    const trust = credentials.createSsl(Buffer.from(parts.tls.certPem))
    // The endpoint is an IP address, which is no server name (RFC 6066); the certificate bears this one too.
    this.#client = new Client(parts.endpoints.grpc, trust, {
      'grpc.ssl_target_name_override': 'localhost',
    })
  }

  close(): void {
    this.#client.close()
  }

  call<Q, R>(method: ServiceMethod<Q, R>, request: Q): Promise<R> {
    return this.callBytes(method.path, method.request.encode(request)).then(method.response.decode)
  }

  /** A call whose request is any bytes at all. */
  callBytes(path: string, request: Uint8Array): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest(
        path,
        (value: Uint8Array) => Buffer.from(value),
        (value: Buffer) => new Uint8Array(value),
        request,
        new Metadata(),
        { deadline: systemClock.now() + 60_000 },
        (error, response) =>
          error === null && response ? resolve(response) : reject(asOurs(error)),
      )
    })
  }

  /** What is durable of an upload, as the provider tells it; ends when all of it is. */
  async *watch({ session, token }: SessionRequest): AsyncGenerator<WatchUploadResponse> {
    const { path, request, response } = providerService.watchUpload
    const stream = this.#client.makeServerStreamRequest(
      path,
      (value: Uint8Array) => Buffer.from(value),
      (value: Buffer) => new Uint8Array(value),
      request.encode({ session, token }),
    )
    for await (const told of stream) yield response.decode(told)
  }

  /** One question to the reflection service. */
  reflect(request: Uint8Array): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const stream = this.#client.makeBidiStreamRequest(
        '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
        (value: Uint8Array) => Buffer.from(value),
        (value: Buffer) => new Uint8Array(value),
      )
      stream.once('data', (answer: Uint8Array) => {
        resolve(answer)
        stream.end()
      })
      stream.once('error', reject)
      stream.write(request)
    })
  }

  /** A voucher of the publisher for a payload, with anything replaced. */
  voucher(commitment: Commitment, change: Partial<UploadVoucher> = {}): UploadVoucher {
    const now = BigInt(Math.floor(systemClock.now() / 1000))
    return {
      ...commitment,
      payer: this.#network.publisher.address,
      provider: this.#network.config.provider,
      tlsKeyHash: this.#tls.keyHash,
      notBefore: timestamp(now - 10n),
      expiry: timestamp(now + 3600n),
      nonce: nonce(),
      ...change,
    }
  }

  async open(
    voucher: UploadVoucher,
    signer: Signer = this.#network.publisher,
  ): Promise<OpenUploadResponse> {
    const digest = voucherDigest(voucher, signingDomain(this.#network.params))
    const signature = await signer.sign(digest)
    return this.call(providerService.openUpload, { voucher, signature })
  }

  put(
    session: { readonly session: string; readonly token: string },
    payload: Uint8Array,
    part: { readonly start: number; readonly end: number },
    headers: Readonly<Record<string, string>> = {},
  ): Promise<HttpAnswer> {
    return this.http({
      method: 'PUT',
      path: `/v1/uploads/${session.session}`,
      headers: {
        authorization: `Bearer ${session.token}`,
        'content-range': `bytes ${part.start}-${part.end - 1}/${payload.length}`,
        ...headers,
      },
      body: payload.subarray(part.start, part.end),
    })
  }

  /** Sends the first half of a payload's only part; the rest follows when asked. */
  beginPut(session: SessionRequest, payload: Uint8Array): HalfPut {
    return beginPut(this.#target(), session, payload)
  }

  /** The value of a metric without labels. */
  async metric(name: string): Promise<number> {
    const { body } = await this.http({ method: 'GET', path: '/metrics' })
    const line = Buffer.from(body)
      .toString()
      .split('\n')
      .find((l) => l.startsWith(`${name} `))
    return Number(line?.split(' ')[1])
  }

  commit(session: OpenUploadResponse): Promise<CommitUploadResponse> {
    const { session: id, token } = session
    return this.call(providerService.commitUpload, { session: id, token })
  }

  /** Uploads a payload whole, in parts of `partBytes`. */
  async upload(payload: Uint8Array, partBytes = 4 * 2 ** 20): Promise<CommitUploadResponse> {
    const session = await this.open(this.voucher(commitmentOf(payload)))
    for (let at = 0; at < payload.length && !session.complete; at += partBytes) {
      const end = Math.min(payload.length, at + partBytes)
      const { status, body } = await this.put(session, payload, { start: at, end })
      if (status !== 200) throw new Error(`PUT answered ${status} ${Buffer.from(body)}`)
    }
    return this.commit(session)
  }

  /** A proposal for a stored payload on the provider's own quote. */
  async proposal(
    commitment: Commitment,
    change: Partial<DealTerms> = {},
    term: Periods = periods(10),
  ): Promise<ProposeDealRequest> {
    const { params, config, publisher, time } = this.#network
    const { length } = commitment
    const { quote, signature } = await this.call(providerService.quote, {
      length,
      periods: term,
      token: config.token,
    })
    const now = BigInt(Math.floor(systemClock.now() / 1000))
    const later = now > time() ? now : time()
    const terms: DealTerms = {
      ...commitment,
      client: publisher.address,
      provider: config.provider,
      token: config.token,
      dataset: ZERO_HASH,
      rate: quote.rate,
      periods: term,
      deposit: costOf({ rate: quote.rate, period: params.period, periods: term }),
      collateral: quote.collateral,
      notice: quote.notice,
      replacementCost: amount(0),
      egressPrice: quote.egressPrice,
      attributes: quote.attributes,
      takedown: ZERO_HASH,
      openBefore: timestamp(later + 600n),
      nonce: nonce(),
      ...change,
    }
    const digest = dealIdOf(terms, signingDomain(params)) as string as Hash32
    const clientSignature = await publisher.sign(digest)
    return { terms, clientSignature, quote, quoteSignature: signature }
  }

  propose(request: ProposeDealRequest): Promise<ProposeDealResponse> {
    return this.call(providerService.proposeDeal, request)
  }

  /** Uploads a payload and opens a deal for it. */
  async deal(payload: Uint8Array, term?: Periods): Promise<ProposeDealResponse> {
    await this.upload(payload)
    return this.propose(await this.proposal(commitmentOf(payload), {}, term))
  }

  http(call: HttpCall): Promise<HttpAnswer> {
    return sendHttp(this.#target(), call)
  }

  #target(): HttpTarget {
    return { base: this.#endpoints.http, certPem: this.#tls.certPem }
  }

  get(root: string, headers: Readonly<Record<string, string>> = {}): Promise<HttpAnswer> {
    return this.http({ method: 'GET', path: `/v1/payloads/${root}`, headers })
  }
}

/** An error's code from its trailer, or the call's own failure. */
const asOurs = (error: ServiceError | null): Error => {
  const [detail] = error?.metadata?.get(ERROR_TRAILER) ?? []
  if (detail instanceof Uint8Array) return decodeErrorDetail(detail)
  return error ?? new Error('an empty answer')
}
