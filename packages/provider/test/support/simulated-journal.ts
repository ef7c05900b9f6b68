/**
 * The journal on a disk that loses power and fills up: entries are appended, at once and one after
 * another, and the file is replaced by a shorter one; whatever was acknowledged must be there afterwards,
 * in order, and nothing that was never appended or was refused. One seed is one run.
 */
import { bytes, HoldfastError, leafIndex, root } from '@holdfast/protocol'
import type { Entry } from '../../src/journal/entries.ts'
import { FileJournal } from '../../src/journal/file-journal.ts'
import type { JournalFile, JournalFiles } from '../../src/journal/journal-files.ts'
import { type Chance, chanceFrom, SimulatedDisk } from './simulated-disk.ts'

const DIRECTORY = '/journal'

/** Small, so that it is used up now and then. */
const RESERVE_BYTES = bytes(4096)

const fileOn = (disk: SimulatedDisk, file: number): JournalFile => ({
  size: async () => disk.size(file),
  read: async (into, position) => disk.read(file, into, position),
  write: async (data, position) => disk.write(file, data, position),
  truncate: async (length) => disk.truncate(file, length),
  sync: async () => disk.sync(file),
  close: async () => disk.close(file),
})

/** The simulated disk as the journal sees it. */
export const journalFilesOn = (disk: SimulatedDisk): JournalFiles => ({
  open: async (path, { fresh = false } = {}) => {
    const present = disk.contentOf(path) !== undefined
    const file = disk.open(path, present ? 'write' : 'create')
    if (present && fresh) disk.truncate(file, 0)
    return fileOn(disk, file)
  },
  openPresent: async (path) =>
    disk.contentOf(path) === undefined ? undefined : fileOn(disk, disk.open(path, 'write')),
  rename: async (from, to) => disk.rename(from, to),
  remove: async (path) => {
    if (disk.contentOf(path) !== undefined) disk.unlink(path)
  },
  syncDirectory: async (path) => disk.syncDirectory(path),
})

const entryOf = (i: number): Entry => ({
  kind: 'damage-found',
  root: root(`0x${i.toString(16).padStart(64, '0')}`),
  leaf: leafIndex(i),
  // Of many lengths, so that records lie across pieces of 512 bytes in every way.
  what: 'x'.repeat((i * 37) % 600),
})

/** A journal and everything in it but checkpoints' own entries. */
export const openJournal = async (
  directory: string,
  files?: JournalFiles,
): Promise<{ readonly journal: FileJournal; readonly entries: readonly Entry[] }> => {
  const entries: Entry[] = []
  const each = (entry: Entry): void => {
    if (entry.kind !== 'checkpoint' && entry.kind !== 'checkpoint-whole') entries.push(entry)
  }
  const { journal } = await FileJournal.open(directory, each, {
    files,
    reserveBytes: RESERVE_BYTES,
  })
  return { journal, entries }
}

const numberOf = (entry: Entry): number => (entry.kind === 'damage-found' ? Number(entry.leaf) : -1)

export class SimulatedJournal {
  readonly #seed: number
  readonly #chance: Chance
  readonly #disk = new SimulatedDisk()
  /** What must be there: one of these, and then some of what follows. */
  #bases: (readonly number[])[] = [[]]
  /** Appended, not acknowledged. */
  #pending: number[] = []
  #made = 0
  losses = 0
  /** Appends that went into the reserve, and those that were refused for want of room. */
  kept = 0
  refused = 0

  constructor(seed: number) {
    this.#seed = seed
    this.#chance = chanceFrom(seed)
  }

  /** So many rounds of appending, each ended by a loss of power. */
  async run(rounds: number): Promise<void> {
    for (let round = 0; round < rounds; round++) {
      const fails = this.#chance(4) === 0 ? 1 + this.#chance(6) : 3 + this.#chance(60)
      this.#disk.failAfter(fails)
      await this.#life().catch(() => undefined)
      this.#disk.restart(this.#chance)
      this.losses++
      try {
        await this.#check()
      } catch (error) {
        const what = error instanceof Error ? error.message : String(error)
        throw new Error(`seed ${this.#seed}, loss ${this.losses}: ${what}`, { cause: error })
      }
    }
  }

  async #life(): Promise<void> {
    const { journal } = await openJournal(DIRECTORY, journalFilesOn(this.#disk))
    for (;;) {
      if (this.#chance(6) === 0) await this.#changeRoom(journal)
      if (this.#chance(8) === 0) await this.#replace(journal)
      const appends = Array.from({ length: 1 + this.#chance(4) }, () => this.#append(journal))
      const failed = (await Promise.allSettled(appends)).find((r) => r.status === 'rejected')
      if (failed !== undefined) throw failed.reason
    }
  }

  /** Others fill the disk, or free some of it; somebody looks whether there is room, or not yet. */
  async #changeRoom(journal: FileJournal): Promise<void> {
    const isFull = this.#chance(2) === 0
    this.#disk.space = isFull ? this.#disk.used + this.#chance(6000) : Number.POSITIVE_INFINITY
    if (this.#chance(2) === 0) await journal.makeRoom()
  }

  async #append(journal: FileJournal): Promise<void> {
    const numbers = Array.from({ length: 1 + this.#chance(3) }, () => this.#made++)
    this.#pending.push(...numbers)
    const isIn = await unlessFull(journal.append(numbers.map(entryOf)))
    if (isIn) this.#bases = this.#bases.map((base) => [...base, ...numbers])
    this.#pending = this.#pending.filter((number) => !numbers.includes(number))
    if (!isIn) this.refused++
    else if (journal.room.state === 'reserve') this.kept++
  }

  /** The newer half is kept, in a checkpoint of one batch or of many. */
  async #replace(journal: FileJournal): Promise<void> {
    const [base = []] = this.#bases
    const kept = base.slice(base.length >> 1)
    if (kept.length === 0) return
    this.#bases = [base, kept]
    const rewriting = journal.rewrite(kept.map(entryOf), bytes(1 + this.#chance(5000)))
    this.#bases = (await unlessFull(rewriting)) ? [kept] : [base]
  }

  async #check(): Promise<void> {
    const { journal, entries } = await openJournal(DIRECTORY, journalFilesOn(this.#disk))
    await journal.close()
    const found = entries.map(numberOf)
    const fits = this.#bases.some((base) => {
      const rest = found.slice(base.length)
      const begins = base.every((number, i) => found[i] === number)
      return begins && rest.every((number, i) => number === this.#pending[i])
    })
    if (!fits) {
      throw new Error(`found ${found}; acknowledged ${this.#bases.join(' or ')}`)
    }
    this.#bases = [found]
    this.#pending = []
  }
}

/** False when there was no room. */
const unlessFull = async (work: Promise<void>): Promise<boolean> => {
  try {
    await work
    return true
  } catch (error) {
    if (HoldfastError.is(error, 'DISK_FULL')) return false
    throw error
  }
}
