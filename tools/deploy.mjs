/**
 * `npm run deploy -- --rpc <url> --config <file>`: puts the contracts on any EVM chain and writes a
 * network file. Builds what is not built, then hands over to `holdfast-deploy`; an example of the
 * configuration is in packages/chain/README.md.
 */
import { ensureReady } from './lib/ready.mjs'
import { inRoot } from './lib/root.mjs'
import { runNode } from './lib/run.mjs'
import { runMain } from './lib/say.mjs'

runMain(async () => {
  await ensureReady()
  const program = inRoot('packages', 'chain', 'bin', 'holdfast-deploy.mjs')
  const { code } = await runNode([program, ...process.argv.slice(2)], { show: 'all' })
  return code
})
