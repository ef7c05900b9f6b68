/**
 * Small files that are either the old version or the new one, whatever happens in between: written
 * to a neighbour, synced, renamed, and the directory synced. Not here: appending, locking.
 */
import { link, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { HoldfastError } from '@holdfast/protocol'
import { systemRandom } from './system-adapters.ts'

export interface AtomicWriteOptions {
  /** Permission bits of the new file; 0o644 unless given. */
  readonly mode?: number
  /** Fails when the file is already there, even if it appears at the last moment. */
  readonly isNew?: boolean
}

const syncDirectory = async (path: string): Promise<void> => {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/**
 * Replaces `path` with `content`, whole or not at all, durable on return.
 * @throws HoldfastError `INPUT_UNREADABLE` when the directory cannot be written, or when the
 *   file should be new and is not.
 */
export const writeFileAtomically = async (
  path: string,
  content: string | Uint8Array,
  options: AtomicWriteOptions = {},
): Promise<void> => {
  const suffix = Buffer.from(systemRandom.bytes(6)).toString('hex')
  const neighbour = `${path}.${suffix}.tmp`
  try {
    const handle = await open(neighbour, 'wx', options.mode ?? 0o644)
    try {
      await handle.writeFile(content)
      await handle.sync()
    } finally {
      await handle.close()
    }
    if (options.isNew === true) await link(neighbour, path)
    else await rename(neighbour, path)
    if (options.isNew === true) await rm(neighbour)
    await syncDirectory(dirname(path))
  } catch (cause) {
    await rm(neighbour, { force: true }).catch(() => undefined)
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new HoldfastError({ code: 'INPUT_UNREADABLE', path, reason }, { cause })
  }
}
