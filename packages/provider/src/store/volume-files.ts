/**
 * Making a volume, and small files that survive power loss.
 */
import { mkdir, open, readdir, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { ProviderId } from '@holdfast/protocol'
import { formatIdentity, readIdentity } from './volume-identity.ts'
import { volumePaths } from './volume-paths.ts'

/**
 * Makes a new, empty volume. Nothing happens when it is this provider's already.
 * @throws HoldfastError `CONFIG_INVALID` when it is another's.
 */
export const createVolume = async (root: string, provider: ProviderId): Promise<void> => {
  const paths = volumePaths(root)
  await mkdir(root, { recursive: true, mode: 0o700 })
  if ((await readdir(root)).includes('volume.json')) {
    readIdentity(paths, provider)
    return
  }
  for (const part of [paths.incoming, paths.sectors, paths.quarantine]) {
    await mkdir(part, { recursive: true, mode: 0o700 })
  }
  await writeDurably(paths.identity, formatIdentity(provider))
  await syncDirectory(dirname(root))
}

/** Makes a directory's entries durable. */
export const syncDirectory = async (path: string): Promise<void> => {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Writes a small file so that it survives power loss; one that was there is whole until it is replaced. */
export const writeDurably = async (path: string, content: string | Uint8Array): Promise<void> => {
  const fresh = `${path}.new`
  const handle = await open(fresh, 'w', 0o600)
  try {
    await handle.writeFile(content)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(fresh, path)
  await syncDirectory(dirname(path))
}
