/**
 * A provider as a client reaches it: the real service behind a line that is slow, breaks off in the
 * middle of a call or of a part, and ends when the machine does. Everything that is served is held
 * against what was published, and every receipt that the client sees is noted.
 */
import type { ByteSpan, ProviderPeer, UploadPart } from '@holdfast/client'
import {
  bytes,
  type CallOptions,
  type CommitUploadResponse,
  type GetBundleEntriesRequest,
  type GetBundleEntriesResponse,
  type GetDealRequest,
  type GetDealResponse,
  HoldfastError,
  type OpenUploadRequest,
  type OpenUploadResponse,
  type ProposeDealRequest,
  type ProposeDealResponse,
  type ProviderId,
  type QuoteRequest,
  type QuoteResponse,
  type RevokeGrantRequest,
  type Root,
  type SessionRequest,
  toNumber,
} from '@holdfast/protocol'
import type { ProviderCore } from '@holdfast/provider'
import type { Machine } from './machine.ts'
import type { World } from './world.ts'

export interface PeerEvents {
  /** The client has this receipt in its hands. */
  readonly onReceipt: (machine: Machine, receipt: CommitUploadResponse) => void
}

const CHUNK_BYTES = 5_000

/** The line broke while bytes were on their way. */
class BrokenLine extends Error {}

export class Peer implements ProviderPeer {
  readonly #world: World
  readonly #machine: Machine
  readonly #events: PeerEvents

  constructor(world: World, machine: Machine, events: PeerEvents) {
    this.#world = world
    this.#machine = machine
    this.#events = events
  }

  get provider(): ProviderId {
    return this.#machine.provider
  }

  describe(options?: CallOptions): ReturnType<ProviderPeer['describe']> {
    return this.#call(({ service }) => service.describe(), options)
  }

  quote(request: QuoteRequest, options?: CallOptions): Promise<QuoteResponse> {
    return this.#call(({ service }) => service.quote(request), options)
  }

  openUpload(request: OpenUploadRequest, options?: CallOptions): Promise<OpenUploadResponse> {
    return this.#call(({ service }) => service.openUpload(request), options)
  }

  putPart(
    session: SessionRequest,
    part: UploadPart,
    options?: CallOptions,
  ): Promise<readonly ByteSpan[]> {
    const { random } = this.#world
    const checkedAtEnd = random.chance(0.3)
    const breaks = this.#breaks(0.05) ? Math.floor(random.unit() * part.body.length) : undefined
    const body = {
      checkedAtEnd,
      bunches: (stop: AbortSignal) => this.#sent(part.body, breaks, stop),
    }
    return this.#call(({ intake }) => intake.putPart(session, part, body), options)
  }

  durable(session: SessionRequest, options?: CallOptions): Promise<readonly ByteSpan[]> {
    return this.#call(async ({ intake }) => intake.durable(session), options)
  }

  async commitUpload(
    session: SessionRequest,
    _length: unknown,
    options?: CallOptions,
  ): Promise<CommitUploadResponse> {
    const receipt = await this.#call(
      ({ service }) =>
        service.commitUpload(session).catch((error: unknown) => this.#refused(error)),
      options,
    )
    this.#events.onReceipt(this.#machine, receipt)
    return receipt
  }

  async abortUpload(session: SessionRequest, options?: CallOptions): Promise<void> {
    await this.#call(({ service }) => service.abortUpload(session), options)
  }

  async revokeGrant(request: RevokeGrantRequest, options?: CallOptions): Promise<void> {
    await this.#call(({ service }) => service.revokeGrant(request), options)
  }

  proposeDeal(request: ProposeDealRequest, options?: CallOptions): Promise<ProposeDealResponse> {
    // A program that dies meanwhile waits for ever.
    const signal = AbortSignal.any([this.#world.over, ...(options?.signal ? [options.signal] : [])])
    return this.#call(({ service }) => service.proposeDeal(request, { signal }), options)
  }

  bundleEntries(
    request: GetBundleEntriesRequest,
    options?: CallOptions,
  ): Promise<GetBundleEntriesResponse> {
    return this.#call(({ service }) => service.getBundleEntries(request, {}), options)
  }

  getDeal(request: GetDealRequest, options?: CallOptions): Promise<GetDealResponse> {
    return this.#call(async ({ service }) => service.getDeal(request), options)
  }

  readPayload(root: Root, span: ByteSpan, options?: CallOptions): Promise<Uint8Array> {
    return this.#call(async ({ holdings }) => {
      const whole = this.#world.payload(root).data
      const out = new Uint8Array(toNumber(bytes(span.end - span.start)))
      let at = 0
      for await (const piece of holdings.read(root, span)) {
        const from = toNumber(span.start) + at
        if (!same(piece, whole.subarray(from, from + piece.length))) {
          this.#world.violate(`${this.#machine.name} served wrong bytes of ${root} at ${from}`)
        }
        out.set(piece, at)
        at += piece.length
      }
      if (at !== out.length) this.#world.violate(`${this.#machine.name} served ${at} bytes`)
      return out
    }, options)
  }

  close(): void {
    // Nothing is kept open.
  }

  /** The bytes of a part as the network brings them; `breaks` says where it breaks off. */
  async *#sent(
    body: Uint8Array,
    breaks: number | undefined,
    stop: AbortSignal,
  ): AsyncGenerator<readonly Uint8Array[]> {
    // The sender's buffer is used again for the next part: what is on its way is a copy.
    const copy = body.slice()
    const { random } = this.#world
    for (let at = 0; at < copy.length; ) {
      await this.#world.sleep(0.001, 0.05)
      if (stop.aborted) throw new HoldfastError({ code: 'ABORTED' })
      const end = Math.min(copy.length, at + 1 + Math.floor(random.unit() * CHUNK_BYTES))
      if (breaks !== undefined && end > breaks) throw new BrokenLine('the connection broke off')
      yield [copy.subarray(at, end)]
      at = end
    }
  }

  #breaks(share: number): boolean {
    return !this.#world.calm && this.#world.random.chance(share)
  }

  async #call<T>(
    act: (core: ProviderCore) => Promise<T>,
    { signal }: CallOptions = {},
  ): Promise<T> {
    await this.#world.sleep(0.005, 0.1)
    if (signal?.aborted) throw new HoldfastError({ code: 'ABORTED' })
    const { core, gone } = this.#machine
    if (core === undefined || this.#breaks(0.01)) throw this.#unreachable('no connection')
    const isOver = (): boolean => this.#machine.core !== core
    const lost = gone.then(() => Promise.reject(this.#unreachable('the connection broke off')))
    let fail = (): void => undefined
    const aborted = new Promise<never>((_resolve, reject) => {
      fail = () => reject(new HoldfastError({ code: 'ABORTED' }))
    })
    // Taken off by hand: Node forgets all but one of the listeners that it shall take off by a signal.
    signal?.addEventListener('abort', fail, { once: true })
    const answer = await Promise.race([
      act(core).catch((error: unknown) => this.#seen(error)),
      lost,
      aborted,
    ]).finally(() => signal?.removeEventListener('abort', fail))
    if (isOver() || this.#breaks(0.01)) throw this.#unreachable('the answer was lost')
    await this.#world.sleep(0.005, 0.1)
    return answer
  }

  /** Only right bytes are ever sent: others are there when what was called durable was not. */
  #refused(error: unknown): never {
    if (HoldfastError.is(error, 'ROOT_MISMATCH')) {
      this.#world.violate(`${this.#machine.name} has lost durable bytes: ${error.message}`)
    }
    throw error
  }

  /** What goes wrong at the far end must be one of our errors, or the line. */
  #seen(error: unknown): never {
    if (HoldfastError.is(error) && error.code !== 'INVARIANT') throw error
    if (!(error instanceof BrokenLine)) {
      this.#world.violate(`${this.#machine.name} failed in a call: ${stackOf(error)}`)
    }
    throw this.#unreachable(String(error))
  }

  #unreachable(reason: string): HoldfastError {
    return new HoldfastError({ code: 'PEER_UNREACHABLE', peer: this.provider, reason })
  }
}

const stackOf = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message) : String(error)

const same = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && Buffer.compare(a, b) === 0
