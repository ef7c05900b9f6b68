/**
 * The native engine: the compiled addon behind the `Engine` port, one engine per processor path.
 * The addon checks every length itself; here only names and errors are translated.
 */
import { createRequire } from 'node:module'
import { getSystemErrorName } from 'node:util'
import type {
  Engine,
  LevelSpan,
  OpenPayloadRuns,
  OpenRange,
  SubtreeOutput,
  SubtreeShape,
} from './engine.ts'

/** What the addon exports; see csrc/addon.c. */
export interface Addon {
  readonly kernels: readonly string[]
  messages(kernel: number, input: Uint8Array, size: number, out: Uint8Array): void
  pairs(kernel: number, input: Uint8Array, out: Uint8Array): void
  pairs254(kernel: number, input: Uint8Array, out: Uint8Array): void
  keccak(input: Uint8Array, size: number, out: Uint8Array): void
  fr32(kernel: number, input: Uint8Array, out: Uint8Array): void
  crc32c(seed: number, input: Uint8Array): number
  subtree(
    kernel: number,
    input: Uint8Array,
    scheme: number,
    level: number,
    keptLevel: number,
    kept: Uint8Array,
    root: Uint8Array,
  ): void
  fileSubtree(
    kernel: number,
    fd: number,
    offset: number,
    length: number,
    cancel: Uint8Array,
    scheme: number,
    level: number,
    keptLevel: number,
    kept: Uint8Array,
    root: Uint8Array,
  ): number
  readFile(fd: number, offset: number, out: Uint8Array): number
  tower(
    kernel: number,
    nodes: Uint8Array,
    scheme: number,
    from: number,
    to: number,
    out: Uint8Array,
  ): void
  readMany(wanted: Float64Array, out: Uint8Array, got: Int32Array): void
  open(
    kernel: number,
    scheme: number,
    depth: number,
    runs: Float64Array,
    root: Uint8Array,
    indices: Float64Array,
    out: Uint8Array,
  ): number
  forget(fd: number): void
  nextData(fd: number, offset: number): number
  startWriting(fd: number, offset: number, length: number): void
  overwriteInPlace(fd: number): boolean
  lockFile(fd: number): number
  threadCpu(): number
}

const NONE = new Uint8Array(0)

/** From `dist/src` to the file that `native/build.mjs` writes. */
const ADDON_PATH = '../../build/holdfast.node'

/** The addon, or why it cannot be used. */
export type AddonLoad =
  | { readonly ok: true; readonly addon: Addon }
  | { readonly ok: false; readonly reason: string }

/** Loads the compiled addon. Never throws: a missing file is an answer. */
export const loadAddon = (): AddonLoad => {
  try {
    const addon = createRequire(import.meta.url)(ADDON_PATH) as Addon
    return { ok: true, addon }
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    return { ok: false, reason: reason.split('\n')[0] ?? reason }
  }
}

/** What file systems without locks say. */
const NO_LOCKS: ReadonlySet<string> = new Set(['ENOLCK', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP'])

const systemError = (errno: number, what: string): Error & { readonly code: string } => {
  const code = getSystemErrorName(-Math.abs(errno))
  return Object.assign(new Error(`${code}: cannot ${what}`), { code })
}

class NativeEngine implements Engine {
  readonly name: string
  readonly #addon: Addon
  readonly #kernel: number

  constructor(addon: Addon, kernel: number) {
    this.name = `native-${addon.kernels[kernel]}`
    this.#addon = addon
    this.#kernel = kernel
  }

  messages(input: Uint8Array, size: number, out: Uint8Array): void {
    this.#addon.messages(this.#kernel, input, size, out)
  }

  pairs(input: Uint8Array, out: Uint8Array): void {
    this.#addon.pairs(this.#kernel, input, out)
  }

  pairs254(input: Uint8Array, out: Uint8Array): void {
    this.#addon.pairs254(this.#kernel, input, out)
  }

  keccak(input: Uint8Array, size: number, out: Uint8Array): void {
    this.#addon.keccak(input, size, out)
  }

  fr32(input: Uint8Array, out: Uint8Array): void {
    this.#addon.fr32(this.#kernel, input, out)
  }

  crc32c(seed: number, input: Uint8Array): number {
    return this.#addon.crc32c(seed, input)
  }

  tower(nodes: Uint8Array, { scheme, from, to }: LevelSpan, out: Uint8Array): void {
    this.#addon.tower(this.#kernel, nodes, scheme, from, to, out)
  }

  subtree(input: Uint8Array, shape: SubtreeShape, output: SubtreeOutput): void {
    const { scheme, level, keptLevel } = shape
    this.#addon.subtree(this.#kernel, input, scheme, level, keptLevel, output.kept, output.root)
  }

  fileSubtree(
    range: OpenRange,
    shape: SubtreeShape,
    output: SubtreeOutput,
    cancel?: Int32Array,
  ): boolean {
    const flag = cancel ? new Uint8Array(cancel.buffer, cancel.byteOffset, 4) : NONE
    const { scheme, level, keptLevel } = shape
    const { fd, offset, length } = range
    const { kept, root } = output
    const kernel = this.#kernel
    const a = this.#addon
    const errno = a.fileSubtree(
      kernel,
      fd,
      offset,
      length,
      flag,
      scheme,
      level,
      keptLevel,
      kept,
      root,
    )
    if (errno === 0) return true
    const failure = systemError(errno, `read ${length} bytes at ${offset}`)
    if ('code' in failure && failure.code === 'ECANCELED') return false
    throw failure
  }

  readFile(fd: number, offset: number, out: Uint8Array): number {
    const got = this.#addon.readFile(fd, offset, out)
    if (got < 0) throw systemError(got, `read ${out.length} bytes at ${offset}`)
    return got
  }

  readMany(wanted: Float64Array, out: Uint8Array, got: Int32Array): void {
    this.#addon.readMany(wanted, out, got)
  }

  openLeaves(payload: OpenPayloadRuns, indices: Float64Array, out: Uint8Array): number {
    const { scheme, depth, root, payload: p, layers: l } = payload
    const runs = Float64Array.of(p.fd, p.offset, p.length, l.fd, l.offset, l.length)
    return this.#addon.open(this.#kernel, scheme, depth, runs, root, indices, out)
  }

  nextData(fd: number, offset: number): number {
    return this.#addon.nextData(fd, offset)
  }

  startWriting(fd: number, offset: number, length: number): void {
    this.#addon.startWriting(fd, offset, length)
  }

  overwriteInPlace(fd: number): boolean {
    return this.#addon.overwriteInPlace(fd)
  }

  lockFile(fd: number): boolean | undefined {
    const errno = this.#addon.lockFile(fd)
    if (errno <= 0) return errno === 0
    const error = systemError(errno, 'lock a file')
    if (NO_LOCKS.has(error.code)) return undefined
    throw error
  }
}

/** Every engine that the addon offers on this machine, fastest first. */
export const nativeEngines = (addon: Addon): readonly Engine[] =>
  addon.kernels.map((_, kernel) => new NativeEngine(addon, kernel))
