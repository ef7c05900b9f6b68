/**
 * The ambient things every package takes as parameters: time, randomness, a log, a way to stop,
 * a key that signs. Types only, and the one logger that says nothing.
 */
import type { Address, Hash32, Signature } from './ids.ts'
import type { Milliseconds } from './units.ts'

declare global {
  /**
   * The platform's signal, as much of it as this package needs. Node's own declaration merges with
   * this one wherever Node's types are present.
   */
  interface AbortSignal {
    readonly aborted: boolean
  }
}

export interface CallOptions {
  /** Aborting rejects with HoldfastError `ABORTED` at the next safe point. */
  readonly signal?: AbortSignal
}

/** Wall time, for time-outs and logs. Protocol time always comes from a block. */
export interface Clock {
  now(): Milliseconds
  /** Resolves after `duration`; rejects with `ABORTED` when the signal fires. */
  sleep(duration: Milliseconds, options?: CallOptions): Promise<void>
}

export interface Random {
  bytes(length: number): Uint8Array
}

export type LogFields = Readonly<Record<string, unknown>>

/** The event is a constant phrase; data go in fields whose names carry units. */
export interface Logger {
  debug(event: string, fields?: LogFields): void
  info(event: string, fields?: LogFields): void
  warn(event: string, fields?: LogFields): void
  /** Somebody must act. */
  error(event: string, fields?: LogFields): void
  child(fields: LogFields): Logger
}

export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLogger,
}

/** A secp256k1 key that signs 32-byte digests as they are (no prefix). */
export interface Signer {
  readonly address: Address
  sign(digest: Hash32): Promise<Signature>
}
