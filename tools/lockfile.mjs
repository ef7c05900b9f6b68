/**
 * Completes package-lock.json with the platform packages that the registry did not have when the
 * lockfile was written. npm leaves an optional dependency out when it cannot be fetched, and then
 * `npm ci` refuses the lockfile as out of step; an entry with the right `os` and `cpu` is enough for
 * it to be skipped here and fetched where it is needed.
 *
 * `node tools/lockfile.mjs` completes the file, `--check` only says whether it is complete.
 * It never touches an entry that exists. Run it after every `npm install` that changed the lockfile.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const SYSTEMS = ['android', 'darwin', 'freebsd', 'linux', 'openharmony', 'win32']
const PROCESSORS = new Map([
  ['arm64', 'arm64'],
  ['x64', 'x64'],
  ['arm', 'arm'],
  ['armv7', 'arm'],
  ['armv6', 'arm'],
  ['ia32', 'ia32'],
  ['loong64', 'loong64'],
  ['ppc64', 'ppc64'],
  ['riscv64', 'riscv64'],
  ['s390x', 's390x'],
])

/** The `os`, `cpu` and `libc` that a platform package's name states; undefined for other names. */
export const platformOf = (name) => {
  const words = name.split('/').at(-1).split(/[-.]/)
  const system = words.find((word) => SYSTEMS.includes(word))
  const processor = words.find((word) => PROCESSORS.has(word))
  if (system === undefined || processor === undefined) return undefined
  const musl = words.some((word) => word.startsWith('musl'))
  const gnu = words.some((word) => word.startsWith('gnu'))
  return {
    cpu: [PROCESSORS.get(processor)],
    ...(system === 'linux' && (musl || gnu) ? { libc: [musl ? 'musl' : 'glibc'] } : {}),
    os: [system],
  }
}

/** npm writes `version` first and the rest by name. */
const inOrder = ({ version, ...rest }) => ({
  version,
  ...Object.fromEntries(Object.entries(rest).sort(([a], [b]) => a.localeCompare(b, 'en'))),
})

const resolves = (packages, from, name) => {
  for (let place = from; ; ) {
    if (packages[`${place === '' ? '' : `${place}/`}node_modules/${name}`] !== undefined)
      return true
    if (place === '') return false
    const cut = place.lastIndexOf('/node_modules/')
    place = cut === -1 ? '' : place.slice(0, cut)
  }
}

/**
 * The entries that are missing from `lock`, as [place, entry] pairs.
 * @throws Error for an unmet optional dependency whose name states no platform.
 */
export const missingEntries = (lock) => {
  const missing = []
  for (const [place, entry] of Object.entries(lock.packages)) {
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      if (resolves(lock.packages, place, name)) continue
      const platform = platformOf(name)
      if (platform === undefined || !/^\d/.test(version)) {
        throw new Error(
          `package-lock.json: ${place} wants ${name}@${version}, which no entry satisfies and ` +
            'whose name states no platform; run npm install and look at why it is left out',
        )
      }
      const flags = { ...(entry.dev ? { dev: true } : {}), optional: true }
      missing.push([`node_modules/${name}`, inOrder({ version, ...platform, ...flags })])
    }
  }
  return missing
}

/** `lock` with `entries` added, its packages in npm's order. */
export const withEntries = (lock, entries) => {
  const all = [...Object.entries(lock.packages), ...entries]
  all.sort(([a], [b]) => a.localeCompare(b, 'en'))
  return { ...lock, packages: Object.fromEntries(all) }
}

const main = async () => {
  const path = join(fileURLToPath(new URL('..', import.meta.url)), 'package-lock.json')
  const lock = JSON.parse(await readFile(path, 'utf8'))
  const missing = missingEntries(lock)
  if (missing.length === 0) return
  if (process.argv.includes('--check')) {
    const names = missing.map(([place]) => place.slice('node_modules/'.length)).join(', ')
    throw new Error(`package-lock.json lacks ${names}; run: node tools/lockfile.mjs`)
  }
  await writeFile(path, `${JSON.stringify(withEntries(lock, missing), null, 2)}\n`)
  process.stderr.write(`package-lock.json: ${missing.length} platform packages added\n`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  main().catch((error) => {
    process.stderr.write(`${error.message}\n`)
    process.exitCode = 1
  })
}
