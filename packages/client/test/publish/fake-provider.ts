/**
 * A provider in memory that does what the protocol asks of it: quotes, sessions, receipts, deals on
 * the simulated chain. Every call passes a gate that may make it fail.
 */
import {
  type Deal,
  type Ledger,
  type MemoryChain,
  type ProviderRecord,
  signerFromPrivateKey,
  signingDomain,
} from '@holdfast/chain'
import {
  amount,
  attributesOf,
  bytes,
  type Commitment,
  DEFAULT_NOTICE,
  dealIdOf,
  defaultCollateral,
  HoldfastError,
  hash32,
  leavesFor,
  type OpenUploadRequest,
  type ProposeDealRequest,
  type ProposeDealResponse,
  ProviderTree,
  plainHasher,
  type Quote,
  quoteDigest,
  RootAccumulator,
  rateFor,
  receiptDigest,
  type Signer,
  timestamp,
  toHex,
  toNumber,
  voucherDigest,
} from '@holdfast/protocol'
import type { ByteSpan, ProviderPeer, UploadPart } from '../../src/transfer/provider-peer.ts'
import { checkRevocation, checkSessionKey } from './session-keys.ts'
import { merged } from './spans.ts'

const signerOf = (byte: number): Signer => signerFromPrivateKey(new Uint8Array(32).fill(byte))

/** Called at every call of every provider; may throw. */
export type Gate = (call: string, moment: 'before' | 'after', provider: number) => void

const MONEY = amount(1_000_000_000n)

/** What a provider needs to know of the network around it. */
export interface ProviderWorld {
  readonly chain: MemoryChain
  readonly token: MemoryChain['network']['tokens'][number]
  readonly gate: Gate
}

interface Session {
  readonly request: OpenUploadRequest
  readonly data: Uint8Array
  durable: ByteSpan[]
  committed: boolean
}

export class FakeProvider implements ProviderPeer {
  readonly provider: ProviderRecord['provider']
  readonly #network: ProviderWorld
  readonly #number: number
  readonly #owner: Signer
  readonly #operator: Signer
  readonly #ledger: Ledger
  readonly #sessions = new Map<string, Session>()
  readonly #payloads = new Map<string, Uint8Array>()
  readonly #tree = new ProviderTree()
  readonly #opened = new Map<string, ProposeDealResponse>()
  /** Bytes that arrived over the wire. */
  received = 0
  /** Uploads opened with a session key. */
  granted = 0
  /** Nonces of grants that were taken back. */
  readonly revoked = new Set<string>()
  #quotes = 0
  down = false

  private constructor(network: ProviderWorld, number: number) {
    this.#network = network
    this.#number = number
    this.#owner = signerOf(100 + number)
    this.#operator = signerOf(150 + number)
    this.provider = this.#owner.address
    this.#ledger = network.chain.ledger(this.#owner.address)
  }

  static async register(network: ProviderWorld, number: number): Promise<FakeProvider> {
    const self = new FakeProvider(network, number)
    const token = network.token.address
    network.chain.mint(token, self.provider, amount(MONEY * 2n))
    await self.#ledger.deposit(token, MONEY)
    await self.#ledger.registerProvider(
      {
        operator: self.#operator.address,
        tlsKeyHash: hash32(`0x${'11'.repeat(32)}`),
        endpoint: `127.0.0.1:${4000 + number}`,
        region: number % 2 === 0 ? 'even' : 'odd',
        token,
        pricePerTibMonth: amount(2_000_000 + number),
        provingFeeMonth: amount(5_000_000 + number),
        egressPerTib: amount(0),
        accepting: true,
      },
      amount(100_000_000n),
    )
    return self
  }

  async #call<T>(name: string, act: () => Promise<T> | T): Promise<T> {
    if (this.down) {
      throw new HoldfastError({ code: 'PEER_UNREACHABLE', peer: this.provider, reason: 'down' })
    }
    this.#network.gate(name, 'before', this.#number)
    const result = await act()
    this.#network.gate(name, 'after', this.#number)
    return result
  }

  async #record(): Promise<ProviderRecord> {
    const record = await this.#ledger.provider(this.provider)
    if (record === undefined) throw new Error('not registered')
    return record
  }

  describe: ProviderPeer['describe'] = () =>
    this.#call('describe', async () => {
      const { chain } = this.#network
      return {
        ...(await this.#record()),
        chainId: chain.network.chainId,
        market: chain.network.contracts.market,
        software: 'fake',
        httpEndpoint: 'https://127.0.0.1:1',
        freeBytes: bytes(1n << 40n),
        payloadBytesMax: bytes(1n << 40n),
        partBytesMax: bytes(1 << 18),
      }
    })

  quote: ProviderPeer['quote'] = ({ length, periods, token }) =>
    this.#call('quote', async () => {
      const { network, time } = this.#network.chain
      const record = await this.#record()
      const rate = rateFor({ ...record, length })
      this.#quotes += 1
      const quote: Quote = {
        ...{ provider: this.provider, token, length, periods, rate },
        collateral: defaultCollateral(rate, network.period),
        notice: DEFAULT_NOTICE,
        egressPrice: amount(0),
        attributes: attributesOf(record.region),
        expiry: timestamp(time + 3600n),
        nonce: hash32(toHex(new Uint8Array(32).fill(this.#quotes))),
      }
      const digest = quoteDigest(quote, signingDomain(network))
      return { quote, signature: await this.#operator.sign(digest) }
    })

  openUpload: ProviderPeer['openUpload'] = (request) =>
    this.#call('openUpload', () => {
      const { network, time } = this.#network.chain
      const { voucher } = request
      const digest = voucherDigest(voucher, signingDomain(network))
      checkSessionKey(request, signingDomain(network), this.revoked)
      if (request.grant !== undefined) this.granted += 1
      const known = this.#sessions.get(digest)
      const data = known?.data ?? new Uint8Array(toNumber(voucher.length))
      const session = known ?? { request, data, durable: [], committed: false }
      this.#sessions.set(digest, session)
      const complete = this.#payloads.has(voucher.root)
      const expiry = timestamp(time + 3600n)
      return { session: digest, token: 'token', expiry, durable: session.durable, complete }
    })

  #session(id: string): Session {
    const session = this.#sessions.get(id)
    if (session === undefined) throw new HoldfastError({ code: 'SESSION_NOT_FOUND', session: id })
    return session
  }

  putPart: ProviderPeer['putPart'] = ({ session: id }, { start, end, body }: UploadPart) =>
    this.#call('putPart', () => {
      const session = this.#session(id)
      session.data.set(body, Number(start))
      this.received += body.length
      session.durable = merged([...session.durable, { start, end }])
      return session.durable
    })

  durable: ProviderPeer['durable'] = ({ session }) =>
    this.#call('durable', () => this.#session(session).durable)

  commitUpload: ProviderPeer['commitUpload'] = ({ session: id }) =>
    this.#call('commitUpload', async () => {
      const session = this.#session(id)
      const { voucher } = session.request
      if (!this.#payloads.has(voucher.root)) this.#keep(session)
      const receipt = {
        provider: this.provider,
        payer: voucher.payer,
        scheme: voucher.scheme,
        root: voucher.root,
        length: voucher.length,
        voucherNonce: voucher.nonce,
        storedAt: this.#network.chain.time,
      }
      const digest = receiptDigest(receipt, signingDomain(this.#network.chain.network))
      return { receipt, signature: await this.#operator.sign(digest) }
    })

  #keep({ request: { voucher }, data }: Session): void {
    const accumulator = new RootAccumulator(plainHasher)
    accumulator.update(data)
    const { root }: Commitment = accumulator.finish()
    if (root !== voucher.root) {
      throw new HoldfastError({ code: 'ROOT_MISMATCH', expected: voucher.root, actual: root })
    }
    this.#payloads.set(root, data)
  }

  /** Forgets a payload's bytes and says so on the chain, as a provider does that cannot read them. */
  async lose(deal: Deal): Promise<void> {
    this.#payloads.delete(deal.terms.root)
    const operator = this.#network.chain.ledger(this.#operator.address)
    await operator.declareFault(deal.id, this.#tree.path(deal.slot))
    this.#tree.set(deal.slot, undefined)
  }

  /** Serves other bytes under a payload's name from now on. */
  spoil(root: string): void {
    const data = this.#payloads.get(root)
    if (data === undefined) throw new Error('nothing to spoil')
    this.#payloads.set(
      root,
      data.map((byte) => byte ^ 0xff),
    )
  }

  abortUpload: ProviderPeer['abortUpload'] = async () => undefined

  revokeGrant: ProviderPeer['revokeGrant'] = (request) =>
    this.#call('revokeGrant', () => {
      checkRevocation(request, signingDomain(this.#network.chain.network))
      this.revoked.add(request.revocation.nonce)
    })

  proposeDeal: ProviderPeer['proposeDeal'] = (request) =>
    this.#call('proposeDeal', () => this.#propose(request))

  async #propose({ terms, clientSignature }: ProposeDealRequest): Promise<ProposeDealResponse> {
    const { network } = this.#network.chain
    const deal = dealIdOf(terms, signingDomain(network))
    const known = this.#opened.get(deal)
    if (known !== undefined) return known
    if (!this.#payloads.has(terms.root)) {
      throw new HoldfastError({ code: 'PAYLOAD_NOT_FOUND', root: terms.root })
    }
    const providerSignature = await this.#operator.sign(hash32(deal))
    const slot = this.#tree.freeSlot()
    const path = this.#tree.path(slot)
    const { transaction } = await this.#ledger.openDeal({
      ...{ terms, clientSignature, providerSignature, path },
    })
    const { scheme, root, length } = terms
    this.#tree.set(slot, { deal, scheme, root, leaves: leavesFor(length) })
    const response = { deal, providerSignature, transaction }
    this.#opened.set(deal, response)
    return response
  }

  bundleEntries: ProviderPeer['bundleEntries'] = () => {
    throw new Error('nobody asks the fake provider for its bundles')
  }

  getDeal: ProviderPeer['getDeal'] = () => {
    throw new Error('not needed here')
  }

  readPayload: ProviderPeer['readPayload'] = (root, { start, end }) =>
    this.#call('readPayload', () => {
      const data = this.#payloads.get(root)
      if (data === undefined) throw new HoldfastError({ code: 'PAYLOAD_NOT_FOUND', root })
      return Uint8Array.from(data.subarray(Number(start), Number(end)))
    })

  close(): void {}
}
