/**
 * A real file system in a file, mounted over a loop device, that loses power: it is shut down without
 * its log being written (the ioctl that `xfs_io -x -c shutdown` uses), so whatever was not synced is gone
 * when it is mounted again. Needs root, loop devices, `mkfs` and `perl`; says what is missing.
 */
import { execFileSync } from 'node:child_process'
import { closeSync, ftruncateSync, mkdirSync, openSync, rmSync } from 'node:fs'
import { join } from 'node:path'

export type FileSystem = 'ext4' | 'xfs'
export const FILE_SYSTEMS: readonly FileSystem[] = ['ext4', 'xfs']

const IMAGE_BYTES = 400 * 2 ** 20
/** FS_IOC_SHUTDOWN, and its flag for "do not flush the log". */
const SHUTDOWN = `open(my $d, '<', $ARGV[0]) or die $!;
my $flags = pack('L', 2); ioctl($d, 0x8004587d, $flags) or die $!;`

const run = (program: string, ...args: readonly string[]): string =>
  execFileSync(program, [...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })

export class LoopMount {
  readonly path: string
  readonly #image: string

  private constructor(directory: string) {
    this.#image = join(directory, 'image')
    this.path = join(directory, 'mounted')
  }

  /** Makes and mounts a file system. @throws Error saying what this machine lacks. */
  static create(kind: FileSystem, directory: string): LoopMount {
    const made = new LoopMount(directory)
    mkdirSync(made.path, { recursive: true })
    const file = openSync(made.#image, 'w')
    ftruncateSync(file, IMAGE_BYTES)
    closeSync(file)
    run(`mkfs.${kind}`, '-q', made.#image)
    made.mount()
    return made
  }

  mount(): void {
    run('mount', '-o', 'loop', this.#image, this.path)
  }

  unmount(): void {
    run('umount', this.path)
  }

  /** The power goes off: nothing that is not synced will be there, nothing more can be written. */
  shutDown(): void {
    run('perl', '-e', SHUTDOWN, this.path)
  }

  remove(): void {
    this.unmount()
    rmSync(this.#image)
  }
}

/** Why this machine cannot do it; undefined when it can. Tries all of it once. */
export const whyNot = (kind: FileSystem, directory: string): string | undefined => {
  try {
    mkdirSync(directory, { recursive: true })
    const made = LoopMount.create(kind, directory)
    try {
      made.shutDown()
    } finally {
      made.remove()
    }
    return undefined
  } catch (error) {
    return error instanceof Error ? (error.message.split('\n').at(0) ?? kind) : String(error)
  }
}
