/**
 * Clock and dice of this machine for the command line. The chain package has the same; this copy
 * keeps the EVM library out of commands that never leave the machine, which start twice as fast.
 */
import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { type Clock, HoldfastError, milliseconds, type Random } from '@holdfast/protocol'

export const systemClock: Clock = {
  now: () => milliseconds(Date.now()),
  sleep: async (duration, { signal } = {}) => {
    try {
      await delay(duration, undefined, signal === undefined ? {} : { signal })
    } catch (cause) {
      throw new HoldfastError({ code: 'ABORTED' }, { cause })
    }
  },
}

export const systemRandom: Random = { bytes: (length) => new Uint8Array(randomBytes(length)) }
