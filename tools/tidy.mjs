/**
 * The house rules as a program (`npm run check` runs it; `node tools/tidy.mjs` alone takes seconds).
 * Prints one line per finding, `path:line rule: what is wrong; what to do`, and exits 1 if there is
 * any. The rules stand in tools/tidy/, the exceptions with their reasons in tools/tidy/allow.mjs.
 */
import { ROOT } from './lib/root.mjs'
import { runMain, say } from './lib/say.mjs'
import { ALLOWED } from './tidy/allow.mjs'
import { tidy } from './tidy/check.mjs'
import { loadTree } from './tidy/tree.mjs'

runMain(async () => {
  const findings = tidy(await loadTree(ROOT), ALLOWED)
  for (const { path, line, rule, message } of findings) say(`${path}:${line} ${rule}: ${message}`)
  if (findings.length > 0) say(`tidy: ${findings.length} findings`)
  return findings.length === 0 ? 0 : 1
})
