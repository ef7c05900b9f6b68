/** What a provider stands on in a simulation: one simulated disk, key-values in memory, no threads. */
import { type Bytes, bytes } from '@holdfast/protocol'
import type { BundleFiles } from '../bundles/bundle-files.ts'
import type { JournalFile, JournalFiles } from '../journal/journal-files.ts'
import type { Platform } from '../platform.ts'
import { type Disk, withFile } from '../store/disk.ts'
import type { SimulatedKeyValues } from './simulated-key-values.ts'
import type { SimulatedRun } from './simulated-run.ts'
import { type SimulatedThreadsOptions, simulatedThreads } from './simulated-threads.ts'

/** Its disk is mounted for its run. */
export interface SimulatedPlatformOptions extends SimulatedThreadsOptions {
  readonly keyValues: SimulatedKeyValues
}

export const simulatedPlatform = (options: SimulatedPlatformOptions): Platform => {
  const { run, disk, keyValues } = options
  return {
    store: { disk, startThread: simulatedThreads(options), keyValues: keyValues.place(run) },
    journalFiles: journalFilesOn(run, disk),
    bundleFiles: bundleFilesOn(run, disk),
  }
}

const isThere = (disk: Disk, path: string): boolean => {
  const at = path.lastIndexOf('/')
  return disk.list(path.slice(0, at)).includes(path.slice(at + 1))
}

const journalFilesOn = (run: SimulatedRun, disk: Disk): JournalFiles => ({
  open: async (path, { fresh = false } = {}) => {
    const file = await run.step(() => {
      const opened = disk.open(path, isThere(disk, path) ? 'write' : 'create')
      if (fresh) disk.truncate(opened, 0)
      return opened
    })
    return journalFileOn(run, disk, file)
  },
  openPresent: async (path) => {
    const file = await run.step(() => (isThere(disk, path) ? disk.open(path, 'write') : undefined))
    return file === undefined ? undefined : journalFileOn(run, disk, file)
  },
  rename: (from, to) => run.step(() => disk.rename(from, to)),
  remove: (path) =>
    run.step(() => {
      if (isThere(disk, path)) disk.unlink(path)
    }),
  syncDirectory: (path) => run.step(() => disk.syncDirectory(path)),
})

const journalFileOn = (run: SimulatedRun, disk: Disk, file: number): JournalFile => ({
  size: () => run.step(() => disk.size(file)),
  read: (into, position) => run.step(() => disk.read(file, into, position)),
  write: async (data, position) => {
    await run.pause()
    await run.step(() => disk.write(file, data, position))
  },
  truncate: (length) => run.step(() => disk.truncate(file, length)),
  sync: async () => {
    await run.pause()
    await run.step(() => disk.sync(file))
  },
  close: () => run.step(() => disk.close(file)),
})

const bundleFilesOn = (run: SimulatedRun, disk: Disk): BundleFiles => ({
  list: (directory) => run.step(() => disk.list(directory)),
  lengthOf: (path): Promise<Bytes> =>
    run.step(() => withFile(disk, path, 'read', (file) => bytes(disk.size(file)))),
  remove: (path) =>
    run.step(() => {
      if (isThere(disk, path)) disk.unlink(path)
    }),
})
