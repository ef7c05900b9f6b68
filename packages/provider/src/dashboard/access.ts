/**
 * Who may see the dashboard: whoever has the local token, a one-time code that the command line minted,
 * or a signature of the operator's or the owner's key over a challenge of this node. Each is exchanged
 * for a session that lives in memory and ends with the node.
 *
 * Invariants: codes and challenges are good once and for minutes; secrets are compared in constant
 * time over their hashes; tries are bounded, whoever makes them; so is everything kept.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { type Address, type Clock, HoldfastError, type Random, signature } from '@holdfast/protocol'
import { challengeText, signerOfChallenge } from './challenge.ts'

export interface AccessOptions {
  readonly clock: Clock
  readonly random: Random
  /** The local token, from its file. */
  readonly token: string
  readonly provider: Address
  /** Accounts whose signature lets in. */
  readonly signers: readonly Address[]
}

/** What somebody shows to be let in. */
export type Credential =
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'code'; readonly code: string }
  | { readonly kind: 'signature'; readonly challenge: string; readonly signature: string }

const MINUTE_MS = 60_000
const CODE_MS: number = 5 * MINUTE_MS
const CHALLENGE_MS: number = 10 * MINUTE_MS
export const SESSION_MS: number = 12 * 60 * MINUTE_MS
const CODES_MAX = 16
const CHALLENGES_MAX = 64
const SESSIONS_MAX = 32
const TRIES_PER_MINUTE = 20

const hashOf = (text: string): Buffer => createHash('sha256').update(text).digest()

/** Things that are good until a moment, the oldest dropped when there are too many. */
class Perishable {
  readonly #until = new Map<string, number>()
  readonly #countMax: number

  constructor(countMax: number) {
    this.#countMax = countMax
  }

  add(key: string, until: number): void {
    this.#until.set(key, until)
    const [oldest] = this.#until.keys()
    if (this.#until.size > this.#countMax && oldest !== undefined) this.#until.delete(oldest)
  }

  good(key: string, now: number): boolean {
    return (this.#until.get(key) ?? 0) > now
  }

  /** True the first time, when it is still good. */
  take(key: string, now: number): boolean {
    const good = this.good(key, now)
    this.#until.delete(key)
    return good
  }

  drop(key: string): void {
    this.#until.delete(key)
  }
}

export class Access {
  readonly #options: AccessOptions
  readonly #codes = new Perishable(CODES_MAX)
  readonly #challenges = new Perishable(CHALLENGES_MAX)
  readonly #sessions = new Perishable(SESSIONS_MAX)
  #tries: number[] = []

  constructor(options: AccessOptions) {
    this.#options = options
  }

  /** A code that lets in once, within five minutes. */
  mintCode(): string {
    const code = this.#secret()
    this.#codes.add(this.#key(code), this.#now() + CODE_MS)
    return code
  }

  /** A text to sign within ten minutes. */
  newChallenge(): string {
    const expires = this.#now() + CHALLENGE_MS
    const text = challengeText(this.#options.provider, this.#secret(), Math.floor(expires / 1000))
    this.#challenges.add(text, expires)
    return text
  }

  /** @returns the session's secret. @throws HoldfastError `UNAUTHORIZED`, `RATE_LIMITED`. */
  login(credential: Credential): string {
    this.#countTry()
    const reason = this.#refusal(credential)
    if (reason !== undefined) throw new HoldfastError({ code: 'UNAUTHORIZED', reason })
    const session = this.#secret()
    this.#sessions.add(this.#key(session), this.#now() + SESSION_MS)
    return session
  }

  isOpen(session: string): boolean {
    return this.#sessions.good(this.#key(session), this.#now())
  }

  isToken(token: string): boolean {
    return timingSafeEqual(hashOf(token), hashOf(this.#options.token))
  }

  logout(session: string): void {
    this.#sessions.drop(this.#key(session))
  }

  #refusal(credential: Credential): string | undefined {
    switch (credential.kind) {
      case 'token':
        return this.isToken(credential.token) ? undefined : 'that is not the token of this node'
      case 'code':
        return this.#codes.take(this.#key(credential.code), this.#now())
          ? undefined
          : 'the link was used or is too old; ask for a new one'
      case 'signature':
        return this.#refusedSignature(credential)
    }
  }

  #refusedSignature(shown: Extract<Credential, { kind: 'signature' }>): string | undefined {
    if (!this.#challenges.take(shown.challenge, this.#now())) {
      return 'the challenge was used or is too old; load the page again'
    }
    let signer: Address
    try {
      signer = signerOfChallenge(shown.challenge, signature(shown.signature))
    } catch {
      return 'that is not a signature'
    }
    return this.#options.signers.includes(signer)
      ? undefined
      : `${signer} is neither the operator nor the owner`
  }

  #countTry(): void {
    const now = this.#now()
    this.#tries = this.#tries.filter((at) => at > now - MINUTE_MS)
    if (this.#tries.length >= TRIES_PER_MINUTE) {
      const reason = `more than ${TRIES_PER_MINUTE} tries to log in in a minute`
      throw new HoldfastError({ code: 'RATE_LIMITED', reason })
    }
    this.#tries.push(now)
  }

  #secret(): string {
    return Buffer.from(this.#options.random.bytes(32)).toString('base64url')
  }

  /** What is kept of a secret: its hash, so that a look-up says nothing by its time. */
  #key(secret: string): string {
    return hashOf(secret).toString('hex')
  }

  #now(): number {
    return this.#options.clock.now()
  }
}
