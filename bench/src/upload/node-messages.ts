/** What the provider of the upload suite tells its parent, and the accounts both derive. */
import type { Address, Hash32, ProviderId } from '@holdfast/protocol'

export interface UploadNode {
  readonly grpc: string
  readonly http: string
  readonly provider: ProviderId
  readonly tlsKeyHash: Hash32
  readonly market: Address
  readonly chainId: bigint
  readonly token: Address
}

/** The key of the owner (1), the operator (2) or the publisher (3); worth nothing anywhere. */
export const accountKey = (account: number): Uint8Array => new Uint8Array(32).fill(account)
