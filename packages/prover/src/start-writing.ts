/**
 * Early writing: whoever writes much and syncs later asks the system to begin at once, so that the
 * disk works meanwhile and the sync has little left to wait for. A convenience: makes nothing durable.
 */
import { ENGINE_VARIABLE, openEngine } from '@holdfast/native'

/** Asks for bytes of an open file. Never throws for what the disk says: the sync does. */
export type StartWriting = (file: number, position: number, length: number) => void

/** Opens the engine of this thread; without native code nothing is asked for. */
export const openStartWriting = (): StartWriting => {
  const engine = openEngine(process.env[ENGINE_VARIABLE])
  return (file, position, length) => engine.startWriting(file, position, length)
}
