/**
 * Bearer tokens of upload sessions: an HMAC of the session id under a key that never leaves this
 * home, so a token can be given again after a restart without being written down.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'

export class SessionTokens {
  readonly #key: Uint8Array

  constructor(key: Uint8Array) {
    this.#key = key
  }

  tokenOf(session: string): string {
    return createHmac('sha256', this.#key).update(session).digest('base64url')
  }

  /** Compares in constant time. */
  accepts(session: string, token: string): boolean {
    const expected = Buffer.from(this.tokenOf(session))
    const actual = Buffer.from(token)
    return actual.length === expected.length && timingSafeEqual(actual, expected)
  }
}
