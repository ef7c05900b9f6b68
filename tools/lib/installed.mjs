/**
 * Makes sure that node_modules is what package-lock.json says, and does nothing when it is.
 *
 * Fast path: a stamp in node_modules with the hash of the lockfile. Without a stamp (somebody ran
 * npm by hand) npm's own record of what it installed is compared with the lockfile. Only if they
 * differ does `npm ci` run, with install scripts off: no dependency of ours needs one.
 */
import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { inRoot } from './root.mjs'
import { run, runNode } from './run.mjs'
import { say, ToolError } from './say.mjs'

const STAMP = inRoot('node_modules', '.holdfast-installed')

const textOf = async (path) => {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined
    throw error
  }
}

const wanted = async () => {
  const lock = await textOf(inRoot('package-lock.json'))
  if (lock === undefined) {
    throw new ToolError(
      'package-lock.json is missing.',
      'Restore it: git checkout -- package-lock.json',
    )
  }
  const machine = `${process.platform} ${process.arch} ${process.versions.node.split('.')[0]}`
  return { lock, stamp: createHash('sha256').update(`${machine}\n${lock}`).digest('hex') }
}

/**
 * True when what npm says it installed (`actual`, node_modules/.package-lock.json) holds every
 * package of `lock` at the same version. Optional packages may be absent: another platform's.
 */
export const matchesLock = (lock, actual) => {
  const have = actual.packages ?? {}
  return Object.entries(lock.packages).every(([place, entry]) => {
    if (!place.includes('node_modules/')) return true
    const found = have[place]
    if (found === undefined) return entry.optional === true
    return found.version === entry.version && found.resolved === entry.resolved
  })
}

const isInstalled = async ({ lock, stamp }) => {
  if ((await textOf(STAMP)) === stamp) return true
  const actual = await textOf(inRoot('node_modules', '.package-lock.json'))
  if (actual === undefined || !matchesLock(JSON.parse(lock), JSON.parse(actual))) return false
  await writeFile(STAMP, stamp)
  return true
}

/** npm as the caller runs it, else from PATH (on Windows a .cmd needs a shell). */
const npm = (args, options) => {
  const cli = process.env.npm_execpath
  if (cli?.endsWith('.js')) return runNode([cli, ...args], options)
  return run('npm', args, options)
}

/** @throws ToolError when the installation fails. */
export const ensureInstalled = async () => {
  const want = await wanted()
  if (await isInstalled(want)) return
  say('installing dependencies (npm ci) ...')
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  const { code } = await npm(args, { show: 'stderr' })
  if (code !== 0) {
    throw new ToolError(
      `npm ci ended with exit code ${code}; see its messages above.`,
      'Check the network and the registry settings of npm, then run the same command again.',
    )
  }
  await writeFile(STAMP, want.stamp)
}
