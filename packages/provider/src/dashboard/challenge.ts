/**
 * The text that a key signs to open the dashboard, and its digest: EIP-191 "personal message", so that
 * any wallet can sign it and nothing signed here is ever a transaction or a deal.
 */
import {
  type Address,
  type Hash32,
  HoldfastError,
  hash32,
  keccak,
  recoverSigner,
  type Signature,
  type Signer,
  toHex,
} from '@holdfast/protocol'

const FORM = /^holdfast dashboard login: provider=0x[0-9a-f]{40} nonce=[\w-]{43} expires=\d{1,12}$/i

export const challengeText = (provider: Address, nonce: string, expires: number): string =>
  `holdfast dashboard login: provider=${provider} nonce=${nonce} expires=${expires}`

/** keccak-256 of "\x19Ethereum Signed Message:\n", the length, the text. */
const digestOf = (text: string): Hash32 => {
  const body = Buffer.from(text, 'utf8')
  const head = Buffer.from(`\x19Ethereum Signed Message:\n${body.length}`, 'utf8')
  return hash32(toHex(keccak(new Uint8Array(head), new Uint8Array(body))))
}

/** Who signed a challenge. @throws HoldfastError `SIGNATURE_INVALID`. */
export const signerOfChallenge = (text: string, signature: Signature): Address =>
  recoverSigner(digestOf(text), signature)

/** @throws HoldfastError `USAGE` for a text that is no challenge: other things are not signed here. */
export const signChallenge = (signer: Signer, text: string): Promise<Signature> => {
  if (!FORM.test(text)) {
    const reason = 'that is not a challenge of a dashboard; copy the whole line from its login page'
    throw new HoldfastError({ code: 'USAGE', reason })
  }
  return signer.sign(digestOf(text))
}
