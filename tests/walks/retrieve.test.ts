/**
 * The fourth walk: every byte comes back, whole or in part, checked against the name it was
 * published under.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { readTree, writeSmallTree } from '../support/corpus.ts'
import { Network } from '../support/network.ts'
import { type Published, publish } from '../support/publishing.ts'

let network: Network
let folder: string
let published: Published

beforeAll(async () => {
  network = await Network.start()
  folder = network.path('dataset')
  mkdirSync(folder)
  writeSmallTree(folder)
  published = await publish(network, folder)
})

afterAll(() => network?.close())

test('the whole dataset comes back byte for byte', async () => {
  const copy = network.path('copy')
  await network.value('get', published.dataset, '--out', copy)
  expect(readTree(copy)).toEqual(readTree(folder))
})

test('verify agrees with a true copy and names the file that differs', async () => {
  const same = await network.holdfast('verify', published.dataset, folder)
  expect(same.exit).toBe(0)
  const other = network.path('other')
  mkdirSync(other)
  writeSmallTree(other)
  writeFileSync(join(other, 'readme.txt'), 'What a walk publishes!\n')
  const different = await network.holdfast('verify', published.dataset, other)
  expect(different.exit).toBe(7)
  expect(`${different.stdout.toString('utf8')}${different.stderr}`).toMatch(/readme\.txt/)
})

test('one file comes to stdout, whole or a range of it', async () => {
  const path = `${published.dataset}/nested/deeper/blocks.bin`
  const bytes = readFileSync(join(folder, 'nested', 'deeper', 'blocks.bin'))
  const whole = await network.holdfast('cat', path)
  expect(whole.exit).toBe(0)
  expect(whole.stdout.equals(bytes)).toBe(true)
  const part = await network.holdfast('cat', path, '--range', '1048570-1048585')
  expect(part.stdout.equals(bytes.subarray(1_048_570, 1_048_586))).toBe(true)
  const piped = await network.holdfast('get', path, '--out', '-', '--range', '0-9')
  expect(piped.stdout.equals(bytes.subarray(0, 10))).toBe(true)
})

test('names with spaces, emoji and line breaks are listed and read', async () => {
  const listed = await network.holdfast('ls', published.dataset, '--json')
  expect(listed.exit).toBe(0)
  expect(listed.stdout.toString('utf8')).toContain('seedling 🌱.txt')
  const emoji = await network.holdfast('cat', `${published.dataset}/seedling 🌱.txt`)
  expect(emoji.stdout.toString('utf8')).toBe('an emoji\n')
  const broken = await network.holdfast('cat', `${published.dataset}/nested/line\nbreak.txt`)
  expect(broken.stdout.toString('utf8')).toBe('a line break\n')
})

test('what does not exist is named, with the exit code for it', async () => {
  const path = await network.holdfast('cat', `${published.dataset}/no-such-file`)
  expect(path.exit).toBe(3)
  expect(path.stderr).toMatch(/no-such-file/)
  expect(path.stdout).toHaveLength(0)
  const { cid } = await network.value<{ cid: string }>('cid', join(folder, 'nested'))
  const dataset = await network.holdfast('get', cid, '--out', network.path('nothing'))
  expect(dataset.exit).toBe(3)
})
