/** What an operator hears about a line of nonces: raised when seen, cleared when it is over. */
import { type Address, HoldfastError } from '@holdfast/protocol'
import type { ChainAlarmKind } from '../alarms.ts'
import type { Intent } from '../outbox/nonce-line.ts'
import type { ChainClient } from './client.ts'

export class LineAlarms {
  readonly #client: ChainClient
  readonly #account: Address
  #raised = new Set<string>()
  #seen = new Set<string>()
  #unreachableSince: number | undefined

  constructor(client: ChainClient, account: Address) {
    this.#client = client
    this.#account = account
  }

  /** A plan is made: alarms it does not raise again are cleared by `end`. */
  begin(): void {
    this.#seen = new Set()
  }

  end(): void {
    for (const key of this.#raised) if (!this.#seen.has(key)) this.#clear(key)
    this.#raised = this.#seen
  }

  short({ name, gasBudget }: Intent, needed: bigint): void {
    const words = `${name} would cost ${needed} wei now, its budget is ${gasBudget ?? 0n}`
    this.#raise('gas-budget', name, words)
  }

  stuck({ name }: Intent, blocks: bigint): void {
    const words = `${name} offers enough and is not mined for ${blocks} blocks`
    this.#raise('transaction-stuck', name, words)
  }

  settled(name: string): void {
    for (const kind of ['gas-budget', 'transaction-stuck'] as const) {
      if (this.#raised.delete(`${kind} ${name}`)) this.#client.alarms.clear(kind, name)
    }
  }

  foreign(nonce: number, block: bigint): void {
    this.#elsewhere(`nonce ${nonce} was spent by somebody else, seen at block ${block}`)
  }

  /** Nonces that were never signed here were spent since the last look. */
  jumped(count: number): void {
    this.#elsewhere(`${count} nonces were spent that were never signed here`)
  }

  #elsewhere(what: string): void {
    const account = this.#account
    this.#client.logger.warn('the key is used by somebody else', { account, what })
    const words = `${what}: ${account} must be used by this node alone`
    this.#client.alarms.raise('key-used-elsewhere', account, words)
  }

  /** @returns how long no endpoint has answered, in milliseconds. */
  unreachable(error: unknown): number {
    const { clock, alarms, endpoint } = this.#client
    const now = clock.now()
    this.#unreachableSince ??= now
    const reason = HoldfastError.is(error) ? error.message : String(error)
    alarms.raise('ledger-unreachable', endpoint, `transactions wait: ${reason}`)
    return now - this.#unreachableSince
  }

  reached(): void {
    if (this.#unreachableSince === undefined) return
    this.#unreachableSince = undefined
    this.#client.alarms.clear('ledger-unreachable', this.#client.endpoint)
  }

  #raise(kind: ChainAlarmKind, subject: string, words: string): void {
    const key = `${kind} ${subject}`
    this.#seen.add(key)
    if (!this.#raised.has(key)) this.#client.logger.warn(words, { alarm: kind })
    this.#raised.add(key)
    this.#client.alarms.raise(kind, subject, words)
  }

  #clear(key: string): void {
    const [kind, ...subject] = key.split(' ')
    this.#client.alarms.clear(kind as ChainAlarmKind, subject.join(' '))
  }
}
