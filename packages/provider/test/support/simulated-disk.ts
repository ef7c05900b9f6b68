/**
 * A disk in memory that can lose power: whatever was not synced may be there afterwards in any subset,
 * in pieces of 512 bytes, names and lengths too. Keeps no promise that a real disk does not keep.
 */
import type { Disk, OpenMode } from '../../src/store/disk.ts'

/** A whole number from 0 to `below` - 1, from a seed. */
export type Chance = (below: number) => number

export const chanceFrom = (seed: number): Chance => {
  let state = (seed * 2654435761 + 12345) >>> 0
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

export class PowerLoss extends Error {}

const PIECE = 512

type Change =
  | { readonly kind: 'write'; readonly at: number; readonly data: Uint8Array }
  | { readonly kind: 'length'; readonly length: number }

class SimulatedFile {
  now = new Uint8Array(0)
  durable = new Uint8Array(0)
  changes: Change[] = []

  change(change: Change): void {
    this.changes.push(change)
    this.now = applied(this.now, change)
  }

  sync(): void {
    this.durable = this.now.slice()
    this.changes = []
  }

  /** What is left after power loss. */
  lose(chance: Chance): void {
    const keeps = [0, 50, 90, 100][chance(4)] ?? 0
    let left = this.durable
    for (const change of this.changes) {
      for (const piece of piecesOf(change)) {
        if (chance(100) < keeps) left = applied(left, piece)
      }
    }
    this.now = left.slice()
    this.sync()
  }
}

const applied = (content: Uint8Array, change: Change): Uint8Array<ArrayBuffer> => {
  if (change.kind === 'length') {
    const out = new Uint8Array(change.length)
    out.set(content.subarray(0, change.length))
    return out
  }
  const end = change.at + change.data.length
  const out = new Uint8Array(Math.max(content.length, end))
  out.set(content)
  out.set(change.data, change.at)
  return out
}

function* piecesOf(change: Change): Iterable<Change> {
  if (change.kind === 'length') {
    yield change
    return
  }
  const { at, data } = change
  for (let from = at; from < at + data.length; ) {
    const to = Math.min(at + data.length, (Math.floor(from / PIECE) + 1) * PIECE)
    yield { kind: 'write', at: from, data: data.subarray(from - at, to - at) }
    from = to
  }
}

type NameChange =
  | { readonly kind: 'make'; readonly path: string; readonly file: SimulatedFile }
  | { readonly kind: 'move'; readonly from: string; readonly to: string }
  | { readonly kind: 'remove'; readonly path: string }

const directoryOf = (path: string): string => path.slice(0, path.lastIndexOf('/'))

const failure = (code: string, path: string): Error =>
  Object.assign(new Error(`${code}: ${path}`), { code })

export class SimulatedDisk implements Disk {
  #names = new Map<string, SimulatedFile>()
  #durableNames = new Map<string, SimulatedFile>()
  #nameChanges: NameChange[] = []
  #open = new Map<number, SimulatedFile>()
  #nextFile = 3
  #left = Number.POSITIVE_INFINITY
  /** Calls so far that changed something. */
  calls = 0

  /** A disk with these files on it, durable. */
  static holding(files: ReadonlyMap<string, Uint8Array>): SimulatedDisk {
    const disk = new SimulatedDisk()
    for (const [path, content] of files) {
      const file = new SimulatedFile()
      file.now = content.slice()
      file.sync()
      disk.#names.set(path, file)
      disk.#durableNames.set(path, file)
    }
    return disk
  }

  /** Every file as it is now. */
  get files(): ReadonlyMap<string, Uint8Array> {
    return new Map([...this.#names].map(([path, file]) => [path, file.now.slice()]))
  }

  /** Power goes off at the n-th change from now. */
  failAfter(changes: number): void {
    this.#left = changes
  }

  /** What is on the disk after the power is back. */
  restart(chance: Chance): void {
    const keeps = [0, 50, 100][chance(3)] ?? 0
    const names = new Map(this.#durableNames)
    for (const change of this.#nameChanges) if (chance(100) < keeps) rename(names, change)
    this.#names = names
    this.#durableNames = new Map(names)
    this.#nameChanges = []
    this.#open.clear()
    this.#left = Number.POSITIVE_INFINITY
    for (const file of new Set(names.values())) file.lose(chance)
  }

  /** The bytes of a file, to be looked at or changed by a test; undefined when there is none. */
  contentOf(path: string): Uint8Array | undefined {
    return this.#names.get(path)?.now
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
    const part = this.#file(file).now.subarray(position, position + into.length)
    into.set(part)
    return part.length
  }

  write(file: number, data: Uint8Array, at: number): void {
    this.#step()
    this.#file(file).change({ kind: 'write', at, data: data.slice() })
  }

  truncate(file: number, length: number): void {
    this.#step()
    this.#file(file).change({ kind: 'length', length })
  }

  sync(file: number): void {
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
    return 2n ** 40n
  }

  #step(): void {
    this.calls++
    this.#left--
    if (this.#left < 0) throw new PowerLoss('the power is off')
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
