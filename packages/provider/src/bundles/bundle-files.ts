/** The directory that bundles lie in, as a port: names, lengths, removal. The prover writes the files. */
import { mkdir, readdir, rm, stat } from 'node:fs/promises'
import { type Bytes, bytes } from '@holdfast/protocol'

export interface BundleFiles {
  /** Names in a directory, which is made when it is not there. */
  list(directory: string): Promise<readonly string[]>
  lengthOf(path: string): Promise<Bytes>
  /** Nothing happens when it is not there. */
  remove(path: string): Promise<void>
}

export const systemBundleFiles: BundleFiles = {
  list: async (directory) => {
    await mkdir(directory, { recursive: true })
    return readdir(directory)
  },
  lengthOf: async (path) => bytes((await stat(path)).size),
  remove: (path) => rm(path, { force: true, recursive: true }),
}
