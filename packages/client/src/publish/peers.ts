/** Connections to providers, opened once each and closed together. */
import type { ProviderRecord } from '@holdfast/chain'
import type { CallOptions, ProviderId } from '@holdfast/protocol'
import type { ConnectPeer, ProviderPeer } from '../transfer/provider-peer.ts'

export class PeerPool {
  readonly #connect: ConnectPeer
  readonly #peers = new Map<ProviderId, Promise<ProviderPeer>>()

  constructor(connect: ConnectPeer) {
    this.#connect = connect
  }

  /** A failed connection is tried again by the next call. */
  peer(record: ProviderRecord, options: CallOptions = {}): Promise<ProviderPeer> {
    const known = this.#peers.get(record.provider)
    if (known !== undefined) return known
    const opening = this.#connect(record, options)
    this.#peers.set(record.provider, opening)
    opening.catch(() => this.#peers.delete(record.provider))
    return opening
  }

  async close(): Promise<void> {
    const peers = await Promise.allSettled(this.#peers.values())
    this.#peers.clear()
    for (const peer of peers) if (peer.status === 'fulfilled') peer.value.close()
  }
}
