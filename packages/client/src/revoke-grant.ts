/**
 * Taking the grant of a session key back: the payer signs one word, and every provider that the grant
 * counts at is told. A provider that was told takes no voucher under it any more and ends the uploads
 * that go on; one that was away has to be told again. Source: docs/spec/vouchers.md, section 3.
 */
import { type LedgerReader, type ProviderRecord, signingDomain } from '@holdfast/chain'
import {
  type CallOptions,
  type GrantRevocation,
  HoldfastError,
  type ProviderId,
  type RevokeGrantRequest,
  revocationDigest,
  type SessionGrant,
  type Signer,
  ZERO_ADDRESS,
} from '@holdfast/protocol'
import type { ConnectPeer } from './transfer/provider-peer.ts'
import { toHoldfastError } from './ui/json.ts'

export interface RevokeDependencies {
  readonly ledger: Pick<LedgerReader, 'network' | 'providers'>
  /** The payer of the grant. */
  readonly signer: Signer
  readonly connect: ConnectPeer
}

/** What a revocation says of its grant, and where that counts: zero for everywhere. */
export type RevocableGrant = Pick<SessionGrant, 'nonce' | 'expiry' | 'provider'>

/** What came of telling one provider. */
export interface Told {
  readonly provider: ProviderId
  /** Why it does not know yet; undefined when it has it on disk. */
  readonly error: HoldfastError | undefined
}

/** Providers that are told at a time. */
const SIDE_BY_SIDE = 16

/**
 * Tells every provider at which the grant counts; one that cannot be told does not stop the others.
 * @throws HoldfastError `PROVIDER_NOT_FOUND` when its one provider is not registered, and what the
 *   ledger throws.
 */
export const revokeGrant = async (
  { ledger, signer, connect }: RevokeDependencies,
  grant: RevocableGrant,
  options: CallOptions = {},
): Promise<readonly Told[]> => {
  const { nonce, expiry } = grant
  const revocation: GrantRevocation = { payer: signer.address, nonce, expiry }
  const signature = await signer.sign(revocationDigest(revocation, signingDomain(ledger.network)))
  const request = { revocation, signature }
  const providers = await placesOf(ledger, grant, options)
  const told: Told[] = []
  for (let at = 0; at < providers.length; at += SIDE_BY_SIDE) {
    const some = providers.slice(at, at + SIDE_BY_SIDE)
    told.push(...(await Promise.all(some.map((record) => tell(connect, record, request, options)))))
  }
  return told
}

const placesOf = async (
  ledger: RevokeDependencies['ledger'],
  { provider }: RevocableGrant,
  options: CallOptions,
): Promise<readonly ProviderRecord[]> => {
  const all = await ledger.providers(options)
  if (provider === ZERO_ADDRESS) return all
  const only = all.filter((record) => record.provider === provider)
  if (only.length > 0) return only
  throw new HoldfastError({ code: 'PROVIDER_NOT_FOUND', provider })
}

const tell = async (
  connect: ConnectPeer,
  record: ProviderRecord,
  request: RevokeGrantRequest,
  options: CallOptions,
): Promise<Told> => {
  const { provider } = record
  try {
    const peer = await connect(record, options)
    try {
      await peer.revokeGrant(request, options)
    } finally {
      peer.close()
    }
    return { provider, error: undefined }
  } catch (cause) {
    if (options.signal?.aborted === true) throw cause
    return { provider, error: toHoldfastError(cause) }
  }
}
