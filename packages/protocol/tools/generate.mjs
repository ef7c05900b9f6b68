#!/usr/bin/env node
/**
 * Generates `src/generated/` from `proto/` with buf and protoc-gen-es, both from the root's
 * node_modules, offline. With `--check` it generates into a temporary directory, compares, and
 * exits with 1 when anything differs.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(dirname(fileURLToPath(import.meta.url)))
const bin = join(here, '../../node_modules/.bin')
const committed = join(here, 'src/generated')

const generate = (out) => {
  const template = JSON.stringify({
    version: 'v2',
    plugins: [{ local: 'protoc-gen-es', out, opt: ['target=ts', 'import_extension=ts'] }],
  })
  const run = spawnSync(join(bin, 'buf'), ['generate', 'proto', '--template', template], {
    cwd: here,
    env: { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` },
    encoding: 'utf8',
  })
  if (run.error || run.status !== 0) {
    throw new Error(`buf generate failed: ${run.error?.message ?? run.stderr}`)
  }
}

const files = (root) =>
  !existsSync(root)
    ? []
    : readdirSync(root, { recursive: true })
        .map(String)
        .filter((name) => statSync(join(root, name)).isFile())
        .sort()

const differing = (fresh) => {
  const names = new Set([...files(fresh), ...files(committed)])
  return [...names].filter((name) => {
    const [a, b] = [join(fresh, name), join(committed, name)]
    return !existsSync(a) || !existsSync(b) || readFileSync(a, 'utf8') !== readFileSync(b, 'utf8')
  })
}

const check = () => {
  const fresh = mkdtempSync(join(tmpdir(), 'holdfast-proto-'))
  try {
    generate(fresh)
    const stale = differing(fresh)
    for (const name of stale) {
      process.stderr.write(
        `${relative(process.cwd(), join(committed, name))} is not what proto/ says\n`,
      )
    }
    if (stale.length > 0) {
      process.stderr.write('run: node packages/protocol/tools/generate.mjs\n')
      process.exitCode = 1
    }
  } finally {
    rmSync(fresh, { recursive: true, force: true })
  }
}

if (process.argv.includes('--check')) check()
else {
  rmSync(committed, { recursive: true, force: true })
  generate(committed)
}
