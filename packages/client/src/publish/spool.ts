/**
 * The packed payload on its way: one file per run under the home directory, named after its process.
 * Packing is faster than trusting an old file would be, so it is removed when the run is over;
 * left-overs of processes that are gone are removed by the next one.
 */

import type { FileHandle } from 'node:fs/promises'
import { mkdir, open, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { bytes, type Commitment, HoldfastError } from '@holdfast/protocol'
import type { Prover } from '@holdfast/prover'
import { type Packed, type PackOptions, packTo } from '../pack.ts'
import { errorCode } from '../system-error.ts'
import { type Progress, silentProgress } from '../ui/progress.ts'

export interface SpooledPayload {
  readonly packed: Packed
  readonly commitment: Commitment
  readonly path: string
  readonly file: FileHandle
}

/** Runs of this process so far. */
let runs = 0

/** Where payloads lie while they are on their way, without what dead processes left there. */
export const spoolFolder = async (home: string): Promise<string> => {
  const folder = join(home, 'spool')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await removeLeftOvers(folder)
  return folder
}

/** A file name that says whose it is, never given out twice. */
export const spoolName = (): string => {
  runs += 1
  return `${process.pid}.${runs}.car`
}

/**
 * Packs and commits. @throws HoldfastError as `packTo` and `commitFile` do.
 */
export const spoolPayload = async (
  source: string,
  home: string,
  { prover, ...options }: PackOptions & { readonly prover: Prover },
): Promise<SpooledPayload> => {
  const path = join(await spoolFolder(home), spoolName())
  const packed = await packTo(source, path, options)
  try {
    const commitment = await commitSpool(path, prover, options)
    if (commitment.length !== packed.length) {
      const reason = `the packed payload has ${commitment.length} bytes instead of ${packed.length}`
      throw new HoldfastError({ code: 'INPUT_UNREADABLE', path, reason })
    }
    return { packed, commitment, path, file: await open(path, 'r') }
  } catch (error) {
    await rm(path, { force: true })
    throw error
  }
}

const commitSpool = async (
  path: string,
  prover: Prover,
  { progress = silentProgress, signal }: { progress?: Progress; signal?: AbortSignal },
): Promise<Commitment> => {
  const length = bytes((await stat(path)).size)
  const phase = progress.phase('committing', length)
  let done = 0n
  try {
    return await prover.commitFile(
      { path, offset: bytes(0n), length },
      {
        ...(signal === undefined ? {} : { signal }),
        onProgress: ({ hashedBytes }) => {
          phase.advance(bytes(hashedBytes > done ? hashedBytes - done : 0n))
          done = hashedBytes
        },
      },
    )
  } finally {
    phase.end()
  }
}

const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return errorCode(error) === 'EPERM'
  }
}

const removeLeftOvers = async (folder: string): Promise<void> => {
  for (const name of await readdir(folder)) {
    const pid = /^(\d+)\.\d+\.car$/.exec(name)?.[1]
    if (pid !== undefined && !alive(Number(pid))) await rm(join(folder, name), { force: true })
  }
}

export const closeSpool = async ({ file, path }: SpooledPayload): Promise<void> => {
  await file.close()
  await rm(path, { force: true })
}
