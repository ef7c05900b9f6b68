/**
 * Where a Unix socket can be bound and reached. The kernel takes at most 107 bytes of path; a home may
 * lie deeper than that, so a long path goes through an open descriptor of its directory, where the
 * system has that (Linux).
 */
import { type FileHandle, open } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { HoldfastError } from '@holdfast/protocol'

const PATH_BYTES_MAX = 103

export interface SocketPath {
  /** For `listen` and `connect`. */
  readonly path: string
  /** To be called when both are done with it. */
  readonly release: () => Promise<void>
}

/** @throws HoldfastError `CONFIG_INVALID` when the path is too long for this system. */
export const reachSocket = async (socket: string): Promise<SocketPath> => {
  if (Buffer.byteLength(socket) <= PATH_BYTES_MAX) {
    return { path: socket, release: () => Promise.resolve() }
  }
  if (process.platform !== 'linux') {
    const reason = `is longer than ${PATH_BYTES_MAX} bytes, more than a socket may have here`
    throw new HoldfastError({ code: 'CONFIG_INVALID', path: socket, reason })
  }
  const directory = await openDirectory(dirname(socket))
  const path = join('/proc/self/fd', String(directory.fd), basename(socket))
  return { path, release: () => directory.close() }
}

const openDirectory = (path: string): Promise<FileHandle> =>
  open(path, 'r').catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new HoldfastError({ code: 'INPUT_UNREADABLE', path, reason }, { cause })
  })
