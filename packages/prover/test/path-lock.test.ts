/** Locks at a path: one holder among processes, whatever they leave behind and whatever engine they have. */
import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { readlink, symlink, unlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { lockByName } from '../src/lock-by-name.ts'
import { holderOf, type LockedPath } from '../src/locked-path.ts'
import { lockPath } from '../src/path-lock.ts'

const CHILD = fileURLToPath(new URL('./lock-child.js', import.meta.url))
const IN_USE = { detail: { code: 'HOME_IN_USE' } }
/** No process has it: above what Linux gives out. */
const DEAD = '4194305 1'

let folder: string
let locked: LockedPath

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-lock-'))
  locked = { path: join(folder, 'lock'), of: folder, stays: true }
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** What a process said that tries to take the lock, holds it for a while and gives it back. */
const contender = async (engine: string, stays = 'stays'): Promise<readonly string[]> => {
  const env = { ...process.env, ...(engine === '' ? {} : { HOLDFAST_ENGINE: engine }) }
  const child = spawn(process.execPath, [CHILD, folder, stays], {
    env,
    stdio: ['ignore', 'pipe', 2],
  })
  const lines: string[] = []
  if (child.stdout !== null)
    for await (const line of createInterface(child.stdout)) lines.push(line)
  return lines
}

describe.each([
  ['of the system', lockPath],
  ['by name', lockByName],
] as const)('a lock %s', (_, lock) => {
  test('keeps everybody out until it is released, and names its holder', async () => {
    const held = await lock(locked)
    expect(await holderOf(locked.path)).toBe(process.pid)
    for (const other of [lockPath, lockByName]) {
      await expect(other(locked)).rejects.toMatchObject({
        detail: { ...IN_USE.detail, pid: process.pid },
      })
    }
    await held.release()
    expect(await holderOf(locked.path)).toBeUndefined()
    await (await lockPath(locked)).release()
    await (await lockByName(locked)).release()
  })

  test.each([
    ['a link of a dead process', () => symlink(DEAD, locked.path)],
    ['a file of a dead process', () => writeFile(locked.path, DEAD)],
    ['an empty file', () => writeFile(locked.path, '')],
    ['text that is no lock', () => writeFile(locked.path, 'what is this?')],
    [
      'a process that has this id, and began at another time',
      () => symlink(`${process.pid} 1`, locked.path),
    ],
  ])('is taken where there is %s', async (_name, leave) => {
    await leave()
    expect(await holderOf(locked.path)).toBeUndefined()
    const held = await lock(locked)
    expect(await holderOf(locked.path)).toBe(process.pid)
    await held.release()
  })
})

test('of the system, it goes when it is told to', async () => {
  const held = await lockPath({ ...locked, stays: false })
  await expect(lockPath(locked)).rejects.toMatchObject(IN_USE)
  await held.release()
  expect(readdirSync(folder)).toEqual([])
})

test('of the system, it stays in its file, which keeps its length', async () => {
  const before = await lockPath(locked)
  const length = readFileSync(locked.path).length
  await before.release()
  const after = await lockPath(locked)
  expect(readFileSync(locked.path)).toHaveLength(length)
  await expect(readlink(locked.path)).rejects.toThrow(/EINVAL/)
  await after.release()
})

test('a file that lost its name while it was taken is no lock', async () => {
  const held = await lockPath(locked)
  await unlink(locked.path)
  const other = await lockPath(locked)
  await expect(lockPath(locked)).rejects.toMatchObject(IN_USE)
  await held.release()
  await expect(lockPath(locked)).rejects.toMatchObject(IN_USE)
  await other.release()
})

test.each([
  ['nothing', 'stays', () => Promise.resolve()],
  ['a stale file', 'stays', () => writeFile(locked.path, DEAD)],
  ['nothing that stays', 'goes', () => Promise.resolve()],
])(
  'of many processes that begin where there is %s, one at a time holds it',
  async (_, stays, leave) => {
    await leave()
    const said = (await Promise.all(Array.from({ length: 8 }, () => contender('', stays)))).flat()
    expect(said.filter((line) => line === 'held').length).toBeGreaterThan(0)
    expect(new Set(said)).toEqual(
      new Set(said.includes('refused') ? ['held', 'refused'] : ['held']),
    )
  },
)

test('processes with and without native code respect each other', async () => {
  const held = await lockPath(locked)
  expect(await contender('wasm')).toEqual(['refused'])
  expect(await contender('')).toEqual(['refused'])
  await held.release()
  expect(await contender('wasm')).toEqual(['held'])
  expect(await contender('')).toEqual(['held'])
})
