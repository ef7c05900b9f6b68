#!/usr/bin/env node
/**
 * Runs forge with everything located: the program itself, the npm Solidity compiler, OpenZeppelin.
 *
 *   forge.mjs test [arguments]      all Solidity tests; gas must equal contracts/snapshots
 *   forge.mjs snapshot [arguments]  the same, writing contracts/snapshots; then gas-page.mjs
 *   forge.mjs <command> [arguments] any other forge command (build, fmt, lint, coverage)
 *
 * forge is HOLDFAST_FORGE, else the platform's npm package, else `forge` on the PATH. Without one
 * it exits with 69 (unavailable), so that callers can tell "cannot run" from "failed".
 */
import { spawnSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { createRequire } from 'node:module'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const HERE = dirname(fileURLToPath(import.meta.url))
const CONTRACTS = join(dirname(HERE), 'contracts')
const require = createRequire(import.meta.url)
const UNAVAILABLE = 69

const isProgram = (file) => {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

const packaged = () => {
  const machine = { x64: 'amd64', arm64: 'arm64' }[process.arch]
  const name = `@foundry-rs/forge-${process.platform}-${machine}`
  try {
    return [join(dirname(require.resolve(`${name}/package.json`)), 'bin', 'forge')]
  } catch {
    return []
  }
}

/** The forge program, or undefined when this machine has none. */
export const findForge = () => {
  const named = process.env.HOLDFAST_FORGE
  if (named !== undefined && named !== '') return named
  const onPath = (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, 'forge'))
  return [...packaged(), ...onPath].find(isProgram)
}

const openZeppelin = () => dirname(dirname(require.resolve('@openzeppelin/contracts/package.json')))

const commandLine = ([command = 'test', ...rest]) => {
  const compiler = ['--remappings', `@openzeppelin/=${openZeppelin()}/`]
  const gas = rest.includes('--gas-snapshot-check') ? [] : ['--gas-snapshot-check', 'true']
  if (command === 'test') return ['test', ...compiler, ...gas, ...rest]
  if (command === 'snapshot') return ['test', ...compiler, '--gas-snapshot-emit', 'true', ...rest]
  return ['fmt', '--version'].includes(command)
    ? [command, ...rest]
    : [command, ...compiler, ...rest]
}

const main = (args) => {
  const forge = findForge()
  if (forge === undefined) {
    process.stderr.write(
      `no forge for ${process.platform}-${process.arch}: set HOLDFAST_FORGE to a forge 1.7 program\n`,
    )
    return UNAVAILABLE
  }
  const { status, error, signal } = spawnSync(forge, commandLine(args), {
    cwd: CONTRACTS,
    stdio: 'inherit',
    env: {
      ...process.env,
      FOUNDRY_SOLC: join(HERE, 'solc-standard.mjs'),
      FOUNDRY_PROFILE: 'default',
    },
  })
  if (error !== undefined) throw error
  if (signal !== null) process.stderr.write(`forge was stopped by ${signal}\n`)
  if (status === 0 && args[0] === 'snapshot') {
    return spawnSync(process.execPath, [join(HERE, 'gas-page.mjs')], { stdio: 'inherit' }).status
  }
  return status ?? 1
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  process.exitCode = main(process.argv.slice(2))
