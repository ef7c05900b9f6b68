/**
 * A volume as a directory: its parts, its identity, its free space. The identity file keeps the node
 * from mistaking an empty mount point, or another provider's volume, for its own.
 */
import { mkdir, open, readdir, readFile, statfs } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type Bytes, bytes, HoldfastError, type ProviderId } from '@holdfast/protocol'
import { syncDirectory } from './sector-files.ts'

export interface VolumePaths {
  readonly root: string
  readonly identity: string
  readonly incoming: string
  readonly sectors: string
  readonly index: string
  readonly quarantine: string
}

export const volumePaths = (root: string): VolumePaths => ({
  root,
  identity: join(root, 'volume.json'),
  incoming: join(root, 'incoming'),
  sectors: join(root, 'sectors'),
  index: join(root, 'index'),
  quarantine: join(root, 'quarantine'),
})

const IDENTITY_VERSION = 1

/** Makes a new, empty volume. Nothing happens when it is this provider's already. */
export const createVolume = async (root: string, provider: ProviderId): Promise<void> => {
  const paths = volumePaths(root)
  await mkdir(root, { recursive: true, mode: 0o700 })
  if ((await readdir(root)).includes('volume.json')) return checkVolume(root, provider)
  for (const part of [paths.incoming, paths.sectors, paths.quarantine]) {
    await mkdir(part, { recursive: true, mode: 0o700 })
  }
  await writeDurably(paths.identity, `${JSON.stringify({ version: IDENTITY_VERSION, provider })}\n`)
  await syncDirectory(dirname(root))
}

/** @throws HoldfastError `CONFIG_INVALID` unless the directory is a volume of this provider. */
export const checkVolume = async (root: string, provider: ProviderId): Promise<void> => {
  const { identity } = volumePaths(root)
  const refuse = (reason: string): never => {
    throw new HoldfastError({ code: 'CONFIG_INVALID', path: root, reason })
  }
  const text = await readFile(identity, 'utf8').catch((): string =>
    refuse('is not a volume (volume.json is missing): is the disk mounted?'),
  )
  const owner = identityOf(text)
  if (owner === undefined) refuse('volume.json cannot be read')
  if (owner !== provider) refuse(`belongs to provider ${owner}, not ${provider}`)
}

const identityOf = (text: string): string | undefined => {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null) return undefined
    if (!('version' in value) || value.version !== IDENTITY_VERSION) return undefined
    return 'provider' in value && typeof value.provider === 'string' ? value.provider : undefined
  } catch {
    return undefined
  }
}

/** Writes a small new file so that it survives power loss together with its name. */
export const writeDurably = async (path: string, content: string | Uint8Array): Promise<void> => {
  const handle = await open(path, 'w', 0o600)
  try {
    await handle.writeFile(content)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await syncDirectory(dirname(path))
}

/** What an unprivileged process may still write on the volume's disk. */
export const freeOnDisk = async (root: string): Promise<Bytes> => {
  const { bavail, bsize } = await statfs(root, { bigint: true })
  return bytes(bavail * bsize)
}
