/**
 * `npm test`: installs and builds what is needed, runs the asked suite of every workspace and of the
 * tools in one jest run, and closes with the line `N passed, N failed[, N skipped]` after jest's own
 * summary. A test file that cannot be loaded counts as one failure.
 *
 * `--suite fast|slow|faults|soak` chooses (default fast); everything else is passed on to jest.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ensureReady } from './lib/ready.mjs'
import { inRoot, ROOT } from './lib/root.mjs'
import { runNode } from './lib/run.mjs'
import { runMain, ToolError } from './lib/say.mjs'

const MINUTE = 60_000

/** What jest is told per suite; the fast suite is what jest.config.mjs says. */
export const SUITES = {
  fast: ['--maxWorkers=2'],
  slow: suite('slow', 30 * MINUTE),
  faults: suite('fault', 30 * MINUTE),
  soak: suite('soak', 120 * MINUTE),
}

function suite(infix, timeout) {
  return [
    '--testMatch',
    `**/dist/**/*.${infix}.test.js`,
    '--testPathIgnorePatterns=/node_modules/',
    `--testTimeout=${timeout}`,
    '--runInBand',
    '--passWithNoTests',
  ]
}

/** Splits `--suite x` from what jest gets. @throws ToolError for an unknown suite. */
export const parseArguments = (args) => {
  const at = args.findIndex((word) => word === '--suite' || word.startsWith('--suite='))
  if (at === -1) return { suite: 'fast', rest: args }
  const joined = args[at].startsWith('--suite=')
  const name = joined ? args[at].slice('--suite='.length) : args[at + 1]
  if (name === undefined || !Object.hasOwn(SUITES, name)) {
    throw new ToolError(
      `There is no suite "${name ?? ''}".`,
      `Suites: ${Object.keys(SUITES).join(', ')}.`,
    )
  }
  return { suite: name, rest: [...args.slice(0, at), ...args.slice(at + (joined ? 1 : 2))] }
}

/** The closing line from jest's JSON result. */
export const closingLine = (result) => {
  const failed = result.numFailedTests + result.numRuntimeErrorTestSuites
  const skipped = result.numPendingTests + result.numTodoTests
  const line = `${result.numPassedTests} passed, ${failed} failed`
  return skipped === 0 ? line : `${line}, ${skipped} skipped`
}

/** Whether a run had no test at all, so that it proves nothing to whoever asked for one. */
export const foundNothing = (result) =>
  result.numTotalTests === 0 && result.numRuntimeErrorTestSuites === 0

const jest = async (args, resultFile) => {
  const { code } = await runNode(
    [
      '--experimental-vm-modules',
      '--disable-warning=ExperimentalWarning',
      inRoot('node_modules', 'jest', 'bin', 'jest.js'),
      `--rootDir=${ROOT}`,
      '--json',
      `--outputFile=${resultFile}`,
      ...args,
    ],
    { show: 'stderr' },
  )
  return code
}

const main = async () => {
  const { suite: name, rest } = parseArguments(process.argv.slice(2))
  await ensureReady()
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-test-'))
  try {
    const resultFile = join(folder, 'result.json')
    const code = await jest([...SUITES[name], ...rest], resultFile)
    const result = await readFile(resultFile, 'utf8').catch(() => undefined)
    if (result === undefined) {
      throw new ToolError(`jest ended with exit code ${code} before it had a result.`)
    }
    const seen = JSON.parse(result)
    process.stdout.write(`${closingLine(seen)}\n`)
    if (rest.length > 0 && foundNothing(seen)) {
      throw new ToolError(
        `No test of the suite "${name}" matches: ${rest.join(' ')}.`,
        'Name a compiled file, such as packages/chain/dist/test/x.test.js, or a part of its path.',
      )
    }
    return code
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

if (process.argv[1] === inRoot('tools', 'test.mjs')) runMain(main)
