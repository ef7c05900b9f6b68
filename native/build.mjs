/**
 * Compiles the native addon when a C compiler answers. Run it as `node native/build.mjs`, or call
 * `buildNative()`. Does nothing when the sources, the flags and the compiler are those of the last
 * build; says plainly when there is no compiler, and ends well: WASM then does the work.
 *
 * Invariant: never writes outside `native/build`. Does not depend on any compiled TypeScript.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const HERE = dirname(fileURLToPath(import.meta.url))
const SOURCES = join(HERE, 'csrc')
const OUT = join(HERE, 'build')
const ADDON = join(OUT, 'holdfast.node')
const STAMP = join(OUT, 'holdfast.json')

const FLAGS = ['-std=gnu11', '-O3', '-fPIC', '-fvisibility=hidden', '-Wall', '-Wextra', '-pthread']
const LINK =
  process.platform === 'darwin' ? ['-bundle', '-undefined', 'dynamic_lookup'] : ['-shared']

const headers = () => {
  const require = createRequire(import.meta.url)
  return join(dirname(require.resolve('node-api-headers/package.json')), 'include')
}

const versionOf = (compiler) => {
  const run = spawnSync(compiler, ['--version'], { encoding: 'utf8' })
  return run.status === 0 ? run.stdout.split('\n')[0] : undefined
}

/** The first C compiler that answers: CC, cc, gcc, clang. */
const findCompiler = () => {
  for (const command of [process.env.CC, 'cc', 'gcc', 'clang']) {
    if (!command) continue
    const version = versionOf(command)
    if (version !== undefined) return { command, version }
  }
  return undefined
}

const sourceNames = () =>
  readdirSync(SOURCES)
    .filter((name) => name.endsWith('.c'))
    .sort()

const fingerprint = (compiler) => {
  const hash = createHash('sha256')
  const facts = {
    ...compiler,
    flags: [...FLAGS, ...LINK],
    arch: process.arch,
    os: process.platform,
  }
  hash.update(JSON.stringify(facts))
  for (const name of readdirSync(SOURCES).sort()) {
    hash.update(`\0${name}\0`).update(readFileSync(join(SOURCES, name)))
  }
  return hash.digest('hex')
}

const lastBuild = () => {
  try {
    readFileSync(ADDON)
    return JSON.parse(readFileSync(STAMP, 'utf8')).fingerprint
  } catch {
    return undefined // never built, or half built: build
  }
}

/** Loads the result in a process of its own, so that a bad build cannot hurt this one. */
const trial = (file) =>
  spawnSync(
    process.execPath,
    ['-e', `console.log(require(${JSON.stringify(file)}).kernels.join(' '))`],
    {
      encoding: 'utf8',
    },
  )

/**
 * @returns {{ state: 'built' | 'current' | 'absent' | 'failed', notice: string }} `absent` without a
 *   compiler, `failed` when it does not accept the sources; both leave no addon behind.
 */
export const buildNative = () => {
  const compiler = findCompiler()
  if (compiler === undefined) {
    rmSync(OUT, { recursive: true, force: true })
    return {
      state: 'absent',
      notice: 'native: no C compiler (CC, cc, gcc, clang); hashing uses WASM',
    }
  }
  const wanted = fingerprint(compiler)
  if (lastBuild() === wanted) return { state: 'current', notice: 'native: up to date' }
  mkdirSync(OUT, { recursive: true })
  const fresh = join(OUT, `holdfast.${process.pid}.node`)
  const sources = sourceNames().map((name) => join(SOURCES, name))
  const args = [...FLAGS, ...LINK, `-I${headers()}`, '-o', fresh, ...sources]
  const run = spawnSync(compiler.command, args, { encoding: 'utf8' })
  const loaded = run.status === 0 ? trial(fresh) : undefined
  if (loaded?.status !== 0) {
    const reason =
      (loaded ?? run).stderr || `${compiler.command} ended with ${run.status ?? run.signal}`
    rmSync(OUT, { recursive: true, force: true })
    return { state: 'failed', notice: `native: cannot compile, hashing uses WASM\n${reason}` }
  }
  renameSync(fresh, ADDON)
  writeFileSync(STAMP, `${JSON.stringify({ fingerprint: wanted, compiler: compiler.version })}\n`)
  return {
    state: 'built',
    notice: `native: built with ${compiler.version}; ${loaded.stdout.trim()}`,
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.error(buildNative().notice)
