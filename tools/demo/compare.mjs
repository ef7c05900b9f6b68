/**
 * Compares what was retrieved with what was published, byte for byte and name for name, with code
 * that shares nothing with either side. Files are read in pieces, so any size will do.
 */
import { lstat, open, readdir, readlink, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { ToolError } from '../lib/say.mjs'

const PIECE_BYTES = 1 << 20

const differ = (path, how) =>
  new ToolError(`The copy differs from the source: ${JSON.stringify(path)} ${how}.`)

const compareFiles = async (source, copy, path) => {
  const [a, b] = await Promise.all([open(source, 'r'), open(copy, 'r')])
  try {
    const left = Buffer.alloc(PIECE_BYTES)
    const right = Buffer.alloc(PIECE_BYTES)
    for (let at = 0; ; ) {
      const { bytesRead } = await a.read(left, 0, PIECE_BYTES, at)
      const piece = await readFully(b, right, { length: Math.max(bytesRead, 1), at })
      if (piece !== bytesRead || left.compare(right, 0, piece, 0, bytesRead) !== 0) {
        throw differ(path, `has other bytes near offset ${at}`)
      }
      if (bytesRead === 0) return at
      at += bytesRead
    }
  } finally {
    await Promise.all([a.close(), b.close()])
  }
}

const readFully = async (handle, buffer, { length, at }) => {
  let filled = 0
  while (filled < length) {
    const { bytesRead } = await handle.read(buffer, filled, length - filled, at + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return filled
}

const kindOf = (found) => {
  if (found.isSymbolicLink()) return 'link'
  return found.isDirectory() ? 'directory' : 'file'
}

const compareEntries = async (source, copy, path) => {
  const [names, others] = await Promise.all([readdir(source), readdir(copy)])
  const missing = names.find((name) => !others.includes(name))
  if (missing !== undefined) throw differ(join(path, missing), 'is missing')
  const extra = others.find((name) => !names.includes(name))
  if (extra !== undefined) throw differ(join(path, extra), 'was never published')
  const total = { files: 0, bytes: 0 }
  for (const name of names) {
    const part = await compare(join(source, name), join(copy, name), join(path, name))
    total.files += part.files
    total.bytes += part.bytes
  }
  return total
}

/** At the top a link is followed, because publishing follows it there. */
const look = async (path, below) => {
  try {
    return await (below === '' ? stat(path) : lstat(path))
  } catch (error) {
    if (error.code === 'ENOENT') throw differ(below, 'is missing')
    throw error
  }
}

/**
 * Compares two trees.
 * @returns {Promise<{ files: number, bytes: number }>} what was compared, all of it equal.
 * @throws ToolError naming the first difference.
 */
export const compare = async (source, copy, path = '') => {
  const [a, b] = await Promise.all([look(source, path), look(copy, path)])
  const kind = kindOf(a)
  if (kind !== kindOf(b)) throw differ(path, `is a ${kindOf(b)} instead of a ${kind}`)
  if (kind === 'directory') return compareEntries(source, copy, path)
  if (kind === 'file') return { files: 1, bytes: await compareFiles(source, copy, path) }
  if ((await readlink(source)) !== (await readlink(copy))) throw differ(path, 'leads elsewhere')
  return { files: 0, bytes: 0 }
}
