/**
 * The journal on a disk without room: what goes into its reserve is found again, in order, whatever
 * happens to the disk; proofs have the reserve's last half; nothing is taken for what it is not.
 */
import { bytes, period, root, silentLogger, timestamp } from '@holdfast/protocol'
import { beforeEach, describe, expect, test } from '@jest/globals'
import type { Entry } from '../../src/journal/entries.ts'
import type { FileJournal } from '../../src/journal/file-journal.ts'
import { PromiseBook } from '../../src/journal/promise-book.ts'
import { chanceFrom, SimulatedDisk } from '../support/simulated-disk.ts'
import { journalFilesOn, openJournal } from '../support/simulated-journal.ts'

const DIRECTORY = '/journal'
const LOG = `${DIRECTORY}/journal.log`
const RESERVE = `${DIRECTORY}/journal.reserve`
const now = timestamp(1000)

const removal = (i: number): Entry => ({
  kind: 'payload-removed',
  root: root(`0x${i.toString(16).padStart(64, '0')}`),
})
const sending = (i: number): Entry => ({ kind: 'proof-sending', period: period(i) })
const full = expect.objectContaining({ detail: expect.objectContaining({ code: 'DISK_FULL' }) })
const corrupt = expect.objectContaining({
  detail: expect.objectContaining({ code: 'STORE_CORRUPT' }),
})

describe('the reserve of the journal', () => {
  let disk: SimulatedDisk
  beforeEach(() => {
    disk = new SimulatedDisk()
  })

  const open = (): Promise<FileJournal> =>
    openJournal(DIRECTORY, journalFilesOn(disk)).then(({ journal }) => journal)
  const read = async (): Promise<readonly Entry[]> => {
    const { journal, entries } = await openJournal(DIRECTORY, journalFilesOn(disk))
    await journal.close()
    return entries
  }
  const fillUp = (): void => {
    disk.space = disk.used
  }
  const giveRoom = (): void => {
    disk.space = Number.POSITIVE_INFINITY
  }
  /** The power goes off; whatever was not synced is lost. */
  const losePower = (): void => disk.restart(() => 0)

  test('takes what the disk has no room for, and gives it back in order after any end', async () => {
    const journal = await open()
    await journal.append([sending(1)])
    fillUp()
    for (const i of [2, 3, 4]) await journal.append([sending(i)])
    expect(journal.room.state).toBe('reserve')
    losePower()
    expect(await read()).toEqual([1, 2, 3, 4].map(sending))
    const again = await open()
    expect(again.room.state).toBe('reserve')
    await again.append([sending(5)])
    losePower()
    expect(await read()).toEqual([1, 2, 3, 4, 5].map(sending))
  })

  test('is emptied into the journal when there is room for another one, not before', async () => {
    const journal = await open()
    fillUp()
    for (const i of [1, 2, 3]) await journal.append([sending(i)])
    const log = (): number => disk.contentOf(LOG)?.length ?? 0
    expect(await journal.makeRoom()).toBe(false)
    disk.space += 1000
    expect(await journal.makeRoom()).toBe(false)
    expect([log(), journal.room.state]).toEqual([0, 'reserve'])
    giveRoom()
    expect(await journal.makeRoom()).toBe(true)
    expect(log()).toBe(journal.size)
    expect(disk.paths.filter((path) => path.endsWith('.new'))).toEqual([])
    await journal.append([sending(4)])
    fillUp()
    await journal.append([sending(5)])
    losePower()
    expect(await read()).toEqual([1, 2, 3, 4, 5].map(sending))
  })

  test('emptied into the journal while the power goes off, at any change, it loses nothing', async () => {
    for (let seed = 0; seed < 60; seed++) {
      disk = new SimulatedDisk()
      giveRoom()
      const journal = await open()
      await journal.append([sending(1)])
      fillUp()
      for (const i of [2, 3, 4, 5]) await journal.append([sending(i)])
      giveRoom()
      disk.failAfter(1 + (seed % 12))
      await journal.makeRoom().catch(() => undefined)
      disk.restart(chanceFrom(seed))
      expect(await read()).toEqual([1, 2, 3, 4, 5].map(sending))
      const again = await open()
      await again.append([sending(6)])
      losePower()
      expect(await read()).toEqual([1, 2, 3, 4, 5, 6].map(sending))
    }
  })

  test('keeps its last half for proofs, and then says that it is full', async () => {
    const journal = await open()
    fillUp()
    let removals = 0
    const removeOne = async (): Promise<void> => {
      await journal.append([removal(removals)])
      removals++
    }
    await expect(
      (async () => {
        for (;;) await removeOne()
      })(),
    ).rejects.toEqual(full)
    const { left, reserve } = journal.room
    expect(left).toBeLessThan(reserve / 2n)
    expect(left).toBeGreaterThan(reserve / 3n)
    let sent = 0
    await expect(
      (async () => {
        for (;;) {
          await journal.append([sending(sent)])
          sent++
        }
      })(),
    ).rejects.toEqual(full)
    expect(sent).toBeGreaterThan(5)
    const entries = await read()
    expect(entries.filter(({ kind }) => kind === 'payload-removed')).toHaveLength(removals)
    expect(entries.filter(({ kind }) => kind === 'proof-sending')).toHaveLength(sent)
  })

  test('rewritten while the reserve is in use, the journal holds everything, and the reserve nothing', async () => {
    const journal = await open()
    for (let i = 0; i < 50; i++) await journal.append([sending(i)])
    fillUp()
    for (const i of [50, 51]) await journal.append([sending(i)])
    await expect(journal.rewrite([sending(50), sending(51)])).rejects.toEqual(full)
    expect(disk.paths).not.toContain(`${LOG}.new`)
    await journal.append([sending(52)])
    giveRoom()
    await journal.rewrite([50, 51, 52].map(sending))
    expect(journal.room.state).toBe('ok')
    // What lies in the reserve from before is older, and no longer counts.
    losePower()
    expect(await read()).toEqual([50, 51, 52].map(sending))
    const again = await open()
    fillUp()
    await again.append([sending(53)])
    losePower()
    expect(await read()).toEqual([50, 51, 52, 53].map(sending))
  })

  test('any bit changed in what it holds refuses to open; in the rest it has no effect', async () => {
    const journal = await open()
    await journal.append([sending(1)])
    fillUp()
    for (const i of [2, 3]) await journal.append([sending(i)])
    const used = journal.size - (disk.contentOf(LOG)?.length ?? 0)
    await journal.close()
    const length = disk.contentOf(RESERVE)?.length ?? 0
    for (let at = 0; at < length; at += 17) {
      const changed = SimulatedDisk.holding(disk.files)
      const content = changed.contentOf(RESERVE) ?? new Uint8Array(length)
      content[at] = (content[at] ?? 0) ^ (1 << (at % 8))
      const opened = openJournal(DIRECTORY, journalFilesOn(changed))
      if (at < used) await expect(opened).rejects.toEqual(corrupt)
      else expect((await opened).entries).toEqual([1, 2, 3].map(sending))
    }
  })

  test('removed with entries in it, the journal refuses to open; removed without, it is made again', async () => {
    const journal = await open()
    await journal.append([sending(1)])
    await journal.close()
    disk.unlink(RESERVE)
    await (await open()).close()
    expect(disk.paths).toContain(RESERVE)
    const more = await open()
    fillUp()
    await more.append([sending(2)])
    disk.unlink(RESERVE)
    await expect(open()).rejects.toThrow(/batch 2 was synced and cannot be read/)
  })

  test('without room even for a reserve the journal opens, takes what fits, and has one later', async () => {
    await (await open()).append([sending(1)])
    disk.unlink(RESERVE)
    fillUp()
    const journal = await open()
    expect(journal.room.state).toBe('none')
    await expect(journal.append([sending(2)])).rejects.toEqual(full)
    disk.space += 300
    await journal.append([sending(3)])
    giveRoom()
    expect(await journal.makeRoom()).toBe(true)
    losePower()
    expect(await read()).toEqual([1, 3].map(sending))
  })

  test('a reserve that cannot be synced closes the journal', async () => {
    await (await open()).close()
    const files = journalFilesOn(disk)
    const sync = (): Promise<never> =>
      Promise.reject(Object.assign(new Error('the disk failed'), { code: 'EIO' }))
    const openPresent: typeof files.openPresent = async (path) => {
      const file = await files.openPresent(path)
      return file === undefined ? undefined : { ...file, sync }
    }
    const { journal } = await openJournal(DIRECTORY, { ...files, openPresent })
    fillUp()
    const refused = { detail: { code: 'STORE_READ_ONLY' } }
    await expect(journal.append([sending(1)])).rejects.toMatchObject(refused)
    giveRoom()
    await expect(journal.append([sending(2)])).rejects.toMatchObject(refused)
  })

  test('a book of promises starts on a full disk, refuses what is new, and takes it with room', async () => {
    const files = journalFilesOn(disk)
    const start = (): Promise<PromiseBook> =>
      PromiseBook.open(DIRECTORY, now, silentLogger, { files, reserveBytes: bytes(4096) })
    await (await start()).close()
    fillUp()
    const book = await start()
    expect(() => book.checkRoom()).toThrow('disk full: needed 4096, available 0')
    await book.record(sending(7))
    await book.close()
    giveRoom()
    const again = await start()
    expect([...again.promises.proofs.keys()]).toEqual([7n])
    again.checkRoom()
    await again.close()
  })

  test('a book of promises starts without room for a single entry', async () => {
    const files = journalFilesOn(disk)
    const start = (): Promise<PromiseBook> =>
      PromiseBook.open(DIRECTORY, now, silentLogger, { files, reserveBytes: bytes(4096) })
    await (await start()).close()
    disk.unlink(RESERVE)
    fillUp()
    const book = await start()
    expect(book.room.state).toBe('none')
    await expect(book.record(sending(1))).rejects.toEqual(full)
    giveRoom()
    expect(await book.makeRoom()).toBe(true)
    await book.record(sending(1))
    await book.close()
  })
})
