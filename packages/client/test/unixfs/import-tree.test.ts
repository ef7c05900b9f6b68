/**
 * The import against the reference importer on random trees, and what it says about inputs that
 * cannot be published.
 */
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { HoldfastError } from '@holdfast/protocol'
import { decode } from '@ipld/dag-pb'
import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { type ImportCandidate, importer } from 'ipfs-unixfs-importer'
import { fixedSize } from 'ipfs-unixfs-importer/chunker'
import { balanced } from 'ipfs-unixfs-importer/layout'
import type { CID } from 'multiformats/cid'
import { blake3Wasm, openHasher, sha256Hasher } from '../../src/unixfs/block-hasher.ts'
import { FileDag } from '../../src/unixfs/file-dag.ts'
import { importTree } from '../../src/unixfs/import-tree.ts'
import { NodeWriter } from '../../src/unixfs/node-writer.ts'
import { PROFILE_NAMES, type Profile, profileOf } from '../../src/unixfs/profiles.ts'
import { seeded, temporary } from '../support.ts'
import { cidOf } from './profile-vectors.ts'

interface Entry {
  readonly path: readonly string[]
  readonly size: number
}

const name = fc.oneof(
  fc.stringMatching(/^[a-z]{1,8}$/),
  fc.constantFrom('with space', 'seedling 🌱', 'line\nbreak', 'Ünïcödé', 'back\\slash', '-', '~'),
)
const size = fc.oneof(
  fc.integer({ min: 0, max: 3000 }),
  fc.constantFrom(262_143, 262_144, 262_145, 1_048_576, 1_048_577),
)
const tree = fc.array(fc.record({ path: fc.array(name, { minLength: 1, maxLength: 4 }), size }), {
  maxLength: 12,
})

/** Entries without those that would be a file and a directory at once. */
const consistent = (entries: readonly Entry[]): readonly Entry[] => {
  const files = new Map<string, Entry>()
  for (const entry of entries) {
    const key = entry.path.join('/')
    const clash = [...files.keys()].some((other) => {
      return other === key || other.startsWith(`${key}/`) || key.startsWith(`${other}/`)
    })
    if (!clash) files.set(key, entry)
  }
  return [...files.values()]
}

const content = ({ path, size }: Entry): Buffer => seeded(path.join('/'), size)

const writeEntries = async (root: string, entries: readonly Entry[]): Promise<void> => {
  await mkdir(root)
  for (const entry of entries) {
    const path = join(root, ...entry.path)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, content(entry))
  }
}

/** The importer's root for the same entries. */
const referenceCid = async (entries: readonly Entry[], profile: Profile): Promise<string> => {
  const blocks = { put: async (cid: CID) => cid }
  // The importer splits paths at slashes that no backslash stands before.
  const source: ImportCandidate[] = entries.map((entry) => ({
    path: ['root', ...entry.path].join('/'),
    content: content(entry),
  }))
  if (entries.length === 0) source.push({ path: 'root' })
  const settings =
    profile.name === 'kubo-cid-v1'
      ? {
          rawLeaves: true,
          cidVersion: 1 as const,
          shardSplitStrategy: 'links-bytes' as const,
          chunker: fixedSize({ chunkSize: profile.chunkSize }),
          layout: balanced({ maxChildrenPerNode: profile.width }),
        }
      : { profile: profile.name }
  let last = ''
  for await (const { cid, path } of importer(source, blocks as never, settings)) {
    if (path === 'root') last = cid.toString()
  }
  return last
}

test.each(PROFILE_NAMES)('random trees get the root the importer gives: %s', async (profile) => {
  const folder = await temporary()
  let count = 0
  await fc.assert(
    fc.asyncProperty(tree, async (entries) => {
      // A name that ends in a backslash would escape the importer's separator.
      const kept = consistent(entries)
      const root = join(folder, String(count++))
      await writeEntries(root, kept)
      expect(await cidOf(root, profile)).toBe(await referenceCid(kept, profileOf(profile)))
    }),
    { numRuns: 25 },
  )
})

test('balanced layouts agree for every number of chunks around the width', async () => {
  const profile: Profile = { ...profileOf('unixfs-v1-2025'), chunkSize: 1, width: 3 }
  for (let chunks = 1; chunks <= 40; chunks++) {
    const data = seeded('layout', chunks)
    const file = new FileDag(new NodeWriter(profile, sha256Hasher, { put: () => undefined }))
    for (const byte of data) file.add(Uint8Array.of(byte))
    let reference = ''
    const settings = {
      rawLeaves: true,
      cidVersion: 1 as const,
      chunker: fixedSize({ chunkSize: 1 }),
      layout: balanced({ maxChildrenPerNode: 3 }),
    }
    const blocks = { put: async (cid: CID) => cid } as never
    for await (const { cid } of importer([{ content: data }], blocks, settings)) {
      reference = cid.toString()
    }
    expect(file.finish().cid.toString()).toBe(reference)
  }
})

test('BLAKE3 has the same tree with other names, and both engines agree', async () => {
  const folder = join(await temporary(), 'tree')
  await writeEntries(folder, [
    { path: ['a'], size: 10 },
    { path: ['b', 'c'], size: 1_048_577 },
  ])
  const shape = async (hash: string): Promise<readonly unknown[]> => {
    const seen: unknown[] = []
    const put = (cid: CID, block: Uint8Array): undefined => {
      seen.push([cid.code, cid.code === 0x70 ? decode(block).Links.length : block.length])
    }
    const options = { profile: profileOf('unixfs-v1-2025'), hidden: false }
    await importTree(folder, { put }, { ...options, hasher: await openHasher(hash) })
    return seen
  }
  expect(await shape('blake3')).toEqual(await shape('sha2-256'))
  const native = await openHasher('blake3')
  const wasm = await blake3Wasm()
  for (const length of [0, 1, 64, 1024, 1025, 70_000]) {
    const data = seeded('engines', length)
    expect(Buffer.from(wasm.digest(data))).toEqual(Buffer.from(native.digest(data)))
  }
  // The first vector of the BLAKE3 repository: the empty input.
  expect(Buffer.from(native.digest(new Uint8Array())).toString('hex')).toBe(
    'af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262',
  )
})

test('hidden entries are out unless asked for; the path itself may be hidden', async () => {
  const folder = join(await temporary(), '.root')
  await writeEntries(folder, [{ path: ['seen'], size: 3 }])
  const plain = await cidOf(folder, 'unixfs-v1-2025', { hidden: false })
  await writeFile(join(folder, '.secret'), 'x')
  expect(await cidOf(folder, 'unixfs-v1-2025', { hidden: false })).toBe(plain)
  expect(await cidOf(folder, 'unixfs-v1-2025', { hidden: true })).not.toBe(plain)
})

test('symbolic links stay links, even when they lead nowhere; the path itself is followed', async () => {
  const base = await temporary()
  const folder = join(base, 'tree')
  await mkdir(folder)
  await symlink('nowhere', join(folder, 'dangling'))
  const blocks: Uint8Array[] = []
  const put = (_cid: CID, block: Uint8Array): undefined => {
    blocks.push(Uint8Array.from(block))
  }
  const options = { profile: profileOf('unixfs-v1-2025'), hasher: sha256Hasher, hidden: false }
  await importTree(folder, { put }, options)
  expect(Buffer.concat(blocks).includes('nowhere')).toBe(true)
  await symlink('tree', join(base, 'link'))
  expect(await cidOf(join(base, 'link'), 'unixfs-v1-2025')).toBe(
    await cidOf(folder, 'unixfs-v1-2025'),
  )
})

const codeOf = async (path: string): Promise<readonly [string | undefined, string]> => {
  try {
    await cidOf(path, 'unixfs-v1-2025')
    return [undefined, '']
  } catch (error) {
    return HoldfastError.is(error) ? [error.code, error.message] : [String(error), '']
  }
}

test('a missing path is named', async () => {
  const path = join(await temporary(), 'not-there')
  const [code, message] = await codeOf(path)
  expect(code).toBe('FILE_NOT_FOUND')
  expect(message).toContain(path)
})

test('a socket is named and explained', async () => {
  const folder = join(await temporary(), 'tree')
  await mkdir(folder)
  const path = join(folder, 'socket')
  const server = createServer().listen(path)
  await new Promise((resolve) => server.once('listening', resolve))
  const [code, message] = await codeOf(folder)
  server.close()
  expect(code).toBe('INPUT_UNREADABLE')
  expect(message).toContain(path)
  expect(message).toContain('socket')
})

test('a name that is not UTF-8 is refused, not guessed', async () => {
  const folder = join(await temporary(), 'tree')
  await mkdir(folder)
  await writeFile(Buffer.concat([Buffer.from(`${folder}/bad`), Buffer.from([0xff, 0xfe])]), 'x')
  const [code, message] = await codeOf(folder)
  expect(code).toBe('INPUT_UNREADABLE')
  expect(message).toContain('UTF-8')
})
