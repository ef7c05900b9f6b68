/** Bytes of one stored payload by position: the port under all reading. Nothing read here is trusted. */
import type { CallOptions } from '@holdfast/protocol'

export interface RangeSource {
  /** Payload bytes. */
  readonly length: number
  /** Exactly the bytes start <= i < end; the span is not empty and inside the payload. */
  read(start: number, end: number, options?: CallOptions): Promise<Uint8Array>
}
