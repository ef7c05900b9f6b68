/** A disk that lies: stored bytes are overwritten behind a provider's back. */
import { closeSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'

/** Every file below a folder. */
export const filesBelow = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))

/**
 * Overwrites the bytes of `content` wherever they lie below `home`, found by short runs of them so
 * that record headers in between do not matter. Returns how many runs were overwritten.
 */
export const spoil = (home: string, content: Buffer): number => {
  const RUN = 512
  let count = 0
  for (const path of filesBelow(home)) {
    const stored = readIfThere(path)
    if (stored === undefined) continue
    const places: number[] = []
    for (let at = 0; at + RUN <= content.length; at += RUN) {
      const found = stored.indexOf(content.subarray(at, at + RUN))
      if (found !== -1) places.push(found)
    }
    if (places.length === 0) continue
    const file = openSync(path, 'r+')
    for (const place of places) writeSync(file, Buffer.alloc(RUN, 0xa5), 0, RUN, place)
    closeSync(file)
    count += places.length
  }
  return count
}

/** A node at work renames and removes files of its own. */
const readIfThere = (path: string): Buffer | undefined => {
  try {
    return readFileSync(path)
  } catch (error) {
    if ((error as { readonly code?: unknown }).code === 'ENOENT') return undefined
    throw error
  }
}
