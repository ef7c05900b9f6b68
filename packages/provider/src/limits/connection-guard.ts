/**
 * Watches the connections of one listener, below TLS: how many there are, how many from one address,
 * and, where asked, how many bytes each sends. What is too much is cut at once, before it costs a
 * handshake, and counted.
 */
import type { Socket } from 'node:net'
import { type Clock, milliseconds } from '@holdfast/protocol'
import type { Limits } from './limits.ts'
import { remoteKey } from './remote.ts'
import { TokenBuckets } from './token-buckets.ts'

const LOOK_EVERY_MS = 500
/** A connection may be this many seconds ahead of its rate. */
const BURST_SECONDS = 8

export interface ConnectionGuardOptions {
  readonly limits: () => Limits
  readonly clock: Clock
  /** The rate at which one connection may send, in bytes per second; undefined: as it likes. */
  readonly bytesPerSecond?: (limits: Limits) => number
}

interface Watched {
  readonly remote: string
  readonly id: string
  seen: number
}

export type ConnectionRefusal = 'total' | 'address' | 'bytes'

export class ConnectionGuard {
  readonly #options: ConnectionGuardOptions
  readonly #open = new Map<Socket, Watched>()
  readonly #perRemote = new Map<string, number>()
  readonly #bytes: TokenBuckets | undefined
  readonly refused: Record<ConnectionRefusal, number> = { total: 0, address: 0, bytes: 0 }
  #count = 0

  constructor(options: ConnectionGuardOptions) {
    this.#options = options
    const { bytesPerSecond, limits, clock } = options
    if (bytesPerSecond === undefined) return
    const rule = (): { perSecond: number; burst: number } => {
      const perSecond = bytesPerSecond(limits())
      return { perSecond, burst: perSecond * BURST_SECONDS }
    }
    this.#bytes = new TokenBuckets(rule, clock)
  }

  get open(): number {
    return this.#open.size
  }

  /** Takes a new connection under watch; false when it was cut. */
  admit(socket: Socket): boolean {
    const { connectionsMax, connectionsPerAddress } = this.#options.limits()
    const remote = remoteKey(socket.remoteAddress)
    const fromThere = this.#perRemote.get(remote) ?? 0
    if (this.#open.size >= connectionsMax) return this.#cut(socket, 'total')
    if (fromThere >= connectionsPerAddress) return this.#cut(socket, 'address')
    this.#perRemote.set(remote, fromThere + 1)
    this.#open.set(socket, { remote, id: String(this.#count++), seen: 0 })
    socket.once('close', () => this.#release(socket))
    socket.on('error', () => socket.destroy())
    return true
  }

  /** Looks at what connections send, until the signal fires. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options
    while (!signal.aborted) {
      await clock.sleep(milliseconds(LOOK_EVERY_MS), { signal }).catch(() => undefined)
      this.look()
    }
  }

  /** Cuts connections that have sent more than they may. */
  look(): void {
    for (const [socket, watched] of this.#open) {
      const sent = socket.bytesRead - watched.seen
      watched.seen = socket.bytesRead
      if (this.#bytes !== undefined && this.#bytes.take(watched.id, sent) > 0) {
        this.#cut(socket, 'bytes')
      }
    }
  }

  /** Cuts everything. */
  cutAll(): void {
    for (const socket of [...this.#open.keys()]) socket.destroy()
  }

  #cut(socket: Socket, why: ConnectionRefusal): false {
    this.refused[why]++
    socket.on('error', () => undefined)
    // Not at once: whoever else hears of this connection expects it whole.
    queueMicrotask(() => socket.destroy())
    return false
  }

  #release(socket: Socket): void {
    const watched = this.#open.get(socket)
    if (watched === undefined) return
    this.#open.delete(socket)
    const left = (this.#perRemote.get(watched.remote) ?? 1) - 1
    if (left > 0) this.#perRemote.set(watched.remote, left)
    else this.#perRemote.delete(watched.remote)
  }
}
