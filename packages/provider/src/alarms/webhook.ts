/**
 * Tells one address of every alarm that is raised or cleared: a JSON body by POST, signed when there
 * is a secret. Which address is the operator's own choice; redirects are not followed, so it stays
 * that one.
 *
 * Invariants: deliveries go out one at a time and in order; a refused one is tried again a bounded
 * number of times with growing pauses, then given up and logged; the queue is bounded and drops its
 * oldest; nothing here ever holds up the node.
 */
import { createHmac } from 'node:crypto'
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { type Clock, type Logger, milliseconds } from '@holdfast/protocol'
import { toJson } from '../cli/output.ts'
import { Wake } from '../wake.ts'
import type { AlarmChange } from './alarm-board.ts'

export interface WebhookOptions {
  readonly url: string
  /** Signs bodies: `holdfast-signature: t=<seconds>,v1=<HMAC-SHA256 of "t.body", hex>`. */
  readonly secret: Uint8Array | undefined
  readonly provider: string
  readonly timeoutMs?: number
  /** First pause between tries; each next one is four times as long. */
  readonly pauseMs?: number
}

export interface WebhookDependencies {
  readonly clock: Clock
  readonly logger: Logger
}

const QUEUE_MAX = 100
const TRIES = 5
const TIMEOUT_MS = 10_000
const PAUSE_MS = 2000
const ANSWER_BYTES_MAX = 65_536

export class Webhook {
  readonly #dependencies: WebhookDependencies
  readonly #options: () => WebhookOptions | undefined
  readonly #queue: string[] = []
  readonly #wake = new Wake()

  /** @param options asked anew for every message; undefined while there is no address. */
  constructor(dependencies: WebhookDependencies, options: () => WebhookOptions | undefined) {
    this.#dependencies = dependencies
    this.#options = options
  }

  /** Puts a change into the queue; returns at once. */
  tell({ event, alarm }: AlarmChange): void {
    const options = this.#options()
    if (options === undefined) return
    const at = Math.floor(this.#dependencies.clock.now() / 1000)
    const body = toJson({ event, provider: options.provider, at, alarm })
    this.#queue.push(body)
    if (this.#queue.length > QUEUE_MAX) {
      this.#queue.shift()
      this.#dependencies.logger.warn('webhook too slow: its oldest message is dropped')
    }
    this.#wake.ring()
  }

  /** Delivers until the signal fires. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const body = this.#queue.shift()
      if (body === undefined) await this.#wake.wait(signal)
      else await this.#deliver(body, signal)
    }
  }

  async #deliver(body: string, signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#dependencies
    let pauseMs = this.#options()?.pauseMs ?? PAUSE_MS
    for (let round = 1; ; round++) {
      const options = this.#options()
      if (options === undefined) return
      const reason = await this.#post(options, body, signal)
      if (reason === undefined || signal.aborted) return
      if (round === TRIES) {
        logger.error('webhook not delivered: given up', { tries: TRIES, reason })
        return
      }
      logger.debug('webhook not delivered: trying again', { tries: round, reason })
      await clock.sleep(milliseconds(pauseMs), { signal }).catch(() => undefined)
      pauseMs *= 4
    }
  }

  /** Why it was not taken; undefined when it was. */
  #post(options: WebhookOptions, body: string, signal: AbortSignal): Promise<string | undefined> {
    const { url, timeoutMs = TIMEOUT_MS } = options
    const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
    const request = url.startsWith('https:') ? httpsRequest : httpRequest
    return new Promise((resolve) => {
      const post = request(url, {
        method: 'POST',
        headers: this.#headers(options, body),
        signal: limit,
      })
      post.once('error', (error) =>
        resolve(limit.aborted && !signal.aborted ? `no answer in ${timeoutMs} ms` : error.message),
      )
      post.once('response', (response) => {
        const { statusCode = 0 } = response
        let left = ANSWER_BYTES_MAX
        response.on('data', (part: Buffer) => {
          left -= part.length
          if (left < 0) response.destroy()
        })
        response.on('error', () => undefined)
        response.once('close', () =>
          resolve(statusCode >= 200 && statusCode < 300 ? undefined : `status ${statusCode}`),
        )
      })
      post.end(body)
    })
  }

  #headers({ secret }: WebhookOptions, body: string): Readonly<Record<string, string>> {
    const headers = {
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(body)),
      'user-agent': 'holdfast-provider',
    }
    if (secret === undefined) return headers
    const at = Math.floor(this.#dependencies.clock.now() / 1000)
    const sum = createHmac('sha256', secret).update(`${at}.${body}`).digest('hex')
    return { ...headers, 'holdfast-signature': `t=${at},v1=${sum}` }
  }
}
