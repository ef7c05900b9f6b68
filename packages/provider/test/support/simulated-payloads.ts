/** Payloads for simulated volumes, made once: hashing them takes longer than everything else there. */
import type { Commitment } from '@holdfast/protocol'
import { commitmentOf, payloadOf } from './payloads.ts'

const SIZES = [1, 700, 5_000, 9_000, 70_000] as const

export interface Payload {
  readonly data: Uint8Array
  readonly commitment: Commitment
}

export const MADE: readonly Payload[] = Array.from({ length: 40 }, (_, i) => {
  const data = payloadOf(SIZES[i % SIZES.length] ?? 1, i + 1)
  return { data, commitment: commitmentOf(data) }
})
