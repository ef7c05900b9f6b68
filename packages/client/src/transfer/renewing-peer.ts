/**
 * A provider may exchange its certificate while its key stays what the registry says. Connections made
 * before go on; a new one is refused, because it shows another certificate than the one that was pinned.
 * This peer then pins anew, against the registered key as the first time, and repeats the call once.
 */
import type { ProviderRecord } from '@holdfast/chain'
import { type CallOptions, HoldfastError } from '@holdfast/protocol'
import type { ConnectPeer, ProviderPeer } from './provider-peer.ts'

/** The call did not start: whoever answered showed a certificate that is not the pinned one. */
const isOtherCertificate = (error: unknown): boolean =>
  HoldfastError.is(error, 'TLS_KEY_MISMATCH') ||
  (HoldfastError.is(error, 'PEER_UNREACHABLE') && /certificate/i.test(error.message))

export class RenewingPeer implements ProviderPeer {
  readonly provider: ProviderPeer['provider']
  readonly #record: ProviderRecord
  readonly #connect: ConnectPeer
  #peer: ProviderPeer
  #renewing: Promise<void> | undefined

  private constructor(record: ProviderRecord, connect: ConnectPeer, peer: ProviderPeer) {
    this.provider = record.provider
    this.#record = record
    this.#connect = connect
    this.#peer = peer
  }

  static async open(
    record: ProviderRecord,
    connect: ConnectPeer,
    options: CallOptions = {},
  ): Promise<RenewingPeer> {
    return new RenewingPeer(record, connect, await connect(record, options))
  }

  describe: ProviderPeer['describe'] = (...args) => this.#call((peer) => peer.describe(...args))
  quote: ProviderPeer['quote'] = (...args) => this.#call((peer) => peer.quote(...args))
  openUpload: ProviderPeer['openUpload'] = (...args) =>
    this.#call((peer) => peer.openUpload(...args))
  putPart: ProviderPeer['putPart'] = (...args) => this.#call((peer) => peer.putPart(...args))
  durable: ProviderPeer['durable'] = (...args) => this.#call((peer) => peer.durable(...args))
  commitUpload: ProviderPeer['commitUpload'] = (...args) =>
    this.#call((peer) => peer.commitUpload(...args))
  abortUpload: ProviderPeer['abortUpload'] = (...args) =>
    this.#call((peer) => peer.abortUpload(...args))
  revokeGrant: ProviderPeer['revokeGrant'] = (...args) =>
    this.#call((peer) => peer.revokeGrant(...args))
  proposeDeal: ProviderPeer['proposeDeal'] = (...args) =>
    this.#call((peer) => peer.proposeDeal(...args))
  bundleEntries: ProviderPeer['bundleEntries'] = (...args) =>
    this.#call((peer) => peer.bundleEntries(...args))
  getDeal: ProviderPeer['getDeal'] = (...args) => this.#call((peer) => peer.getDeal(...args))
  readPayload: ProviderPeer['readPayload'] = (...args) =>
    this.#call((peer) => peer.readPayload(...args))

  close(): void {
    this.#peer.close()
  }

  async #call<T>(call: (peer: ProviderPeer) => Promise<T>): Promise<T> {
    const peer = this.#peer
    try {
      return await call(peer)
    } catch (error) {
      if (!isOtherCertificate(error)) throw error
      await this.#renew(peer)
      return call(this.#peer)
    }
  }

  /** Whoever failed with the same peer waits for the same renewal. */
  async #renew(failed: ProviderPeer): Promise<void> {
    if (this.#peer !== failed) return
    this.#renewing ??= this.#connect(this.#record)
      .then((peer) => {
        this.#peer = peer
        failed.close()
      })
      .finally(() => {
        this.#renewing = undefined
      })
    await this.#renewing
  }
}
