/** Promises that are recorded while the journal is written anew under them. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bytes, leafIndex, root, silentLogger, timestamp } from '@holdfast/protocol'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { Entry } from '../../src/journal/entries.ts'
import { PromiseBook } from '../../src/journal/promise-book.ts'

const now = timestamp(1000)
const found = (i: number): Entry => ({
  kind: 'damage-found',
  root: root(`0x${i.toString(16).padStart(64, '0')}`),
  leaf: leafIndex(i),
  what: 'x'.repeat(200),
})
const mended = (i: number): Entry => ({
  kind: 'damage-mended',
  root: root(`0x${i.toString(16).padStart(64, '0')}`),
})

describe('a book of promises', () => {
  let directory: string
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'holdfast-book-'))
  })
  afterEach(async () => {
    await rm(directory, { recursive: true, force: true })
  })

  const open = (): Promise<PromiseBook> =>
    PromiseBook.open(directory, now, silentLogger, { rewriteBytes: bytes(20_000) })

  test('is written anew while it runs, and no promise falls in between', async () => {
    const book = await open()
    let rewritten = 0
    let most = 0
    for (let round = 0; round < 20; round++) {
      const records = Array.from({ length: 20 }, (_, i) => book.record(found(20 * round + i)))
      const compacted = book.compact(now)
      const more = Array.from({ length: 15 }, (_, i) => book.record(mended(20 * round + i)))
      await Promise.all([...records, ...more])
      if (await compacted) rewritten++
      most = Math.max(most, book.size)
    }
    expect(rewritten).toBeGreaterThan(2)
    const known = [...book.promises.damages.keys()]
    expect(known).toHaveLength(100)
    await book.close()
    const again = await open()
    expect([...again.promises.damages.keys()].sort()).toEqual([...known].sort())
    await again.close()
  })

  test('does not grow when what is promised does not', async () => {
    const book = await open()
    let most = 0
    for (let i = 0; i < 400; i++) {
      await Promise.all([book.record(found(i)), book.record(mended(i))])
      await book.compact(now)
      most = Math.max(most, book.size)
    }
    expect(most).toBeLessThan(25_000)
    await book.close()
  })
})
