#!/usr/bin/env node
/**
 * The npm Solidity compiler behind the two questions that forge asks a native `solc`: `--version`,
 * and standard JSON on stdin. Does not resolve imports: forge sends every source in its input.
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const solc = createRequire(import.meta.url)('solc')

if (process.argv.includes('--version')) {
  const version = solc.version().replace('Emscripten.clang', 'Linux.g++')
  process.stdout.write(`solc, the solidity compiler commandline interface\nVersion: ${version}\n`)
} else if (process.argv.includes('--standard-json')) {
  process.stdout.write(solc.compile(readFileSync(0, 'utf8')))
} else {
  process.stderr.write('solc-standard: only --version and --standard-json are known\n')
  process.exitCode = 1
}
