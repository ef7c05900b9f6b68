/**
 * CRC-32C of bytes in native code, for whoever guards files against rot. Synchronous: call it on a
 * thread that may be busy.
 */
import { ENGINE_VARIABLE, openEngine } from '@holdfast/native'

/** The checksum of `data`, continuing from `previous`, the checksum of what came before it. */
export type Checksum = (data: Uint8Array, previous?: number) => number

/** Opens the engine of this thread; `HOLDFAST_ENGINE` chooses it as for the prover. */
export const openChecksum = (): Checksum => {
  const engine = openEngine(process.env[ENGINE_VARIABLE])
  return (data, previous = 0) => engine.crc32c(previous, data)
}
