/**
 * The journal on disk: cut anywhere, changed anywhere, put back from a copy, rewritten. Nothing
 * acknowledged is lost unseen.
 */
import { copyFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HoldfastError, leafIndex, root, timestamp } from '@holdfast/protocol'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { Entry } from '../../src/journal/entries.ts'
import { realFiles } from '../../src/journal/journal-files.ts'
import { RECORD_BYTES_MAX } from '../../src/journal/journal-format.ts'
import { openJournal } from '../support/simulated-journal.ts'

const entry = (i: number): Entry => ({
  kind: 'damage-found',
  root: root(`0x${i.toString(16).padStart(64, '0')}`),
  leaf: leafIndex(i),
  what: `number ${i}`,
})

/** Entries of more than 5 MB. */
function* manyBatches(): Iterable<Entry> {
  for (let i = 0; i < 5000; i++) {
    const known = entry(i)
    yield known.kind === 'damage-found' ? { ...known, what: 'x'.repeat(1000) } : known
  }
}

describe('the journal', () => {
  let directory: string
  let path: string
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'holdfast-journal-'))
    path = join(directory, 'journal.log')
  })
  afterEach(async () => {
    await rm(directory, { recursive: true, force: true })
  })

  const write = async (batches: readonly (readonly Entry[])[]): Promise<number[]> => {
    const { journal } = await openJournal(directory)
    const ends: number[] = []
    for (const batch of batches) {
      await journal.append(batch)
      ends.push(journal.size)
    }
    await journal.close()
    return ends
  }

  /** As if nothing of what follows had ever been synced. */
  const forgetSyncs = (): Promise<void> => rm(join(directory, 'journal.mark'), { force: true })

  const refused = expect.objectContaining({
    detail: expect.objectContaining({ code: 'STORE_CORRUPT' }),
  })

  const read = async (): Promise<readonly Entry[]> => {
    const { journal, entries } = await openJournal(directory)
    await journal.close()
    return entries
  }

  test('gives back what was appended, in order, over many openings', async () => {
    await write([[entry(1), entry(2)], [entry(3)]])
    await write([[entry(4)]])
    expect(await read()).toEqual([1, 2, 3, 4].map(entry))
  })

  test('keeps concurrent appends, each whole', async () => {
    const { journal } = await openJournal(directory)
    await Promise.all(
      Array.from({ length: 50 }, (_, i) => journal.append([entry(i), entry(100 + i)])),
    )
    await journal.close()
    const entries = await read()
    expect(entries).toHaveLength(100)
    for (let i = 0; i < 50; i++) {
      const at = entries.findIndex((e) => e.kind === 'damage-found' && e.leaf === BigInt(i))
      expect(entries[at + 1]).toEqual(entry(100 + i))
    }
  })

  test('cut anywhere, it keeps every batch before the cut and sets the rest aside', async () => {
    const ends = await write([[entry(1)], [entry(2), entry(3)], [entry(4)]])
    const whole = await readFile(path)
    for (let cut = 0; cut < whole.length; cut += 7) {
      await writeFile(path, whole.subarray(0, cut))
      await forgetSyncs()
      const batches = ends.filter((end) => end <= cut).length
      expect(await read()).toEqual([1, 2, 3, 4].map(entry).slice(0, [0, 1, 3, 4][batches]))
    }
    expect((await readdir(directory)).some((name) => name.includes('.torn-'))).toBe(true)
  })

  test('goes on after a cut', async () => {
    await write([[entry(1)], [entry(2)]])
    const whole = await readFile(path)
    await writeFile(path, whole.subarray(0, whole.length - 3))
    await forgetSyncs()
    await write([[entry(5)]])
    expect(await read()).toEqual([1, 5].map(entry))
  })

  test('what was synced and is cut off, or is from an older copy, refuses to open', async () => {
    await write([[entry(1)], [entry(2)]])
    await copyFile(path, `${path}.copy`)
    await write([[entry(3)]])
    const whole = await readFile(path)
    for (const less of [whole.subarray(0, whole.length - 1), Buffer.alloc(0)]) {
      await writeFile(path, less)
      await expect(openJournal(directory)).rejects.toEqual(refused)
    }
    await copyFile(`${path}.copy`, path)
    await expect(openJournal(directory)).rejects.toThrow(/older copy.*remove journal.mark/)
    await forgetSyncs()
    expect(await read()).toEqual([1, 2].map(entry))
  })

  test('a batch that was written and never marked is kept; a damaged mark says nothing', async () => {
    await write([[entry(1)]])
    const mark = await readFile(join(directory, 'journal.mark'))
    await write([[entry(2)]])
    await writeFile(join(directory, 'journal.mark'), mark)
    expect(await read()).toEqual([1, 2].map(entry))
    for (let at = 0; at < mark.length; at++) {
      const damaged = Buffer.from(mark)
      damaged[at] = (damaged[at] ?? 0) ^ 1
      await writeFile(join(directory, 'journal.mark'), damaged)
      expect(await read()).toEqual([1, 2].map(entry))
    }
  })

  test('any bit changed anywhere refuses to open, in the last batch too', async () => {
    await write([[entry(1)], [entry(2), entry(3)], [entry(4)]])
    const whole = await readFile(path)
    for (let at = 0; at < whole.length; at += 3) {
      const damaged = Buffer.from(whole)
      damaged[at] = (damaged[at] ?? 0) ^ (1 << (at % 8))
      await writeFile(path, damaged)
      await expect(openJournal(directory)).rejects.toEqual(refused)
    }
  })

  test('records exchanged or left out refuse to open', async () => {
    const ends = await write([[entry(1)], [entry(2)], [entry(3)]])
    const whole = await readFile(path)
    const [first = 0, second = 0] = ends
    const parts = [whole.subarray(0, first), whole.subarray(first, second), whole.subarray(second)]
    for (const order of [
      [0, 2],
      [1, 0, 2],
      [0, 1, 1, 2],
    ]) {
      await writeFile(path, Buffer.concat(order.map((i) => parts[i] ?? Buffer.alloc(0))))
      await expect(openJournal(directory)).rejects.toThrow(HoldfastError)
    }
  })

  test('rewritten, it holds the new entries, and what comes after', async () => {
    const { journal } = await openJournal(directory)
    for (let i = 0; i < 20; i++) await journal.append([entry(i)])
    const before = journal.size
    await journal.rewrite([{ kind: 'started', at: timestamp(5) }, entry(19)])
    expect(journal.size).toBeLessThan(before)
    await journal.append([entry(20)])
    await journal.close()
    expect(await read()).toEqual([{ kind: 'started', at: 5n }, entry(19), entry(20)])
  })

  test('what is appended while it is rewritten comes after it', async () => {
    const { journal } = await openJournal(directory)
    await journal.append([entry(1)])
    const rewritten = journal.rewrite([entry(2)])
    const appended = [journal.append([entry(3)]), journal.append([entry(4)])]
    await Promise.all([rewritten, ...appended])
    await journal.append([entry(5)])
    await journal.close()
    expect(await read()).toEqual([2, 3, 4, 5].map(entry))
  })

  test('a checkpoint that is not whole refuses to open, although nothing follows it', async () => {
    const { journal } = await openJournal(directory)
    for (let i = 0; i < 8; i++) await journal.append([entry(i)])
    await journal.rewrite(manyBatches())
    await journal.close()
    const whole = await readFile(path)
    await forgetSyncs()
    for (const cut of [whole.length - 1, whole.length >> 1, 600_000, 400]) {
      await writeFile(path, whole.subarray(0, cut))
      await expect(openJournal(directory)).rejects.toThrow(/checkpoint is not whole/)
    }
    await writeFile(path, whole)
    expect(await read()).toHaveLength(5000)
  })

  test('a checkpoint cannot be put behind another journal', async () => {
    const { journal } = await openJournal(directory)
    await journal.append([entry(1)])
    await journal.rewrite([entry(1)])
    await journal.close()
    const checkpoint = await readFile(path)
    await forgetSyncs()
    await writeFile(path, Buffer.concat([checkpoint, checkpoint]))
    await expect(openJournal(directory)).rejects.toEqual(refused)
  })

  test('a rewriting for which there is no room leaves the journal as it was', async () => {
    const full: typeof realFiles = {
      ...realFiles,
      open: async (name, options) => {
        const file = await realFiles.open(name, options)
        if (!name.endsWith('.new')) return file
        const write = (): Promise<never> =>
          Promise.reject(Object.assign(new Error('no room'), { code: 'ENOSPC' }))
        return { ...file, write }
      },
    }
    const { journal } = await openJournal(directory, full)
    await journal.append([entry(1)])
    await expect(journal.rewrite([entry(2)])).rejects.toMatchObject({
      detail: { code: 'DISK_FULL' },
    })
    expect(await readdir(directory)).toEqual(['journal.log', 'journal.mark'])
    await journal.append([entry(3)])
    await journal.close()
    expect(await read()).toEqual([1, 3].map(entry))
  })

  test('is read and rewritten a piece at a time, however long it is', async () => {
    let most = 0
    const seen = (data: Uint8Array): void => {
      most = Math.max(most, data.length)
    }
    const counted: typeof realFiles = {
      ...realFiles,
      open: async (name, options) => {
        const file = await realFiles.open(name, options)
        return {
          ...file,
          read: (into, position) => {
            seen(into)
            return file.read(into, position)
          },
          write: (data, position) => {
            seen(data)
            return file.write(data, position)
          },
        }
      },
    }
    const { journal } = await openJournal(directory, counted)
    await journal.rewrite(manyBatches())
    await journal.rewrite(manyBatches())
    expect(journal.size).toBeGreaterThan(5_000_000)
    await journal.close()
    const again = await openJournal(directory, counted)
    await again.journal.close()
    expect(again.entries).toHaveLength(5000)
    expect(most).toBeLessThanOrEqual(4 * RECORD_BYTES_MAX)
  })

  test('an entry of an unknown kind refuses to open', async () => {
    const { encodeRecord, CHAIN_START } = await import('../../src/journal/journal-format.ts')
    const body = new TextEncoder().encode('{"kind":"from-the-future"}')
    await writeFile(path, encodeRecord({ batch: 1n, left: 0, previous: CHAIN_START, body }))
    await expect(openJournal(directory)).rejects.toMatchObject({
      detail: { code: 'STORE_CORRUPT' },
    })
  })
})
