/**
 * The real file system with faults that a test switches on from another thread: it hangs, a sync or a
 * read fails, there is no room, no file can be opened, its thread runs out of memory.
 */
import { type Disk, fileDisk } from '../../src/store/disk.ts'

export const FAULTS = ['hang', 'sync', 'read', 'room', 'files', 'memory'] as const
export type Fault = (typeof FAULTS)[number]

/** A switch for reads that is not 0 or 1 names the byte that cannot be read. */
const FIRST_PLACE = 2

/** The switches of one disk. */
export class DiskSwitches {
  readonly memory = new SharedArrayBuffer(4 * FAULTS.length)
  readonly #cells = new Int32Array(this.memory)

  set(fault: Fault, on: boolean): void {
    const cell = FAULTS.indexOf(fault)
    Atomics.store(this.#cells, cell, on ? 1 : 0)
    Atomics.notify(this.#cells, cell)
  }

  /** Reads that touch this byte of any file fail, all others do not. */
  failReadsAt(position: number): void {
    Atomics.store(this.#cells, FAULTS.indexOf('read'), FIRST_PLACE + position)
  }
}

const failure = (code: string): Error => Object.assign(new Error(code), { code })

/** Takes memory until there is none: the thread that does it ends here. */
const hoard = (): never => {
  const kept: number[][] = []
  for (;;) kept.push(Array.from({ length: 1_000 }, (_, i) => i + kept.length / 2))
}

/** Called on the volume's threads. */
export const createDisk = (memory: SharedArrayBuffer): Disk => {
  const cells = new Int32Array(memory)
  const isOn = (fault: Fault): boolean => Atomics.load(cells, FAULTS.indexOf(fault)) === 1
  const pass = (fault?: Fault, code = 'EIO'): void => {
    while (isOn('hang')) Atomics.wait(cells, FAULTS.indexOf('hang'), 1)
    if (fault !== undefined && isOn(fault)) throw failure(code)
  }
  return {
    ...fileDisk,
    open: (path, mode) => {
      pass('files', 'EMFILE')
      return fileDisk.open(path, mode)
    },
    read: (file, into, position) => {
      pass()
      const where = Atomics.load(cells, FAULTS.indexOf('read'))
      const bad = where - FIRST_PLACE
      if (where === 1 || (bad >= position && bad < position + into.length)) throw failure('EIO')
      return fileDisk.read(file, into, position)
    },
    write: (file, data, position) => {
      pass('room', 'ENOSPC')
      if (isOn('memory')) hoard()
      fileDisk.write(file, data, position)
    },
    sync: (file) => {
      pass('sync')
      fileDisk.sync(file)
    },
  }
}

/** For `VolumeSetOptions.disk`. */
export const steeredBy = (switches: DiskSwitches): { module: string; data: SharedArrayBuffer } => ({
  module: new URL('./steered-disk.js', import.meta.url).href,
  data: switches.memory,
})
