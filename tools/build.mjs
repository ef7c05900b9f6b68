/**
 * `npm run build`: installs and compiles what is not up to date. Called with `--force` it forgets
 * the last build first.
 */
import { rm } from 'node:fs/promises'
import { ensureReady } from './lib/ready.mjs'
import { inRoot, WORKSPACES } from './lib/root.mjs'
import { runMain, say } from './lib/say.mjs'

runMain(async () => {
  if (process.argv.includes('--force')) {
    await rm(inRoot('node_modules', '.holdfast-built'), { force: true })
    for (const folder of WORKSPACES) {
      await rm(inRoot(folder, 'dist'), { recursive: true, force: true })
    }
  }
  await ensureReady()
  say('up to date')
})
