/** Durable ranges of a fake upload. */
import { larger } from '@holdfast/protocol'
import type { ByteSpan } from '../../src/transfer/provider-peer.ts'

/** In order, and joined where they touch. */
export const merged = (spans: readonly ByteSpan[]): ByteSpan[] => {
  const sorted = [...spans].sort((a, b) => (a.start < b.start ? -1 : 1))
  const out: ByteSpan[] = []
  for (const span of sorted) {
    const last = out.at(-1)
    if (last !== undefined && span.start <= last.end) {
      out[out.length - 1] = { start: last.start, end: larger(last.end, span.end) }
    } else {
      out.push(span)
    }
  }
  return out
}
