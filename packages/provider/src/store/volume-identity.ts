/**
 * Whose volume a directory is, and which. The identity file keeps the node from mistaking an empty
 * mount point, another provider's volume, or another disk at the same place for its own; it is read
 * again through the same path while the node runs.
 *
 * Version 1 named the provider only; it is given an id when it is opened. Programs that know version 1
 * alone refuse a volume of version 2 before they touch anything.
 */
import { randomUUID } from 'node:crypto'
import { HoldfastError, type ProviderId } from '@holdfast/protocol'
import { type Disk, fileDisk, replaceFile, withFile } from './disk.ts'
import { errnoOf } from './disk-errors.ts'
import type { VolumePaths } from './volume-paths.ts'

export const VOLUME_VERSION = 2
const FILE_BYTES_MAX = 4096

export interface VolumeIdentity {
  readonly version: number
  readonly provider: string
  /** 32 hexadecimal digits; undefined for version 1. */
  readonly id: string | undefined
}

export const formatIdentity = (provider: ProviderId): string => {
  const id = randomUUID().replaceAll('-', '')
  return `${JSON.stringify({ version: VOLUME_VERSION, provider, id })}\n`
}

type Place = Pick<VolumePaths, 'root' | 'identity'>

const refuse = (root: string, reason: string): never => {
  throw new HoldfastError({ code: 'CONFIG_INVALID', path: root, reason })
}

const readText = (disk: Disk, { identity }: Place): string =>
  withFile(disk, identity, 'read', (file) => {
    const buffer = new Uint8Array(FILE_BYTES_MAX)
    return new TextDecoder().decode(buffer.subarray(0, disk.read(file, buffer, 0)))
  })

/**
 * The identity of a volume of this provider.
 * @throws HoldfastError `CONFIG_INVALID`: no volume, another's, or of a version this program does not
 * know. `VOLUME_UNAVAILABLE` when the disk does not answer.
 */
export const readIdentity = (
  place: Place,
  provider: ProviderId,
  disk: Disk = fileDisk,
): VolumeIdentity => {
  const { root } = place
  let text: string
  try {
    text = readText(disk, place)
  } catch (cause) {
    const errno = errnoOf(cause)
    if (errno === 'ENOENT' || errno === 'ENOTDIR') {
      return refuse(root, 'is not a volume (volume.json is missing): is the disk mounted?')
    }
    const reason = `volume.json cannot be read: ${errno}`
    throw new HoldfastError({ code: 'VOLUME_UNAVAILABLE', path: root, reason }, { cause })
  }
  const identity = parseIdentity(text)
  if (identity === undefined) return refuse(root, 'volume.json cannot be read')
  const { version } = identity
  if (version !== 1 && version !== VOLUME_VERSION) {
    return refuse(root, `has version ${version}, newer than this program (${VOLUME_VERSION})`)
  }
  if (identity.provider !== provider) {
    return refuse(root, `belongs to provider ${identity.provider}, not ${provider}`)
  }
  return identity
}

const parseIdentity = (text: string): VolumeIdentity | undefined => {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null) return undefined
    if (!('version' in value) || typeof value.version !== 'number') return undefined
    if (!('provider' in value) || typeof value.provider !== 'string') return undefined
    const id = 'id' in value && typeof value.id === 'string' ? value.id : undefined
    if (value.version === VOLUME_VERSION && !/^[0-9a-f]{32}$/.test(id ?? '')) return undefined
    return { version: value.version, provider: value.provider, id }
  } catch {
    return undefined
  }
}

/** The id of a volume; one of version 1 gets its own first, durably. */
export const claimIdentity = (
  paths: VolumePaths,
  provider: ProviderId,
  disk: Disk = fileDisk,
): string => {
  const { id } = readIdentity(paths, provider, disk)
  if (id !== undefined) return id
  const content = new TextEncoder().encode(formatIdentity(provider))
  replaceFile(disk, { directory: paths.root, name: 'volume.json' }, content)
  return claimIdentity(paths, provider, disk)
}

/**
 * That the volume is still there, through the same path.
 * @throws HoldfastError `VOLUME_UNAVAILABLE`.
 */
export const checkIdentity = ({
  disk,
  paths,
  identity,
}: {
  readonly disk: Disk
  readonly paths: Place
  readonly identity: string
}): void => {
  let reason: string
  try {
    if (parseIdentity(readText(disk, paths))?.id === identity) return
    reason = 'another volume is in its place'
  } catch (cause) {
    reason = `volume.json cannot be read (${errnoOf(cause)}): is the disk mounted?`
  }
  throw new HoldfastError({ code: 'VOLUME_UNAVAILABLE', path: paths.root, reason })
}
