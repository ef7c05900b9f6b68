/**
 * From a path to a payload: import, CAR, length. Offline; needs neither keys nor network.
 */
import { rm } from 'node:fs/promises'
import type { Bytes } from '@holdfast/protocol'
import { HoldfastError } from '@holdfast/protocol'
import type { CID } from 'multiformats/cid'
import { PayloadMeter, PayloadWriter } from './car/payload-writer.ts'
import { type Progress, silentProgress } from './ui/progress.ts'
import { openHasher } from './unixfs/block-hasher.ts'
import { type ImportOptions, importTree } from './unixfs/import-tree.ts'
import type { BlockSink } from './unixfs/node-writer.ts'
import { DEFAULT_PROFILE, type Profile, profileOf } from './unixfs/profiles.ts'
import { measureSource, openSource, type SourceEntry } from './unixfs/source-tree.ts'

export interface PackOptions {
  /** Default `unixfs-v1-2025`. */
  readonly profile?: string
  /** Default `sha2-256`. */
  readonly hash?: string
  /** Includes entries whose names start with a dot. */
  readonly hidden?: boolean
  readonly progress?: Progress
  readonly signal?: AbortSignal
}

/** What a path becomes, before anything is stored. */
export interface Packed {
  readonly root: CID
  readonly profile: Profile['name']
  readonly hash: string
  readonly kind: SourceEntry['kind']
  readonly files: number
  /** File bytes, duplicates counted. */
  readonly bytes: Bytes
  /** Distinct blocks. */
  readonly blocks: number
  /** Payload bytes. */
  readonly length: Bytes
}

/** Computes the root CID only. @throws HoldfastError `FILE_NOT_FOUND`, `INPUT_UNREADABLE`, `USAGE`. */
export const computeCid = async (
  path: string,
  options: PackOptions = {},
): Promise<Omit<Packed, 'blocks' | 'length'>> => {
  const { profile, hasher } = await choose(options)
  const sink: BlockSink = { put: () => undefined }
  const result = await runImport(path, sink, { options, profile, hasher, phase: 'hashing' })
  return { ...result, profile: profile.name, hash: hasher.name }
}

/** Measures the payload without writing it. */
export const measurePayload = async (path: string, options: PackOptions = {}): Promise<Packed> => {
  const { profile, hasher } = await choose(options)
  const meter = new PayloadMeter(profile)
  const result = await runImport(path, meter, { options, profile, hasher, phase: 'reading' })
  return { ...result, ...meter.finish(), profile: profile.name, hash: hasher.name }
}

/** Writes the payload to `out`, which is replaced. On an error nothing is left there. */
export const packTo = async (
  path: string,
  out: string,
  options: PackOptions = {},
): Promise<Packed> => {
  const { profile, hasher } = await choose(options)
  const writer = await PayloadWriter.open(out, profile)
  try {
    const result = await runImport(path, writer, { options, profile, hasher, phase: 'packing' })
    const size = await writer.finish(result.root)
    await writer.close()
    return { ...result, ...size, profile: profile.name, hash: hasher.name }
  } catch (error) {
    await writer.close()
    await rm(out, { force: true })
    throw error
  }
}

interface Choice {
  readonly profile: Profile
  readonly hasher: ImportOptions['hasher']
}

/** @throws HoldfastError `USAGE` for unknown names, and for a CIDv0 profile with another hash. */
const choose = async (options: PackOptions): Promise<Choice> => {
  const profile = profileOf(options.profile ?? DEFAULT_PROFILE)
  const hasher = await openHasher(options.hash ?? 'sha2-256')
  if (profile.cidVersion === 0 && hasher.name !== 'sha2-256') {
    const reason = `CIDv0 (profile ${profile.name}) exists for sha2-256 only`
    throw new HoldfastError({ code: 'USAGE', reason })
  }
  return { profile, hasher }
}

interface ImportJob extends Choice {
  readonly options: PackOptions
  readonly phase: string
}

/** Looks through the tree first: what cannot be read is found before the work, not in its middle. */
const runImport = async (
  path: string,
  sink: BlockSink,
  { options, profile, hasher, phase: name }: ImportJob,
): ReturnType<typeof importTree> => {
  const { progress = silentProgress, hidden = false, signal } = options
  const source = { hidden, ...(signal === undefined ? {} : { signal }) }
  const size = await measureSource(await openSource(path), source)
  const phase = progress.phase(name, size.bytes)
  try {
    return await importTree(path, sink, {
      ...source,
      profile,
      hasher,
      onBytes: (count) => phase.advance(count),
    })
  } finally {
    phase.end()
  }
}
