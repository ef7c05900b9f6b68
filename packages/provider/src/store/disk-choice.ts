/**
 * Which disk a thread works on: the file system, or what a test's module makes of the data it is
 * given (`createDisk(data)`).
 */
import { type Disk, fileDisk } from './disk.ts'

export interface DiskChoice {
  /** The URL of a module that exports `createDisk`. */
  readonly module?: string
  /** What it is called with; a SharedArrayBuffer lets the test steer the disk. */
  readonly data?: unknown
}

export const loadDisk = async ({ module, data }: DiskChoice): Promise<Disk> => {
  if (module === undefined) return fileDisk
  const { createDisk }: { createDisk: (data: unknown) => Disk } = await import(module)
  return createDisk(data)
}
