/**
 * Keys that live as long as one run of publish: the wallet signs one grant, and the vouchers of all
 * replicas are signed by the key it names. What is lost with the key is nothing: vouchers are kept in
 * the record, and another run makes another key.
 */
import {
  type NetworkParams,
  randomPrivateKey,
  signerFromPrivateKey,
  signingDomain,
} from '@holdfast/chain'
import {
  type Bytes,
  bytes,
  GRANT_UPLOAD,
  grantDigest,
  hash32,
  PAYLOAD_BYTES_MAX,
  type Random,
  type SessionGrant,
  type SignedGrant,
  type Signer,
  smaller,
  type Timestamp,
  timestamp,
  toHex,
  ZERO_ADDRESS,
} from '@holdfast/protocol'

export interface SessionKey {
  readonly signer: Signer
  readonly grant: SignedGrant
}

export interface GrantContext {
  readonly network: NetworkParams
  /** The payer. */
  readonly signer: Signer
  readonly random: Random
  readonly now: Timestamp
}

/** Clocks of chain and machine may differ by this much. */
const CLOCK_SLACK = 300n
/** Longer than any voucher made in the first day of a run. */
const GRANT_SECONDS = 172_800n
/** A provider counts lost sessions until they expire: room for some of them. */
const TRIES = 4n

/** Makes the key when it is first asked for; everybody after that gets the same one, unless it failed. */
export const sessionKeyOnce = (make: () => Promise<SessionKey>): (() => Promise<SessionKey>) => {
  let made: Promise<SessionKey> | undefined
  return () => {
    made ??= make().catch((error: unknown) => {
      made = undefined
      throw error
    })
    return made
  }
}

/** A new key and the grant for uploads of a payload of `length` bytes, to any provider. */
export const makeSessionKey = async (
  { network, signer, random, now }: GrantContext,
  length: Bytes,
): Promise<SessionKey> => {
  const session = signerFromPrivateKey(randomPrivateKey(random))
  const grant: SessionGrant = {
    payer: signer.address,
    key: session.address,
    provider: ZERO_ADDRESS,
    actions: GRANT_UPLOAD,
    bytesMax: smaller(bytes(length * TRIES), PAYLOAD_BYTES_MAX),
    notBefore: timestamp(now > CLOCK_SLACK ? now - CLOCK_SLACK : 0n),
    expiry: timestamp(now + GRANT_SECONDS),
    nonce: hash32(toHex(random.bytes(32))),
  }
  const signature = await signer.sign(grantDigest(grant, signingDomain(network)))
  return { signer: session, grant: { grant, signature } }
}
