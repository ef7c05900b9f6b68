/** `holdfast audit verify` as a person runs it: with a network file whose chain is nowhere. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, expect, test } from '@jest/globals'
import { temporary, vectorPath } from '../support.ts'
import { holdfast, type Ran } from './run.ts'

const network = vectorPath('evidence', 'network.json')
const shown = vectorPath('evidence', 'shown.evidence')

let home: string

beforeAll(async () => {
  home = join(await temporary(), 'home')
})

const verify = (...args: readonly string[]): Promise<Ran> =>
  holdfast(['audit', 'verify', ...args, '--network', network, '--json'], { home })

test('verify says what is proven and what is not, and needs no connection', async () => {
  const { exit, stdout } = await verify(shown)
  const told = JSON.parse(stdout)
  expect([exit, told.verdict, told.anchored]).toEqual([0, 'shown', false])
  expect(told.proves.length).toBeGreaterThan(1)
  expect(told.doesNotProve.join(' ')).toContain(told.block.hash)
  const anchored = await verify(shown, '--block', told.block.hash)
  expect([anchored.exit, JSON.parse(anchored.stdout).anchored]).toEqual([0, true])
  const elsewhere = await verify(shown, '--block', `0x${'22'.repeat(32)}`)
  expect([elsewhere.exit, JSON.parse(elsewhere.stdout).error.code]).toEqual([7, 'PROOF_INVALID'])
})

test('evidence against a provider is told as such', async () => {
  const ran = await holdfast(
    ['audit', 'verify', vectorPath('evidence', 'wrong.evidence'), '--network', network],
    { home },
  )
  expect(ran.exit).toBe(0)
  expect(ran.stdout).toContain('WRONG')
})

test('a damaged file, no file, and no network are refused with what to do next', async () => {
  const damaged = join(await temporary(), 'damaged')
  await writeFile(damaged, (await readFile(shown, 'utf8')).replace('"index":"46', '"index":"47'))
  const spoilt = await verify(damaged)
  expect([spoilt.exit, JSON.parse(spoilt.stdout).error.code]).toEqual([7, 'PROOF_INVALID'])
  const none = await verify('not-there')
  expect([none.exit, JSON.parse(none.stdout).error.code]).toEqual([3, 'FILE_NOT_FOUND'])
  const args = ['audit', 'export', 'x', '--out', 'y', '--json']
  const { exit, stdout } = await holdfast(args, { home })
  const { code, hint } = JSON.parse(stdout).error
  expect([exit, code]).toEqual([2, 'CONFIG_INVALID'])
  expect(hint).not.toBe('')
})
