/** A session key with a grant of the publisher's, in hands that are not the publisher's. */
import { systemClock, systemRandom } from '@holdfast/chain'
import { makeSessionKey, networkConnector, type ProviderPeer, signVoucher } from '@holdfast/client'
import {
  bytes,
  type ProviderId,
  type Root,
  root,
  type SessionGrant,
  timestamp,
  toHex,
} from '@holdfast/protocol'
import type { Network } from './network.ts'

const LENGTH = bytes(100_000)

export interface StolenKey {
  readonly grant: SessionGrant
  /** Opens an upload of bytes that nobody has, with a voucher of its own. */
  open(): ReturnType<ProviderPeer['openUpload']>
  close(): void
}

const randomRoot = (): Root => root(toHex(systemRandom.bytes(32)))

export const stolenKey = async (network: Network, provider: ProviderId): Promise<StolenKey> => {
  const { ledger } = network
  const record = await ledger.provider(provider)
  if (record === undefined) throw new Error(`${provider} is not registered`)
  const now = timestamp(Math.floor(systemClock.now() / 1000))
  const signer = await network.signer('publisher')
  const context = { network: ledger.network, signer, random: systemRandom, now }
  const session = await makeSessionKey(context, LENGTH)
  const peer = await networkConnector(systemClock)(record)
  return {
    grant: session.grant.grant,
    open: async () => {
      const commitment = { scheme: 1, root: randomRoot(), length: LENGTH } as const
      return peer.openUpload(await signVoucher({ record }, commitment, { ...context, session }))
    },
    close: () => peer.close(),
  }
}
