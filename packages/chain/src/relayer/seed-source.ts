/**
 * Where signatures of drand rounds come from: a local key, or drand's HTTP interface at several
 * addresses. Nothing an address says is believed: every signature is verified before it is used.
 */
import {
  type CallOptions,
  type Clock,
  type Hex,
  HoldfastError,
  type Logger,
  milliseconds,
} from '@holdfast/protocol'
import { fieldsOf } from '../json.ts'
import { type LocalDrand, type SignedRound, verifyRound } from './drand.ts'

/** Gives the signature of a round that is due. */
export interface SeedSource {
  /** @throws HoldfastError `PEER_UNREACHABLE` when no address has it (yet), `ABORTED`. */
  fetch(round: bigint, options?: CallOptions): Promise<SignedRound>
}

/** Signs itself. */
export const localSource = (key: LocalDrand): SeedSource => ({
  fetch: async (round) => ({ round, signature: key.sign(round) }),
})

/** `fetch` as far as it is needed here, so that tests bring their own. */
export type FetchText = (
  url: string,
  options: { readonly signal: AbortSignal },
) => Promise<{
  readonly ok: boolean
  readonly status: number
  text(): Promise<string>
}>

export interface HttpSourceParameters {
  /** Up to and including the chain's hash; `/public/<round>` is added. */
  readonly urls: readonly string[]
  /** 96 bytes, compressed. */
  readonly publicKey: Hex
  readonly clock: Clock
  readonly logger: Logger
  readonly fetch: FetchText
}

const ANSWER_CHARACTERS_MAX = 64 * 1024
const TIMEOUT_MS = 5000

const misbehaved = (peer: string, reason: string): HoldfastError =>
  new HoldfastError({ code: 'PEER_MISBEHAVED', peer, reason })

const parse = (text: string, round: bigint, url: string): SignedRound => {
  if (text.length > ANSWER_CHARACTERS_MAX) throw misbehaved(url, 'the answer is too long')
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw misbehaved(url, 'the answer is not JSON')
  }
  const fields = fieldsOf(value, (reason) => misbehaved(url, reason))
  if (fields.bigint('round') !== round) throw misbehaved(url, `it is not round ${round}`)
  return { round, signature: fields.hex('signature', { min: 48, max: 48 }) }
}

const ask = async (
  parameters: HttpSourceParameters,
  base: string,
  round: bigint,
  options: CallOptions,
): Promise<SignedRound> => {
  const url = `${base.replace(/\/$/, '')}/public/${round}`
  const limit = new AbortController()
  const signals = options.signal === undefined ? [] : [options.signal]
  const timer = new AbortController()
  const expired = parameters.clock.sleep(milliseconds(TIMEOUT_MS), { signal: timer.signal }).then(
    () => limit.abort(),
    () => undefined,
  )
  try {
    const answer = await parameters.fetch(url, {
      signal: AbortSignal.any([limit.signal, ...signals]),
    })
    if (!answer.ok) throw misbehaved(url, `status ${answer.status}`)
    const signed = parse(await answer.text(), round, url)
    if (!verifyRound(parameters.publicKey, signed)) {
      throw misbehaved(url, `the signature of round ${round} is not the network's`)
    }
    return signed
  } finally {
    timer.abort()
    await expired
  }
}

/** Asks the addresses one after the other until one gives a signature that verifies. */
export const httpSource = (parameters: HttpSourceParameters): SeedSource => ({
  fetch: async (round, options = {}) => {
    const reasons: string[] = []
    for (const base of parameters.urls) {
      if (options.signal?.aborted) throw new HoldfastError({ code: 'ABORTED' })
      try {
        return await ask(parameters, base, round, options)
      } catch (cause) {
        const reason = cause instanceof Error ? cause.message : String(cause)
        parameters.logger.warn('drand address failed', { url: base, round, reason })
        reasons.push(reason)
      }
    }
    if (options.signal?.aborted) throw new HoldfastError({ code: 'ABORTED' })
    const peer = parameters.urls.join(', ')
    throw new HoldfastError({ code: 'PEER_UNREACHABLE', peer, reason: reasons.join('; ') })
  },
})
