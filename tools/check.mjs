/**
 * `npm run check`: format and lint, types, house rules, generated files, in this order, and no
 * tests. All steps run even when one fails; each failure names the file and what to do.
 */
import { access } from 'node:fs/promises'
import { ensureBuilt } from './lib/built.mjs'
import { ensureInstalled } from './lib/installed.mjs'
import { requireNode } from './lib/node-version.mjs'
import { inRoot } from './lib/root.mjs'
import { runNode } from './lib/run.mjs'
import { duration, runMain, say } from './lib/say.mjs'

/** Scripts that compare committed generated files with a regeneration. */
const GENERATORS = [
  'packages/protocol/tools/generate.mjs',
  'packages/chain/tools/generate.mjs',
  'packages/chain/tools/gas-page.mjs',
  'native/build-wasm.mjs',
  'vectors/generate.mjs',
]

const script =
  (path, ...args) =>
  async () =>
    (await runNode([inRoot(path), ...args], { show: 'stderr' })).code

const biome = async () => {
  const program = inRoot('node_modules', '@biomejs', 'biome', 'bin', 'biome')
  const args = ['check', '--error-on-warnings', '--colors=off', '--max-diagnostics=40', '.']
  return (await runNode([program, ...args], { show: 'stderr' })).code
}

const types = async () => {
  await ensureBuilt()
  return 0
}

const generated = async () => {
  const codes = [await script('tools/lockfile.mjs', '--check')()]
  for (const path of GENERATORS) {
    const there = await access(inRoot(path)).then(
      () => true,
      () => false,
    )
    if (there) codes.push(await script(path, '--check')())
  }
  return Math.max(...codes)
}

const STEPS = [
  ['format and lint', biome, 'npm run format mends what can be mended; the rest is named above'],
  ['types', types, 'each error above names file and position'],
  ['house rules', script('tools/tidy.mjs'), 'each line above names file, rule and remedy'],
  ['generated files', generated, 'run the generator named above without --check, then commit'],
]

const attempt = async ([name, act, remedy]) => {
  const began = performance.now()
  let code
  try {
    code = await act()
  } catch (error) {
    say(error.message)
    code = 1
  }
  const verdict = code === 0 ? 'ok' : `FAILED: ${remedy}`
  say(`check: ${name}: ${verdict} (${duration(performance.now() - began)})`)
  return code === 0
}

runMain(async () => {
  requireNode()
  await ensureInstalled()
  const passed = []
  for (const step of STEPS) passed.push(await attempt(step))
  const failed = passed.filter((ok) => !ok).length
  say(failed === 0 ? 'check: all passed' : `check: ${failed} of ${STEPS.length} failed`)
  return failed === 0 ? 0 : 1
})
