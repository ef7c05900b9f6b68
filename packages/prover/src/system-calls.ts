/**
 * What a provider asks of the system and Node has no call for, through the engine of this thread; where
 * that is not native, nothing is asked for. None of it makes anything durable.
 */
import { ENGINE_VARIABLE, openEngine } from '@holdfast/native'

/** Asks for bytes of an open file. Never throws for what the disk says: the sync does. */
export type StartWriting = (file: number, position: number, length: number) => void

/**
 * Early writing: whoever writes much and syncs later asks the system to begin at once, so that the
 * disk works meanwhile and the sync has little left to wait for.
 */
export const openStartWriting = (): StartWriting => {
  const engine = openEngine(process.env[ENGINE_VARIABLE])
  return (file, position, length) => engine.startWriting(file, position, length)
}

/**
 * Asks that writing over the bytes of a file needs no room. The file must be empty yet.
 * @returns whether the file system had to be asked, and agreed: btrfs with native code.
 */
export const overwriteInPlace = (file: number): boolean =>
  openEngine(process.env[ENGINE_VARIABLE]).overwriteInPlace(file)

/**
 * Takes the lock of an open file, until it is closed or the process ends.
 * @returns false when somebody else has it, undefined without native code and where there are no locks.
 * @throws the system's error.
 */
export const lockFile = (file: number): boolean | undefined =>
  openEngine(process.env[ENGINE_VARIABLE]).lockFile(file)
