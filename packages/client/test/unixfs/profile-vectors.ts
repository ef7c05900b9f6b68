/** Makes the inputs of the IPIP-499 vectors on disk; shared by the fast and the slow suite. */
import { createHash } from 'node:crypto'
import { mkdir, open, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openHasher } from '../../src/unixfs/block-hasher.ts'
import { importTree } from '../../src/unixfs/import-tree.ts'
import { profileOf } from '../../src/unixfs/profiles.ts'
import { keystream, readJson, seeded, temporary, vectorPath } from '../support.ts'

export interface VectorCase {
  readonly case: string
  readonly bytes?: number
  readonly cid: string
  readonly names?: { readonly count: number; readonly length: number; readonly lastLength: number }
}

export const PROFILES = ['unixfs-v0-2015', 'unixfs-v1-2025'] as const
export const vectors = (await readJson(vectorPath('unixfs', 'profiles.json'))) as {
  readonly [profile: string]: readonly VectorCase[]
}

const SEEDS: Record<string, { readonly chunk: string; readonly links: string }> = {
  'unixfs-v0-2015': { chunk: 'chunk-v0-seed', links: 'v0-seed' },
  'unixfs-v1-2025': { chunk: 'chunk-v1-seed', links: 'v1-2025-seed' },
}

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz01234567890-_'

/** Writes the case's input and returns its path. */
export const makeInput = async (profile: string, vector: VectorCase): Promise<string> => {
  const path = join(await temporary(), 'input')
  if (vector.names !== undefined) {
    const { count, length, lastLength } = vector.names
    const stream = seeded(`hamt-${profile}`, length * (count - 1) + lastLength)
    const text = Array.from(stream, (byte) => ALPHABET[byte % 39]).join('')
    await mkdir(path)
    for (let i = 0; i < count; i++) {
      const end = i === count - 1 ? text.length : (i + 1) * length
      await writeFile(join(path, text.slice(i * length, end)), 'x')
    }
    return path
  }
  if (vector.case === 'hello world') {
    await writeFile(path, 'hello world')
    return path
  }
  const seeds = SEEDS[profile]
  const seed = vector.case.includes('links') ? seeds?.links : seeds?.chunk
  const file = await open(path, 'w')
  for (const piece of keystream(seed ?? '', vector.bytes ?? 0)) await file.write(piece)
  await file.close()
  return path
}

export const cidOf = async (
  path: string,
  profile: string,
  { hidden = true, hash = 'sha2-256' } = {},
): Promise<string> => {
  const { root } = await importTree(
    path,
    { put: () => undefined },
    { profile: profileOf(profile), hasher: await openHasher(hash), hidden },
  )
  return root.toString()
}

/** For failure messages only. */
export const shortHash = (data: Uint8Array): string =>
  createHash('sha256').update(data).digest('hex').slice(0, 8)
