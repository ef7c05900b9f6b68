/**
 * `npm run bench -- <suite> [--json]`: installs and builds what is needed, then measures. The suites
 * and what they print are in bench/src.
 */
import { ensureReady } from './lib/ready.mjs'
import { inRoot } from './lib/root.mjs'
import { runNode } from './lib/run.mjs'
import { runMain } from './lib/say.mjs'

runMain(async () => {
  await ensureReady()
  const { code } = await runNode(
    [inRoot('bench', 'dist', 'src', 'main.js'), ...process.argv.slice(2)],
    {
      show: 'all',
    },
  )
  process.exitCode = code
})
