/**
 * From a pair of conversions to a byte codec: protobuf bytes on one side, a checked domain value on
 * the other.
 *
 * Invariants: a message longer than its limit is refused before it is parsed; whatever `encode`
 * emits, `decode` accepts; both fail with HoldfastErrors only.
 */
import {
  create,
  type DescMessage,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf'
import { HoldfastError } from '../errors.ts'
import { messageInvalid } from './fields.ts'

/** Bytes and the domain value they stand for. */
export interface Codec<T> {
  /** @throws HoldfastError `MESSAGE_INVALID` for a value that the other side would refuse. */
  encode(value: T): Uint8Array
  /** Byte fields of the value may be views into `data`. @throws HoldfastError `MESSAGE_INVALID`. */
  decode(data: Uint8Array): T
}

/** Limit of messages that hold no lists. */
export const SMALL_MESSAGE_BYTES = 16_384

export interface MessageMapping<D extends DescMessage, T> {
  readonly schema: D
  readonly toWire: (value: T) => MessageInitShape<D>
  readonly fromWire: (message: MessageShape<D>) => T
  /** Default `SMALL_MESSAGE_BYTES`. */
  readonly bytesMax?: number
}

const guarded = <T>(name: string, work: () => T): T => {
  try {
    return work()
  } catch (cause) {
    if (HoldfastError.is(cause, 'MESSAGE_INVALID')) throw cause
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new HoldfastError({ code: 'MESSAGE_INVALID', field: name, reason }, { cause })
  }
}

export const codec = <D extends DescMessage, T>(mapping: MessageMapping<D, T>): Codec<T> => {
  const { schema, toWire, fromWire, bytesMax = SMALL_MESSAGE_BYTES } = mapping
  return {
    encode: (value) =>
      guarded(schema.name, () => {
        const message = create(schema, toWire(value))
        fromWire(message)
        return toBinary(schema, message)
      }),
    decode: (data) =>
      guarded(schema.name, () => {
        if (data.length > bytesMax) {
          throw messageInvalid(schema.name, `${data.length} bytes, at most ${bytesMax}`)
        }
        return fromWire(fromBinary(schema, data, { readUnknownFields: false }))
      }),
  }
}
