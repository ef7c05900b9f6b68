/**
 * A small real file system that can be filled to its last byte by somebody else, who goes on taking
 * whatever becomes free. Needs root; says what is missing.
 */
import { execFileSync } from 'node:child_process'
import { closeSync, ftruncateSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'

export type SmallDiskKind = 'tmpfs' | 'ext4' | 'xfs' | 'btrfs'

const BYTES = 64 * 2 ** 20
/** XFS and btrfs are not made smaller. */
const IMAGE_BYTES = { ext4: BYTES, xfs: 320 * 2 ** 20, btrfs: 160 * 2 ** 20 }
const PIECE = 2 ** 16
const AGAIN_MS = 5

const run = (program: string, ...args: readonly string[]): void => {
  execFileSync(program, [...args], { stdio: ['ignore', 'ignore', 'pipe'] })
}

export class SmallDisk {
  readonly path: string
  readonly #image: string
  #filling: NodeJS.Timeout | undefined
  /** Bytes that were taken. */
  taken = 0

  private constructor(directory: string) {
    this.path = join(directory, 'mounted')
    this.#image = join(directory, 'image')
  }

  /** Makes and mounts it. @throws Error saying what this machine lacks. */
  static create(kind: SmallDiskKind, directory: string): SmallDisk {
    const disk = new SmallDisk(directory)
    mkdirSync(disk.path, { recursive: true })
    if (kind === 'tmpfs') {
      run('mount', '-t', 'tmpfs', '-o', `size=${BYTES}`, 'tmpfs', disk.path)
      return disk
    }
    const file = openSync(disk.#image, 'w')
    ftruncateSync(file, IMAGE_BYTES[kind])
    closeSync(file)
    run(`mkfs.${kind}`, '-q', disk.#image)
    run('mount', '-o', 'loop', disk.#image, disk.path)
    return disk
  }

  /** Takes everything that is free, now and again every few milliseconds, until `giveRoom`. */
  fillUp(): void {
    this.#take()
    this.#filling = setInterval(() => this.#take(), AGAIN_MS)
  }

  giveRoom(): void {
    clearInterval(this.#filling)
    rmSync(this.#filler, { force: true })
    this.taken = 0
  }

  remove(): void {
    clearInterval(this.#filling)
    run('umount', this.path)
    rmSync(this.#image, { force: true })
  }

  get #filler(): string {
    return join(this.path, 'somebody-else')
  }

  #take(): void {
    const file = openSync(this.#filler, 'a')
    try {
      for (let size = PIECE; size >= 1; ) {
        try {
          this.taken += writeSync(file, Buffer.alloc(size, 0x5a))
        } catch {
          size >>= 1
        }
      }
    } finally {
      closeSync(file)
    }
  }
}

/** Why this machine cannot do it; undefined when it can. */
export const whyNoSmallDisk = (kind: SmallDiskKind, directory: string): string | undefined => {
  try {
    SmallDisk.create(kind, directory).remove()
    return undefined
  } catch (error) {
    return error instanceof Error ? (error.message.split('\n').at(0) ?? kind) : String(error)
  }
}
