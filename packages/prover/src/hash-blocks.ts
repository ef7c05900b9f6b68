/**
 * SHA-256 of many equal blocks on the threads: the input is shared, not cloned, and cut so that
 * every thread gets some.
 */
import { type Bytes, HoldfastError, invariant, NODE_BYTES, toNumber } from '@holdfast/protocol'
import { runBounded } from './run-bounded.ts'
import type { Operation } from './worker-pool.ts'

/** A task carries about this many bytes. */
const TASK_BYTES = 4 << 20
/** More tasks of one call than this never run at a time; the pool bounds them further. */
const TASKS_AT_ONCE = 16

/** The input itself where it is shared, else a copy that is. */
export const inSharedMemory = (input: Uint8Array): Uint8Array => {
  if (input.buffer instanceof SharedArrayBuffer) return input
  const copy = new Uint8Array(new SharedArrayBuffer(input.length))
  copy.set(input)
  return copy
}

/** @throws HoldfastError `RANGE_INVALID` unless `input` is whole blocks of at least one byte. */
export const hashBlocks = async (
  operation: Operation,
  input: Uint8Array,
  size: Bytes,
): Promise<Uint8Array> => {
  const width = toNumber(size)
  if (width < 1 || input.length % width !== 0) {
    const reason = `${input.length} bytes are not whole blocks of ${width}`
    throw new HoldfastError({ code: 'RANGE_INVALID', reason })
  }
  const count = input.length / width
  const out = new Uint8Array(new SharedArrayBuffer(count * NODE_BYTES))
  const from = inSharedMemory(input)
  const step = Math.max(4, Math.floor(TASK_BYTES / width))
  const starts = Array.from({ length: Math.ceil(count / step) }, (_, i) => i * step)
  await runBounded(TASKS_AT_ONCE, starts, async (first) => {
    const last = Math.min(count, first + step)
    const { cancel } = operation
    const value = await operation.run({
      kind: 'messages',
      cancel,
      input: from.subarray(first * width, last * width),
      size: width,
      out: out.subarray(first * NODE_BYTES, last * NODE_BYTES),
    })
    invariant(value.kind === 'done', 'hashing messages gives nothing else')
  })
  return out
}
