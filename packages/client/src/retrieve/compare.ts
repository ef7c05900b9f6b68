/**
 * Compares a dataset with a directory: first by root CID, which needs no network when they are the
 * same; where they differ, both trees are walked and every differing path is named.
 */
import type { CID } from 'multiformats/cid'
import type { BlockHasher } from '../unixfs/block-hasher.ts'
import { importTree } from '../unixfs/import-tree.ts'
import type { Profile } from '../unixfs/profiles.ts'
import { listSource, type SourceEntry } from '../unixfs/source-tree.ts'
import type { BlockGetter } from './replica-reader.ts'
import { listEntries, type OpenNode, openNode } from './unixfs-reader.ts'

export interface Difference {
  /** Relative to the root; empty for the root itself. */
  readonly path: string
  /** `missing`: in the dataset only. `extra`: on disk only. `changed`: both, but different. */
  readonly kind: 'missing' | 'extra' | 'changed'
}

export interface LocalOptions {
  readonly profile: Profile
  readonly hasher: BlockHasher
  readonly hidden: boolean
  readonly signal?: AbortSignal
}

/** Names what differs between the dataset's node and what is on disk. */
export async function* differences(
  blocks: BlockGetter,
  cid: CID,
  at: { readonly source: SourceEntry; readonly path: string },
  options: LocalOptions,
): AsyncGenerator<Difference> {
  const { source, path } = at
  if ((await sourceCid(source, options)).equals(cid)) return
  const node = await openNode(blocks, cid)
  if (node.kind !== 'directory' || source.kind !== 'directory') {
    yield { path, kind: 'changed' }
    return
  }
  yield* directoryDifferences(blocks, node, at, options)
}

async function* directoryDifferences(
  blocks: BlockGetter,
  node: OpenNode & { kind: 'directory' },
  { source, path }: { readonly source: SourceEntry; readonly path: string },
  options: LocalOptions,
): AsyncGenerator<Difference> {
  const there = new Map<string, CID>()
  for await (const { name, cid } of listEntries(blocks, node)) there.set(name, cid)
  for (const local of await listSource(source.path, options)) {
    const below = path === '' ? local.name : `${path}/${local.name}`
    const cid = there.get(local.name)
    there.delete(local.name)
    if (cid === undefined) yield { path: below, kind: 'extra' }
    else yield* differences(blocks, cid, { source: local, path: below }, options)
  }
  for (const name of [...there.keys()].sort()) {
    yield { path: path === '' ? name : `${path}/${name}`, kind: 'missing' }
  }
}

/** A symbolic link below the root is compared as a link, not as what it points to. */
const sourceCid = async (source: SourceEntry, options: LocalOptions): Promise<CID> =>
  (await importTree(source, { put: () => undefined }, options)).root
