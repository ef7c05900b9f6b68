/**
 * Runs the Solidity tests (unit, fuzz, invariants, vectors, gas) through forge, and checks that what
 * forge tested is byte for byte what this package deploys.
 */
import { type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from '@jest/globals'
import {
  dealMarketBytecode,
  disputesBytecode,
  drandBeaconBytecode,
  proofLedgerBytecode,
  providerRegistryBytecode,
  vaultBytecode,
} from '../src/generated/contracts.ts'

/** From `dist/test` to the package. */
const PACKAGE = new URL('../../', import.meta.url)
const tool = (name: string): string => fileURLToPath(new URL(`tools/${name}`, PACKAGE))
/** What tools/forge.mjs exits with when this machine has no forge. */
const UNAVAILABLE = 69
const FORGE_TIMEOUT_MS = 600_000

const run = (name: string, ...args: string[]): SpawnSyncReturns<string> =>
  spawnSync(process.execPath, [tool(name), ...args], { encoding: 'utf8' })

const runForge = (...args: string[]): Promise<{ code: number | null; output: string }> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [tool('forge.mjs'), ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    const keep = (chunk: Buffer): void => {
      output += chunk.toString('utf8')
    }
    child.stdout.on('data', keep)
    child.stderr.on('data', keep)
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, output }))
  })

const probe = run('forge.mjs', '--version')
const forgeIsHere = probe.status !== UNAVAILABLE
if (!forgeIsHere) process.stderr.write(`Solidity tests are skipped: ${probe.stderr}`)
const withForge = forgeIsHere ? test : test.skip

const testedBytecode = (contract: string): string => {
  const artifact = new URL(`contracts/out/${contract}.sol/${contract}.json`, PACKAGE)
  return JSON.parse(readFileSync(artifact, 'utf8')).bytecode.object
}

describe('contracts', () => {
  test('the generated ABIs and bytecode belong to the present sources', () => {
    const { status, stderr } = run('generate.mjs', '--quick')
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  })

  test('docs/gas.md shows the gas of the snapshots, and 200 times less than the incumbent', () => {
    const { status, stderr } = run('gas-page.mjs', '--check')
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  })

  test('every attack on record names a test that exists', () => {
    const page = readFileSync(new URL('../../docs/attacks.md', PACKAGE), 'utf8')
    const rows = page.split('\n').filter((line) => /^\| \d+ \|/.test(line))
    expect(rows.map((line) => Number(line.split('|')[1]))).toEqual(
      Array.from({ length: 26 }, (_, i) => i + 1),
    )
    const folder = new URL('contracts/test/', PACKAGE)
    const sources = readdirSync(folder).filter((name) => name.endsWith('.t.sol'))
    const code = sources.map((name) => readFileSync(new URL(name, folder), 'utf8')).join('')
    const tests = new Set(code.match(/(?<=function )(?:test|line)_\w+/g))
    for (const [i, line] of rows.entries()) {
      const prefix = `test_Row${String(i + 1).padStart(2, '0')}_`
      expect(line).toContain(prefix)
    }
    const named = page.match(/\b(?:test|line)_\w+/g) ?? []
    expect(named.filter((name) => !tests.has(name))).toEqual([])
  })

  test('every loop of the contracts is on record with what bounds it', () => {
    const page = readFileSync(new URL('../../docs/attacks.md', PACKAGE), 'utf8')
    const listed = [...page.matchAll(/^\| `([\w/]+\.sol)` (\d+): /gm)].map(
      ([, file, i]) => `${file} ${i}`,
    )
    const folder = new URL('contracts/src/', PACKAGE)
    const found = (readdirSync(folder, { recursive: true }) as string[])
      .filter((name) => name.endsWith('.sol'))
      .flatMap((name) => {
        const code = readFileSync(new URL(name, folder), 'utf8')
        const loops = code.match(/\b(?:for \(|for \{|while \()/g) ?? []
        return loops.map((_, i) => `${name} ${i + 1}`)
      })
    expect(listed.toSorted()).toEqual(found.toSorted())
  })

  withForge(
    'the Solidity suite passes, gas as in the snapshots, on the bytecode that is deployed',
    async () => {
      const { code, output } = await runForge('test')
      const summary = /(\d+) tests passed, (\d+) failed, (\d+) skipped/.exec(output)
      if (code !== 0 || summary === null) throw new Error(`forge test failed (${code}):\n${output}`)
      expect(Number(summary[1])).toBeGreaterThan(100)
      expect([summary[2], summary[3]]).toEqual(['0', '0'])
      expect({
        DrandBeacon: testedBytecode('DrandBeacon'),
        Vault: testedBytecode('Vault'),
        ProviderRegistry: testedBytecode('ProviderRegistry'),
        ProofLedger: testedBytecode('ProofLedger'),
        Disputes: testedBytecode('Disputes'),
        DealMarket: testedBytecode('DealMarket'),
      }).toEqual({
        DrandBeacon: drandBeaconBytecode,
        Vault: vaultBytecode,
        ProviderRegistry: providerRegistryBytecode,
        ProofLedger: proofLedgerBytecode,
        Disputes: disputesBytecode,
        DealMarket: dealMarketBytecode,
      })
    },
    FORGE_TIMEOUT_MS,
  )
})
