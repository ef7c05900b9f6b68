/**
 * The demo's own parts that decide something: what may be published, whether two trees are equal,
 * how figures are written. The demo itself is tried by running it.
 */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { compare } from '../demo/compare.mjs'
import { ProgressLog } from '../demo/progress.mjs'
import { checkedSource } from '../demo/source.mjs'
import {
  alignColumns,
  formatAmount,
  formatBytes,
  formatCount,
  formatPath,
  formatPeriods,
  short,
} from '../demo/table.mjs'

let folder

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-demo-test-'))
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

describe('what may be published', () => {
  test('files and directories', async () => {
    expect(await checkedSource(folder)).toBe(folder)
    writeFileSync(join(folder, 'a b\n🌱'), '')
    expect(await checkedSource(join(folder, 'a b\n🌱'))).toBe(join(folder, 'a b\n🌱'))
  })

  test('not what is missing, nor what a link does not reach', async () => {
    await expect(checkedSource(join(folder, 'none'))).rejects.toThrow(/none does not exist/)
    symlinkSync(join(folder, 'none'), join(folder, 'link'))
    await expect(checkedSource(join(folder, 'link'))).rejects.toThrow(/link is a link to something/)
    writeFileSync(join(folder, 'file'), '')
    await expect(checkedSource(join(folder, 'file', 'below'))).rejects.toThrow(/does not exist/)
  })

  test('not a socket', async () => {
    const path = join(folder, 'socket')
    const server = createServer()
    await new Promise((resolve) => server.listen(path, resolve))
    await expect(checkedSource(path)).rejects.toThrow(/socket is a socket; only files and direct/)
    await expect(checkedSource(folder)).rejects.toThrow(/socket is a socket; only files and direct/)
    await new Promise((resolve) => server.close(resolve))
  })
})

describe('comparing trees', () => {
  const tree = (name, content = 'content') => {
    const root = join(folder, name)
    mkdirSync(join(root, 'below', 'empty'), { recursive: true })
    writeFileSync(join(root, 'below', 'file'), content)
    writeFileSync(join(root, 'nothing'), '')
    symlinkSync('below/file', join(root, 'link'))
    return root
  }

  test('equal trees are counted', async () => {
    const a = tree('a')
    expect(await compare(a, tree('b'))).toEqual({ files: 2, bytes: 7 })
    expect(await compare(join(a, 'below', 'file'), join(a, 'link'))).toEqual({ files: 1, bytes: 7 })
  })

  test('large files are equal to the last byte, or not', async () => {
    const large = Buffer.alloc((1 << 20) * 2 + 5, 7)
    const a = tree('a', large)
    expect(await compare(a, tree('b', large))).toEqual({ files: 2, bytes: large.length })
    large[large.length - 1] = 8
    await expect(compare(a, tree('c', large))).rejects.toThrow(/file" has other bytes near offset/)
    await expect(compare(a, tree('d', large.subarray(1)))).rejects.toThrow(/other bytes/)
    const longer = Buffer.concat([Buffer.alloc((1 << 20) * 2 + 5, 7), Buffer.from('!')])
    await expect(compare(a, tree('e', longer))).rejects.toThrow(/other bytes/)
  })

  test('a missing, an extra, a different entry is named', async () => {
    const a = tree('a')
    const b = tree('b')
    rmSync(join(b, 'below', 'empty'), { recursive: true })
    await expect(compare(a, b)).rejects.toThrow(/below\/empty" is missing/)
    await expect(compare(b, a)).rejects.toThrow(/below\/empty" was never published/)
    writeFileSync(join(b, 'below', 'empty'), '')
    await expect(compare(a, b)).rejects.toThrow(/is a file instead of a directory/)
    await expect(compare(a, join(folder, 'none'))).rejects.toThrow(/is missing/)
  })
})

describe('figures', () => {
  test('bytes', () => {
    expect([0, 999, 1000, 9_834_000, 5e14].map(formatBytes)).toEqual([
      '0 bytes',
      '999 bytes',
      '1.0 kB',
      '9.8 MB',
      '500.0 TB',
    ])
  })

  test('counts', () => {
    expect([0, 1, 2].map((count) => formatCount(count, 'file'))).toEqual([
      '0 files',
      '1 file',
      '2 files',
    ])
  })

  test('paths stay on one line', () => {
    expect(formatPath('/a b/🌱')).toBe('/a b/🌱')
    expect(formatPath('/a\nb')).toBe('"/a\\nb"')
  })

  test('amounts keep every digit', () => {
    const token = { decimals: 6, symbol: 'tUSD' }
    expect(formatAmount(0n, token)).toBe('0.000000 tUSD')
    expect(formatAmount(123n, token)).toBe('0.000123 tUSD')
    expect(formatAmount(9_007_199_254_740_993_000_001n, token)).toBe('9007199254740993.000001 tUSD')
    expect(formatAmount(5n, { decimals: 0, symbol: 'X' })).toBe('5 X')
  })

  test('periods as ranges, ids cut, columns aligned', () => {
    expect(formatPeriods([3n, 4n, 5n, 7n])).toBe('3-5, 7')
    expect(formatPeriods([])).toBe('none')
    expect(short('0x1234567890')).toBe('0x12345678…')
    expect(
      alignColumns([
        ['a', 'b'],
        ['long', 'c'],
      ]),
    ).toEqual(['a     b', 'long  c'])
  })
})

test('progress is told every few seconds, steps at once, the rest is kept', () => {
  let now = 0
  const told = []
  const log = new ProgressLog(
    (line) => told.push(line),
    () => now,
  )
  const progress = (done) =>
    `${JSON.stringify({ event: 'progress', phase: 'uploading', done, total: 2e6, bytesPerSecond: 5e5 })}\n`
  log.write(progress(1))
  now = 3000
  log.write(progress(0))
  log.write(progress(1e6).slice(0, 20))
  log.write(`${progress(1e6).slice(20)}${progress(2e6)}`)
  log.write('{"event":"step","text":"done"}\nsomething else\n')
  expect(told).toEqual(['uploading 50 % of 2.0 MB, 500.0 kB/s', 'done'])
  expect(log.other).toBe('something else')
})
