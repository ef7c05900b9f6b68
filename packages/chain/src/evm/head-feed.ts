/**
 * One look at the chain's head for everybody in the process who waits for it: however many
 * followers there are, one request per interval is made, and none while nobody waits. The interval
 * adapts: short after a new block, longer while nothing happens.
 */
import { type CallOptions, type Hash32, milliseconds } from '@holdfast/protocol'
import { sharedHead } from './agreement.ts'
import type { Header } from './blocks.ts'
import { abortable, type ChainClient, pause, signalsOf } from './client.ts'

const FIRST_PAUSE_MS = 25
const GROWTH = 1.5

export class HeadFeed {
  readonly #client: ChainClient
  #next: Promise<Header> | undefined
  #last: Header | undefined
  #pauseMs = FIRST_PAUSE_MS

  constructor(client: ChainClient) {
    this.#client = client
  }

  /** The newest block, asked now. */
  now(options?: CallOptions): Promise<Header> {
    return sharedHead(this.#client, options)
  }

  /** Resolves with the newest block once that is another one than `known`. */
  async after(known: Hash32 | undefined, options?: CallOptions): Promise<Header> {
    if (this.#last !== undefined && this.#last.hash !== known) {
      const newest = await this.now(options)
      if (newest.hash !== known) return newest
    }
    for (;;) {
      const head = await abortable(this.#look(), signalsOf(this.#client, options))
      if (head.hash !== known) return head
    }
  }

  /** The look that is under way, or a new one. */
  #look(): Promise<Header> {
    this.#next ??= this.#poll().finally(() => {
      this.#next = undefined
    })
    return this.#next
  }

  async #poll(): Promise<Header> {
    await pause(this.#client, milliseconds(this.#pauseMs))
    const head = await sharedHead(this.#client)
    const moved = head.hash !== this.#last?.hash
    this.#pauseMs = moved ? FIRST_PAUSE_MS : Math.min(this.#pauseMs * GROWTH, this.#client.pollMs)
    this.#last = head
    return head
  }
}
