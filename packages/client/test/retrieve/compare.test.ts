/** A directory against a dataset: every difference is named, and none that is not there. */
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { packTo } from '../../src/pack.ts'
import { differences } from '../../src/retrieve/compare.ts'
import { ReplicaReader } from '../../src/retrieve/replica-reader.ts'
import { sha256Hasher } from '../../src/unixfs/block-hasher.ts'
import { profileOf } from '../../src/unixfs/profiles.ts'
import { openSource } from '../../src/unixfs/source-tree.ts'
import { mixedTree } from '../random-tree.ts'
import { temporary } from '../support.ts'
import { BytesSource } from './sources.ts'

test('changed, missing and extra entries, at any depth', async () => {
  const tree = await mixedTree()
  const car = join(await temporary(), 'car')
  const { root } = await packTo(tree, car)
  const blocks = await ReplicaReader.open(new BytesSource(await readFile(car)))
  const found = async (): Promise<readonly string[]> => {
    const source = await openSource(tree)
    const options = { profile: profileOf('unixfs-v1-2025'), hasher: sha256Hasher, hidden: false }
    const all: string[] = []
    for await (const { kind, path } of differences(blocks, root, { source, path: '' }, options)) {
      all.push(`${kind} ${path}`)
    }
    return all.sort()
  }
  expect(await found()).toEqual([])
  await writeFile(join(tree, 'hello.txt'), 'Hello\n')
  await rm(join(tree, 'deep', 'er', 'still'), { recursive: true })
  await writeFile(join(tree, 'deep', 'new'), '')
  await rm(join(tree, 'empty file'))
  expect(await found()).toEqual([
    'changed hello.txt',
    'extra deep/new',
    'missing deep/er/still',
    'missing empty file',
  ])
})
