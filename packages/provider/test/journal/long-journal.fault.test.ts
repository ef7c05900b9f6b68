/**
 * A journal of more bytes than one read may have (2 GiB): it opens, is written anew and opens again,
 * in memory that does not grow with it.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { leafIndex, root } from '@holdfast/protocol'
import { expect, test } from '@jest/globals'
import type { Entry } from '../../src/journal/entries.ts'
import { FileJournal } from '../../src/journal/file-journal.ts'

const ENTRIES = 2300
const MEMORY_BYTES = 400 * 2 ** 20

/** Just under a MiB each. */
function* long(): Iterable<Entry> {
  const what = 'x'.repeat(1_000_000)
  for (let i = 0; i < ENTRIES; i++) {
    yield {
      ...{ kind: 'damage-found', leaf: leafIndex(i), what },
      root: root(`0x${i.toString(16).padStart(64, '0')}`),
    }
  }
}

test('a journal of more than 2 GiB is read and written anew in bounded memory', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'holdfast-long-journal-'))
  try {
    const before = process.memoryUsage().rss
    let most = before
    const count = async (): Promise<number> => {
      let entries = 0
      const each = ({ kind }: Entry): void => {
        most = Math.max(most, process.memoryUsage().rss)
        if (kind === 'damage-found') entries++
      }
      const { journal } = await FileJournal.open(directory, each)
      if (entries === 0) {
        await journal.rewrite(long())
        expect(journal.size).toBeGreaterThan(2 ** 31)
      }
      await journal.close()
      return entries
    }
    expect(await count()).toBe(0)
    expect(await count()).toBe(ENTRIES)
    expect(most - before).toBeLessThan(MEMORY_BYTES)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}, 1_800_000)
