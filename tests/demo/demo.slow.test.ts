/**
 * `npm run demo` on the inputs that people bring: an empty file, thousands of small files, one of
 * 1 GiB, names with spaces, emoji and line breaks; and what it says about paths that cannot be
 * published. Each run starts a network of its own, so this is in the slow suite.
 */
import { closeSync, mkdirSync, openSync, readdirSync, writeFileSync, writeSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { noise, writeSmallTree } from '../support/corpus.ts'
import { type Outcome, ROOT, runNode } from '../support/process.ts'

let folder: string

/** Runs the demo with a temporary folder of its own, so that what it leaves behind can be seen. */
const demo = async (...args: readonly string[]): Promise<Outcome> => {
  const temporary = await mkdtemp(join(folder, 'tmp-'))
  const outcome = await runNode([join(ROOT, 'tools', 'demo.mjs'), ...args], {
    ...process.env,
    TMPDIR: temporary,
    INIT_CWD: folder,
  })
  expect(readdirSync(temporary)).toEqual([])
  return outcome
}

const expectStory = async (path: string): Promise<void> => {
  const { exit, stdout, stderr } = await demo(path)
  expect({ exit, stderr: exit === 0 ? '' : stderr }).toEqual({ exit: 0, stderr: '' })
  expect(stdout.toString('utf8')).toMatch(/every byte equal to the source/)
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-demo-slow-'))
})

afterAll(() => rm(folder, { recursive: true, force: true }))

test('an empty file', async () => {
  writeFileSync(join(folder, 'empty'), '')
  await expectStory('empty')
})

test('names with spaces, emoji and line breaks', async () => {
  writeSmallTree(join(folder, 'a folder\nof names 🌱'))
  await expectStory('a folder\nof names 🌱')
})

test('5,000 small files', async () => {
  const many = join(folder, 'many')
  mkdirSync(many)
  for (let index = 0; index < 5000; index += 1) {
    writeFileSync(join(many, `file-${index}`), `${index}\n`.repeat(1 + (index % 50)))
  }
  await expectStory('many')
})

test('one file of 1 GiB', async () => {
  const file = openSync(join(folder, 'large'), 'w')
  for (let piece = 1; piece <= 64; piece += 1) writeSync(file, noise(1 << 24, piece))
  closeSync(file)
  await expectStory('large')
})

test.each([
  ['a missing path', 'not-there', /not-there does not exist/],
  ['a socket', 'socket', /socket is a socket; only files and directories/],
  ['a folder with a socket in it', 'with-socket', /with-socket\/inner is a socket/],
])('%s is refused with a clear message', async (_what, name, words) => {
  mkdirSync(join(folder, 'with-socket'), { recursive: true })
  const path = name === 'with-socket' ? join(name, 'inner') : name
  const server = createServer()
  if (name !== 'not-there') {
    await new Promise<void>((resolve) => {
      server.listen(join(folder, path), resolve)
    })
  }
  const { exit, stdout, stderr } = await demo(name)
  server.close()
  expect(exit).toBe(1)
  expect(stdout).toHaveLength(0)
  expect(stderr).toMatch(words)
})

test('more than one path is refused', async () => {
  const { exit, stderr } = await demo('a', 'b')
  expect(exit).toBe(1)
  expect(stderr).toMatch(/Give one path, or none/)
})
