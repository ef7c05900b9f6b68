/** Trees on disk for tests of packing and reading: many shapes, bytes that depend on names only. */
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { seeded, temporary } from './support.ts'

/** A small tree with everything that exists: sizes around chunk borders, duplicates, odd names. */
export const mixedTree = async (): Promise<string> => {
  const root = join(await temporary(), 'mixed')
  await mkdir(join(root, 'deep', 'er', 'still'), { recursive: true })
  await mkdir(join(root, 'empty directory'))
  await writeFile(join(root, 'empty file'), '')
  await writeFile(join(root, 'hello.txt'), 'hello\n')
  await writeFile(join(root, 'seedling 🌱'), 'emoji')
  await writeFile(join(root, 'line\nbreak'), 'line')
  await writeFile(join(root, 'deep', 'one chunk'), seeded('one', 1 << 20))
  await writeFile(join(root, 'deep', 'er', 'three chunks'), seeded('three', 2_500_000))
  await writeFile(join(root, 'deep', 'er', 'same again'), seeded('three', 2_500_000))
  await writeFile(join(root, 'deep', 'er', 'still', 'zeros'), Buffer.alloc(3 << 20))
  await symlink('../hello.txt', join(root, 'deep', 'link'))
  return root
}

/** A directory of many small files, large enough to become a HAMT. */
export const manyFiles = async (count: number): Promise<string> => {
  const root = join(await temporary(), 'many')
  await mkdir(root)
  for (let i = 0; i < count; i++) {
    const name = `file-${String(i).padStart(6, '0')}-with-a-rather-long-name-for-the-directory.txt`
    await writeFile(join(root, name), `content of file number ${i}\n`.repeat(1 + (i % 7)))
  }
  return root
}
