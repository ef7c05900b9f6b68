/**
 * The bench command: `<suite> [--json]`, `all [--write]`, `--list`. Results on stdout, progress on
 * stderr. `--write` writes docs/performance.md from a run of every suite. Exit 2 for a wrong call.
 */
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type BenchCase, type CaseResult, runCase } from './harness.ts'
import { describeMachine } from './machine.ts'
import { type Suite, withFolder } from './suite.ts'
import { SUITES } from './suites/all.ts'
import { performancePage, type SuiteResult, textTable } from './tables.ts'

/** From `bench/dist/src` to the page. */
const PAGE = fileURLToPath(new URL('../../../docs/performance.md', import.meta.url))

const say = (sentence: string): void => console.error(`bench: ${sentence}`)

const isResult = (item: BenchCase | CaseResult): item is CaseResult => !('check' in item)

const runSuite = (suite: Suite): Promise<SuiteResult> =>
  withFolder(async (folder) => {
    const cases: CaseResult[] = []
    for await (const item of suite.cases({ folder, say })) {
      if (!isResult(item)) say(`${suite.name}: ${item.name}`)
      cases.push(isResult(item) ? item : await runCase(item))
    }
    return { suite: suite.name, machine: describeMachine(), cases }
  })

const usage = (): void => {
  console.error('usage: npm run bench -- <suite> [--json] | all [--json] [--write] | --list')
  console.error(`suites: ${SUITES.map(({ name }) => name).join(', ')}`)
  process.exitCode = 2
}

const show = (results: readonly SuiteResult[], json: boolean, all: boolean): void => {
  if (!json) console.log(results.map(textTable).join('\n\n'))
  else console.log(JSON.stringify(all ? results : results[0], undefined, 2))
}

const main = async (words: readonly string[]): Promise<void> => {
  const flags = new Set(words.filter((word) => word.startsWith('--')))
  const [name, ...more] = words.filter((word) => !word.startsWith('--'))
  const unknown = [...flags].some((flag) => !['--json', '--write', '--list'].includes(flag))
  if (unknown || more.length > 0) return usage()
  if (flags.has('--list')) {
    for (const suite of SUITES) console.log(`${suite.name.padEnd(10)}${suite.about}`)
    return
  }
  const chosen = name === 'all' ? SUITES : SUITES.filter((suite) => suite.name === name)
  if (chosen.length === 0 || (flags.has('--write') && name !== 'all')) return usage()
  const results: SuiteResult[] = []
  for (const suite of chosen) results.push(await runSuite(suite))
  show(results, flags.has('--json'), name === 'all')
  if (!flags.has('--write')) return
  const today = new Date().toISOString().slice(0, 10)
  writeFileSync(PAGE, performancePage(results, today))
  say('wrote docs/performance.md')
}

await main(process.argv.slice(2))
