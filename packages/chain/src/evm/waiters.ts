/** Who waits for which intent: each is answered once, and gives up by time or by signal. */
import { type CallOptions, HoldfastError } from '@holdfast/protocol'
import type { IntentId } from '../outbox/outbox.ts'
import { abortable, type ChainClient, signalsOf } from './client.ts'
import type { Mined } from './receipts.ts'

const WAIT_MS = 15 * 60_000
/** Without any endpoint for this long, whoever waits is told. */
const UNREACHABLE_MS = 60_000

interface Waiter {
  readonly intent: IntentId
  readonly since: number
  /** It has a deadline of its own. */
  readonly patient: boolean
  readonly resolve: (mined: Mined) => void
  readonly reject: (error: unknown) => void
}

export class Waiters {
  readonly #client: ChainClient
  readonly #waiting = new Set<Waiter>()

  constructor(client: ChainClient) {
    this.#client = client
  }

  /** Resolves with the mined call; rejects with `TIMED_OUT`, `ABORTED`, or what became of it. */
  add(
    intent: IntentId,
    { patient, ...options }: CallOptions & { readonly patient: boolean },
  ): Promise<Mined> {
    let waiter: Waiter | undefined
    const work = new Promise<Mined>((resolve, reject) => {
      waiter = { intent, patient, since: this.#client.clock.now(), resolve, reject }
      this.#waiting.add(waiter)
    })
    return abortable(work, signalsOf(this.#client, options)).finally(() => {
      if (waiter !== undefined) this.#waiting.delete(waiter)
    })
  }

  resolve(intent: IntentId, mined: Mined): void {
    for (const waiter of [...this.#waiting]) if (waiter.intent === intent) waiter.resolve(mined)
  }

  reject(intent: IntentId, error: unknown): void {
    for (const waiter of [...this.#waiting]) if (waiter.intent === intent) waiter.reject(error)
  }

  rejectAll(error: unknown): void {
    for (const waiter of [...this.#waiting]) waiter.reject(error)
  }

  /** @param forMs how long no endpoint has answered. */
  unreachable(forMs: number, error: unknown): void {
    if (forMs > UNREACHABLE_MS) this.rejectAll(error)
  }

  /** Its transaction may still be mined: it stays on the line. */
  expire(): void {
    const now = this.#client.clock.now()
    for (const { intent, patient, since, reject } of [...this.#waiting]) {
      if (patient || now - since <= WAIT_MS) continue
      const what = `transaction ${intent} to be mined`
      reject(new HoldfastError({ code: 'TIMED_OUT', what, afterMs: WAIT_MS }))
    }
  }
}
