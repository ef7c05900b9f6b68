/** The lock of a home: one holder among processes, whatever they leave behind and whatever engine they have. */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { readlink, symlink, unlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { type HomePaths, homePaths } from '../src/home.ts'
import { lockHome } from '../src/home-lock.ts'
import { holderOf, lockByName } from '../src/symlink-lock.ts'

const CHILD = fileURLToPath(new URL('./support/lock-child.js', import.meta.url))
const IN_USE = { detail: { code: 'HOME_IN_USE' } }
/** No process has it: above what Linux gives out. */
const DEAD = '4194305 1'

let paths: HomePaths

beforeEach(() => {
  paths = homePaths(mkdtempSync(join(tmpdir(), 'holdfast-lock-')))
})
afterEach(() => rmSync(paths.home, { recursive: true, force: true }))

/** What a process said that tries to take the lock, holds it for a while and gives it back. */
const contender = async (engine: string): Promise<readonly string[]> => {
  const env = { ...process.env, ...(engine === '' ? {} : { HOLDFAST_ENGINE: engine }) }
  const child = spawn(process.execPath, [CHILD, paths.home], { env, stdio: ['ignore', 'pipe', 2] })
  const lines: string[] = []
  if (child.stdout !== null)
    for await (const line of createInterface(child.stdout)) lines.push(line)
  return lines
}

describe.each([
  ['of the system', lockHome],
  ['by name', lockByName],
] as const)('a lock %s', (_, lock) => {
  test('keeps everybody out until it is released, and names its holder', async () => {
    const held = await lock(paths)
    expect(await holderOf(paths.lock)).toBe(process.pid)
    for (const other of [lockHome, lockByName]) {
      await expect(other(paths)).rejects.toMatchObject({
        detail: { ...IN_USE.detail, pid: process.pid },
      })
    }
    await held.release()
    expect(await holderOf(paths.lock)).toBeUndefined()
    await (await lockHome(paths)).release()
    await (await lockByName(paths)).release()
  })

  test.each([
    ['a link of a dead process', () => symlink(DEAD, paths.lock)],
    ['a file of a dead process', () => writeFile(paths.lock, DEAD)],
    ['an empty file', () => writeFile(paths.lock, '')],
    ['text that is no lock', () => writeFile(paths.lock, 'what is this?')],
    [
      'a process that has this id, and began at another time',
      () => symlink(`${process.pid} 1`, paths.lock),
    ],
  ])('is taken where there is %s', async (_name, leave) => {
    await leave()
    expect(await holderOf(paths.lock)).toBeUndefined()
    const held = await lock(paths)
    expect(await holderOf(paths.lock)).toBe(process.pid)
    await held.release()
  })
})

test('of the system, it stays in its file, which keeps its length', async () => {
  const before = await lockHome(paths)
  const length = readFileSync(paths.lock).length
  await before.release()
  const after = await lockHome(paths)
  expect(readFileSync(paths.lock)).toHaveLength(length)
  await expect(readlink(paths.lock)).rejects.toThrow(/EINVAL/)
  await after.release()
})

test('a file that lost its name while it was taken is no lock', async () => {
  const held = await lockHome(paths)
  await unlink(paths.lock)
  const other = await lockHome(paths)
  await expect(lockHome(paths)).rejects.toMatchObject(IN_USE)
  await held.release()
  await expect(lockHome(paths)).rejects.toMatchObject(IN_USE)
  await other.release()
})

test.each([
  ['nothing', () => Promise.resolve()],
  ['a stale file', () => writeFile(paths.lock, DEAD)],
])('of many processes that begin where there is %s, one at a time holds it', async (_, leave) => {
  await leave()
  const said = (await Promise.all(Array.from({ length: 8 }, () => contender('')))).flat()
  expect(said.filter((line) => line === 'held').length).toBeGreaterThan(0)
  expect(new Set(said)).toEqual(new Set(said.includes('refused') ? ['held', 'refused'] : ['held']))
})

test('processes with and without native code respect each other', async () => {
  const held = await lockHome(paths)
  expect(await contender('wasm')).toEqual(['refused'])
  expect(await contender('')).toEqual(['refused'])
  await held.release()
  expect(await contender('wasm')).toEqual(['held'])
  expect(await contender('')).toEqual(['held'])
})
