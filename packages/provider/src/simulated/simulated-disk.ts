/**
 * A disk in memory that can lose power: whatever was not synced may be there afterwards in any subset,
 * in pieces of 512 bytes, names and lengths too. It can fill up, and its bytes can rot. Keeps no
 * promise that a real disk does not keep.
 */
import type { Disk, OpenMode } from '../store/disk.ts'
import { type Chance, failure, SimulatedFile } from './simulated-file.ts'

export class PowerLoss extends Error {}

type NameChange =
  | { readonly kind: 'make'; readonly path: string; readonly file: SimulatedFile }
  | { readonly kind: 'move'; readonly from: string; readonly to: string }
  | { readonly kind: 'remove'; readonly path: string }

const directoryOf = (path: string): string => path.slice(0, path.lastIndexOf('/'))

export class SimulatedDisk implements Disk {
  #names = new Map<string, SimulatedFile>()
  #durableNames = new Map<string, SimulatedFile>()
  #nameChanges: NameChange[] = []
  #open = new Map<number, SimulatedFile>()
  #nextFile = 3
  #left = Number.POSITIVE_INFINITY
  #syncsLeft = Number.POSITIVE_INFINITY
  #mounted: Mount | undefined
  /** Calls so far that changed something. */
  calls = 0
  /** Bytes that all files together may take. */
  space: number = Number.POSITIVE_INFINITY

  /** A disk with these files on it, durable. */
  static holding(files: ReadonlyMap<string, Uint8Array>): SimulatedDisk {
    const disk = new SimulatedDisk()
    for (const [path, content] of files) {
      const file = new SimulatedFile()
      file.change({ kind: 'write', at: 0, data: content.slice() })
      file.sync()
      disk.#names.set(path, file)
      disk.#durableNames.set(path, file)
    }
    return disk
  }

  /** Every file as it is now. */
  get files(): ReadonlyMap<string, Uint8Array> {
    return new Map([...this.#names].map(([path, file]) => [path, file.now.bytes.slice()]))
  }

  /** Power goes off at the n-th change from now. */
  failAfter(changes: number): void {
    this.#left = changes
  }

  /** Power goes off at the n-th sync of a file from now, before it has done anything. */
  failAtSync(syncs: number): void {
    this.#syncsLeft = syncs
  }

  /**
   * The disk as one run of a program sees it: the power goes off for that run when `failAfter` or
   * `failAtSync` says so, and nothing of it reaches the disk afterwards, not even when another run has it.
   * @param onLoss called once, when the power goes off at a change.
   */
  mount(onLoss: () => void): Disk {
    this.#mounted = new Mount(this, onLoss)
    return this.#mounted
  }

  /** The run that has the disk ends here and now; what it wrote stays, synced or not. */
  unmount(): void {
    this.#mounted?.cut()
    this.#mounted = undefined
    this.#open.clear()
    this.#left = Number.POSITIVE_INFINITY
    this.#syncsLeft = Number.POSITIVE_INFINITY
  }

  /** What is on the disk after the power is back. */
  restart(chance: Chance): void {
    this.unmount()
    const keeps = [0, 50, 100][chance(3)] ?? 0
    const names = new Map(this.#durableNames)
    for (const change of this.#nameChanges) if (chance(100) < keeps) rename(names, change)
    this.#names = names
    this.#durableNames = new Map(names)
    this.#nameChanges = []
    for (const file of new Set(names.values())) file.lose(chance)
  }

  /** Bytes of all files. */
  get used(): number {
    let sum = 0
    for (const { now } of this.#names.values()) sum += now.length
    return sum
  }

  /** Paths of all files, sorted. */
  get paths(): readonly string[] {
    return [...this.#names.keys()].sort()
  }

  /** Bits of one byte change, as bits on a platter do: nobody is told, and it is durable. */
  rot(path: string, at: number, bits: number): void {
    const file = this.#names.get(path)
    const byte = file?.now.bytes[at]
    if (file === undefined || byte === undefined) return
    file.rot(at, byte ^ bits)
  }

  /** The bytes of a file, to be looked at or changed by a test; undefined when there is none. */
  contentOf(path: string): Uint8Array | undefined {
    return this.#names.get(path)?.now.bytes
  }

  open(path: string, mode: OpenMode): number {
    const present = this.#names.get(path)
    if (mode === 'create') {
      if (present !== undefined) throw failure('EEXIST', path)
      this.#step()
      const file = new SimulatedFile()
      this.#change({ kind: 'make', path, file })
      return this.#opened(file)
    }
    if (present === undefined) throw failure('ENOENT', path)
    return this.#opened(present)
  }

  close(file: number): void {
    this.#open.delete(file)
  }

  size(file: number): number {
    return this.#file(file).now.length
  }

  read(file: number, into: Uint8Array, position: number): number {
    const part = this.#file(file).now.bytes.subarray(position, position + into.length)
    into.set(part)
    return part.length
  }

  write(file: number, data: Uint8Array, at: number): void {
    this.#step()
    this.#needRoom(this.#file(file), at + data.length)
    this.#file(file).change({ kind: 'write', at, data: data.slice() })
  }

  startWriting(): void {
    // What was not synced may be there after a loss of power anyway.
  }

  truncate(file: number, length: number): void {
    this.#step()
    this.#needRoom(this.#file(file), length)
    this.#file(file).change({ kind: 'length', length })
  }

  sync(file: number): void {
    this.#syncsLeft--
    if (this.#syncsLeft < 0) this.#left = 0
    this.#step()
    this.#file(file).sync()
  }

  syncDirectory(path: string): void {
    this.#step()
    const left: NameChange[] = []
    for (const change of this.#nameChanges) {
      if (touches(change, path)) rename(this.#durableNames, change)
      else left.push(change)
    }
    this.#nameChanges = left
  }

  rename(from: string, to: string): void {
    if (!this.#names.has(from)) throw failure('ENOENT', from)
    this.#step()
    this.#change({ kind: 'move', from, to })
  }

  unlink(path: string): void {
    if (!this.#names.has(path)) throw failure('ENOENT', path)
    this.#step()
    this.#change({ kind: 'remove', path })
  }

  list(path: string): readonly string[] {
    const names = [...this.#names.keys()].filter((name) => directoryOf(name) === path)
    return names.map((name) => name.slice(path.length + 1)).sort()
  }

  makeDirectory(): void {
    // Directories are as many as names need them.
  }

  free(): bigint {
    if (this.space === Number.POSITIVE_INFINITY) return 2n ** 40n
    return BigInt(Math.max(0, this.space - this.used))
  }

  #needRoom(file: SimulatedFile, end: number): void {
    const more = end - file.now.length
    if (more > 0 && this.space < Number.POSITIVE_INFINITY && this.used + more > this.space) {
      throw failure('ENOSPC', 'no room')
    }
  }

  #step(): void {
    this.calls++
    this.#left--
    if (this.#left >= 0) return
    this.#mounted?.lose()
    throw new PowerLoss('the power is off')
  }

  #change(change: NameChange): void {
    rename(this.#names, change)
    this.#nameChanges.push(change)
  }

  #opened(file: SimulatedFile): number {
    const number = this.#nextFile++
    this.#open.set(number, file)
    return number
  }

  #file(number: number): SimulatedFile {
    const file = this.#open.get(number)
    if (file === undefined) throw failure('EBADF', String(number))
    return file
  }
}

/** One run's view of a disk. */
class Mount implements Disk {
  #disk: SimulatedDisk | undefined
  readonly #onLoss: () => void

  constructor(disk: SimulatedDisk, onLoss: () => void) {
    this.#disk = disk
    this.#onLoss = onLoss
  }

  cut(): void {
    this.#disk = undefined
  }

  lose(): void {
    if (this.#disk === undefined) return
    this.cut()
    this.#onLoss()
  }

  get #on(): SimulatedDisk {
    if (this.#disk === undefined) throw new PowerLoss('the power is off')
    return this.#disk
  }

  open = (path: string, mode: OpenMode): number => this.#on.open(path, mode)
  close = (file: number): void => this.#disk?.close(file)
  size = (file: number): number => this.#on.size(file)
  read = (file: number, into: Uint8Array, at: number): number => this.#on.read(file, into, at)
  write = (file: number, data: Uint8Array, at: number): void => this.#on.write(file, data, at)
  startWriting = (): void => undefined
  truncate = (file: number, length: number): void => this.#on.truncate(file, length)
  sync = (file: number): void => this.#on.sync(file)
  syncDirectory = (path: string): void => this.#on.syncDirectory(path)
  rename = (from: string, to: string): void => this.#on.rename(from, to)
  unlink = (path: string): void => this.#on.unlink(path)
  list = (path: string): readonly string[] => this.#on.list(path)
  makeDirectory = (): void => this.#on.makeDirectory()
  free = (): bigint => this.#on.free()
}

const touches = (change: NameChange, directory: string): boolean =>
  change.kind === 'move'
    ? directoryOf(change.from) === directory || directoryOf(change.to) === directory
    : directoryOf(change.path) === directory

const rename = (names: Map<string, SimulatedFile>, change: NameChange): void => {
  switch (change.kind) {
    case 'make':
      names.set(change.path, change.file)
      return
    case 'remove':
      names.delete(change.path)
      return
    case 'move': {
      const file = names.get(change.from)
      if (file === undefined) return
      names.delete(change.from)
      names.set(change.to, file)
    }
  }
}
