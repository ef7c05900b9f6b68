/** Taking a session key's grant back. Wire message to domain value and back, every field checked. */
import type { GrantRevocation } from '../deal/terms.ts'
import {
  RevokeGrantRequestSchema,
  RevokeGrantResponseSchema,
  type GrantRevocation as WireRevocation,
} from '../generated/holdfast/provider/v1/provider_pb.ts'
import { fromHex, type Signature } from '../ids.ts'
import { type Codec, codec } from './codec.ts'
import { readAddress, readHash, readPresent, readSignature, readTime } from './fields.ts'

/** A revocation and the payer's signature over `revocationDigest`. */
export interface RevokeGrantRequest {
  readonly revocation: GrantRevocation
  readonly signature: Signature
}

/** Nothing is said. */
export type RevokeGrantResponse = Readonly<Record<never, never>>

const revocationFromWire = (message: WireRevocation | undefined): GrantRevocation => {
  const wire = readPresent(message, 'revocation')
  return {
    payer: readAddress(wire.payer, 'revocation.payer'),
    nonce: readHash(wire.nonce, 'revocation.nonce'),
    expiry: readTime(wire.expiry, 'revocation.expiry'),
  }
}

export const revokeGrantRequest: Codec<RevokeGrantRequest> = codec({
  schema: RevokeGrantRequestSchema,
  toWire: ({ revocation, signature }: RevokeGrantRequest) => ({
    revocation: {
      payer: fromHex(revocation.payer),
      nonce: fromHex(revocation.nonce),
      expiry: revocation.expiry,
    },
    signature: fromHex(signature),
  }),
  fromWire: (wire) => ({
    revocation: revocationFromWire(wire.revocation),
    signature: readSignature(wire.signature, 'signature'),
  }),
})

export const revokeGrantResponse: Codec<RevokeGrantResponse> = codec({
  schema: RevokeGrantResponseSchema,
  toWire: () => ({}),
  fromWire: () => ({}),
})
