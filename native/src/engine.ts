/**
 * The port that every hashing engine implements: native code or WASM, same calls, same bytes.
 * Arguments are views (SharedArrayBuffer allowed), outputs are preallocated by the caller, and a
 * call keeps no reference to either. All lengths are checked before anything is written: a wrong
 * one throws a RangeError and leaves the output as it was.
 *
 * Calls are synchronous and meant for worker threads. Nothing here reads the environment; choosing
 * an engine is `open-engine.ts`.
 */

/** Bytes of a digest and of a tree node. */
export const DIGEST_BYTES = 32

/** 1 = `sha256-1k`, 2 = `commp`; the numbers of the protocol. */
export type TreeScheme = 1 | 2

/** Which node is wanted, and which nodes below it are written down on the way. */
export interface SubtreeShape {
  readonly scheme: TreeScheme
  /** Level of the root, 0 being 32-byte leaves; 2 to 49 for scheme 2, else 0 to 49. */
  readonly level: number
  /** Level of the kept nodes: at most 6 for scheme 1, 11 for scheme 2. */
  readonly keptLevel: number
}

/** Where a subtree goes. */
export interface SubtreeOutput {
  /** Empty, or 32 bytes for every node of `keptLevel` that has payload under it. */
  readonly kept: Uint8Array
  /** 32 bytes. */
  readonly root: Uint8Array
}

/** A run of bytes of an open file. */
export interface OpenRange {
  readonly fd: number
  readonly offset: number
  readonly length: number
}

/** Levels `from` to `to` of one tree. */
export interface LevelSpan {
  readonly scheme: TreeScheme
  readonly from: number
  readonly to: number
}

/** A payload and its kept layers, both open; layers without descriptor have length 0. */
export interface OpenPayloadRuns {
  readonly scheme: TreeScheme
  readonly depth: number
  readonly root: Uint8Array
  readonly payload: OpenRange
  readonly layers: OpenRange
}

export interface Engine {
  /** `native-` and a processor path (`listEngines` has those of this machine), or `wasm`. */
  readonly name: string
  /** SHA-256 of messages of `size` bytes that lie one after another; 32 bytes out for each. */
  messages(input: Uint8Array, size: number, out: Uint8Array): void
  /** SHA-256 of 64-byte messages. `out` may start where `input` starts. */
  pairs(input: Uint8Array, out: Uint8Array): void
  /** The same with the two top bits of each digest's last byte cleared (SHA2-256-trunc254). */
  pairs254(input: Uint8Array, out: Uint8Array): void
  /** keccak-256 (Ethereum's) of messages of `size` bytes; as `messages`. */
  keccak(input: Uint8Array, size: number, out: Uint8Array): void
  /** Fr32 (FRC-0069): every 127 bytes become 128. */
  fr32(input: Uint8Array, out: Uint8Array): void
  /** CRC-32C; `seed` is the value of the bytes before, 0 at the start. */
  crc32c(seed: number, input: Uint8Array): number
  /**
   * Every level of the tree over `nodes`, from level `from` to the single node of level `to`, lowest
   * first; odd levels below the top are completed with a zero node. `out` is `towerBytes` long.
   */
  tower(nodes: Uint8Array, span: LevelSpan, out: Uint8Array): void
  /** The node over `input`, zero nodes where leaves are missing. */
  subtree(input: Uint8Array, shape: SubtreeShape, output: SubtreeOutput): void
  /**
   * The same, reading the bytes itself in tiles that stay in the cache. False when `cancel[0]`
   * became non-zero. @throws Error with a system `code`; `ENODATA` when the file ends too early.
   */
  fileSubtree(
    range: OpenRange,
    shape: SubtreeShape,
    output: SubtreeOutput,
    cancel?: Int32Array,
  ): boolean
  /** Fills `out` from a file; returns how many bytes there were. @throws Error with a `code`. */
  readFile(fd: number, offset: number, out: Uint8Array): number
  /**
   * Reads many runs, each three numbers of `wanted`: fd, offset, length. They are written one after
   * another; `got` receives for each the bytes read, or a negative errno. Runs that are not in
   * memory are all asked for before the first is waited for.
   */
  readMany(wanted: Float64Array, out: Uint8Array, got: Int32Array): void
  /**
   * Opens leaves of a payload with kept layers: per index the leaf, then its siblings. Returns -1
   * when every opening leads to the root, else the place of one that does not, or that this engine
   * leaves to its caller. Never says why. Indices in payload order are faster.
   */
  openLeaves(payload: OpenPayloadRuns, indices: Float64Array, out: Uint8Array): number
  /** Where the next byte outside a hole lies; -1 when only a hole follows; -2 when unknown. */
  nextData(fd: number, offset: number): number
  /**
   * Asks the system to begin bringing bytes that were written to their disk, where it can be asked.
   * Makes nothing durable and says nothing of errors: the sync that follows does both.
   */
  startWriting(fd: number, offset: number, length: number): void
  /**
   * Asks btrfs to write over the bytes of this file where they lie, which needs no room; the file must
   * be empty. Other file systems are not asked: they do so anyway, or cannot (ZFS).
   * @returns whether it was asked for, and granted.
   */
  overwriteInPlace(fd: number): boolean
  /**
   * Takes the lock of an open file (`flock`), which holds until the file is closed or its process ends.
   * @returns false when another descriptor has it, undefined where this engine or file system has none.
   * @throws the system's error.
   */
  lockFile(fd: number): boolean | undefined
}

/** Payload bytes under a full node of `level`. */
export const capacityAt = (scheme: TreeScheme, level: number): number =>
  scheme === 1 ? 1024 * 2 ** level : level < 2 ? 0 : 127 * 2 ** (level - 2)

/** How many nodes of `level` have at least one of `length` payload bytes under them. */
export const nodesUnder = (scheme: TreeScheme, length: number, level: number): number => {
  const leaves = scheme === 1 ? Math.ceil(length / 1024) : 4 * Math.ceil(length / 127)
  return Math.ceil(leaves / 2 ** level)
}

/** Bytes of all levels over `count` nodes, `levels` above them the top. */
export const towerBytes = (count: number, levels: number): number => {
  let total = DIGEST_BYTES
  for (let level = 0, left = count; level < levels; level++) {
    const even = left + (left % 2)
    total += even * DIGEST_BYTES
    left = even / 2
  }
  return total
}

/** 2^49 leaves are more than any payload has. */
const LEVEL_MAX = 49

/** @throws RangeError unless the shape, the payload's length and both outputs agree. */
export const checkSubtree = (length: number, shape: SubtreeShape, output: SubtreeOutput): void => {
  const { scheme, level, keptLevel } = shape
  const least = scheme === 1 ? 0 : 2
  const tile = scheme === 1 ? 6 : 11
  const whole = Number.isInteger(level) && Number.isInteger(keptLevel) && Number.isInteger(length)
  if (!whole || (scheme !== 1 && scheme !== 2)) throw new RangeError('engine: unknown shape')
  if (level < least || level > LEVEL_MAX || keptLevel < 0 || keptLevel > tile) {
    throw new RangeError('engine: level out of range')
  }
  if (length <= 0 || length > capacityAt(scheme, level)) {
    throw new RangeError('engine: payload does not fit the subtree')
  }
  if (output.root.length !== DIGEST_BYTES) throw new RangeError('engine: root is not 32 bytes')
  if (output.kept.length === 0) return
  const wanted = DIGEST_BYTES * nodesUnder(scheme, length, keptLevel)
  if (keptLevel > level || output.kept.length !== wanted) {
    throw new RangeError('engine: kept nodes do not fit their output')
  }
}

/** @throws RangeError unless nodes, levels and output of a tower agree. */
export const checkTower = (nodes: Uint8Array, span: LevelSpan, out: Uint8Array): void => {
  const { scheme, from, to } = span
  const count = nodes.length / DIGEST_BYTES
  const whole = Number.isInteger(from) && Number.isInteger(to) && (scheme === 1 || scheme === 2)
  if (!whole || from < 0 || to > LEVEL_MAX || from > to)
    throw new RangeError('engine: unknown span')
  if (!Number.isInteger(count) || count === 0 || count > 2 ** (to - from)) {
    throw new RangeError('engine: nodes do not fit under one')
  }
  if (out.length !== towerBytes(count, to - from)) {
    throw new RangeError('engine: output is not as long as the levels')
  }
}
