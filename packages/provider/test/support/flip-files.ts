/**
 * Flipping bits in the files beside the sectors: indexes in LevelDB, chain state, CAR index, journal,
 * identity, keys. Each kind has a trial that opens the changed file and says how that was met.
 */
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  address,
  HoldfastError,
  hash32,
  period,
  type Root,
  root,
  timestamp,
} from '@holdfast/protocol'
import { openChecksum } from '@holdfast/prover'
import { CarIndex } from '../../src/car/car-index.ts'
import { keyOf } from '../../src/car/cids.ts'
import { IndexWriter } from '../../src/car/index-writer.ts'
import type { Fact } from '../../src/follow/facts.ts'
import { StateStore } from '../../src/follow/state-store.ts'
import type { Entry as JournalEntry } from '../../src/journal/entries.ts'
import { FileJournal } from '../../src/journal/file-journal.ts'
import type { Entry } from '../../src/store/record-entry.ts'
import { createVolume } from '../../src/store/volume-files.ts'
import { readIdentity } from '../../src/store/volume-identity.ts'
import { type IndexChange, VolumeIndex } from '../../src/store/volume-index.ts'
import { volumePaths } from '../../src/store/volume-paths.ts'
import { createTlsIdentity, readTlsIdentity } from '../../src/tls.ts'
import { blockOf } from './cars.ts'
import { type Chance, SimulatedDisk } from './simulated-disk.ts'
import { journalFilesOn } from './simulated-journal.ts'

/** Says how a flip was met. @throws Error when it was not, or when something wrong was believed. */
export type Trial = (chance: Chance) => Promise<string>

const flip = (data: Uint8Array, chance: Chance): void => {
  const at = chance(data.length)
  data[at] = (data[at] ?? 0) ^ (1 << chance(8))
}

const flipFile = async (path: string, chance: Chance): Promise<void> => {
  const data = await readFile(path)
  flip(data, chance)
  await writeFile(path, data)
}

const rootOf = (i: number): Root => root(`0x${i.toString(16).padStart(64, '0')}`)

/** The journal: what is in it is refused when any bit of it changed, also of the last batch. */
export const journalTrials = async (): Promise<Readonly<Record<string, Trial>>> => {
  const directory = '/journal'
  const entryOf = (i: number): JournalEntry => ({ kind: 'damage-mended', root: rootOf(i) })
  const disk = new SimulatedDisk()
  const { journal } = await FileJournal.open(directory, journalFilesOn(disk))
  for (let i = 0; i < 60; i += 3) await journal.append([entryOf(i), entryOf(i + 1), entryOf(i + 2)])
  await journal.close()
  const trial =
    (file: string, refuses: boolean): Trial =>
    async (chance) => {
      const changed = SimulatedDisk.holding(disk.files)
      flip(changed.contentOf(join(directory, file)) ?? new Uint8Array(1), chance)
      try {
        const opened = await FileJournal.open(directory, journalFilesOn(changed))
        if (refuses) throw new Error('a changed journal was opened')
        if (opened.entries.length !== 60) throw new Error('entries are missing')
        return 'without effect'
      } catch (error) {
        if (!refuses || !String(error).includes('journal')) throw error
        return 'refused when opening'
      }
    }
  return { journal: trial('journal.log', true), 'journal mark': trial('journal.mark', false) }
}

const entryAt = (i: number): Entry => ({
  sector: { number: i + 1, tag: i + 77 },
  offset: 8192,
  mark: 0,
  trailer: {
    ...{ type: 'payload', sequence: BigInt(i), layersBytes: 64n as never, storedAt: 7n as never },
    ...{ framesCrc: i, layersCrc: i + 1 },
    commitment: { scheme: 1 as never, root: rootOf(i), length: 9_000_000n as never },
  },
})

const FILES = 400

/** The index of a volume: never believes a changed value, and is whole again after the next opening. */
export const indexTrials = async (scratch: string): Promise<Readonly<Record<string, Trial>>> => {
  const template = join(scratch, 'index')
  const truth = new Map<string, Entry>()
  for (let i = 0; i < FILES; i++) truth.set(`${i}.sector`, entryAt(i))
  const index = await VolumeIndex.open(template)
  const rows: IndexChange[] = [...truth]
  index.apply(rows.slice(0, 300))
  for (let i = 0; i < 50; i++) await index.stamp('verified', rootOf(i), i + 1)
  await index.close()
  // What was in the log becomes a table when it is opened again.
  const more = await VolumeIndex.open(template)
  more.apply(rows.slice(300))
  await more.close()
  const names = await readdir(template)
  const trialOf =
    (pattern: RegExp): Trial =>
    (chance) =>
      indexTrial({ scratch, template, truth, files: names.filter((n) => pattern.test(n)) }, chance)
  return {
    'index table': trialOf(/\.ldb$/),
    'index log': trialOf(/\.log$/),
    'index manifest': trialOf(/^MANIFEST/),
    'index CURRENT': trialOf(/^CURRENT$/),
  }
}

interface IndexTemplate {
  readonly scratch: string
  readonly template: string
  readonly truth: ReadonlyMap<string, Entry>
  readonly files: readonly string[]
}

const sameEntry = (a: Entry | undefined, b: Entry | undefined): boolean =>
  a?.trailer.commitment.root === b?.trailer.commitment.root && a?.offset === b?.offset

const indexTrial = async (
  { scratch, template, truth, files }: IndexTemplate,
  chance: Chance,
): Promise<string> => {
  const copy = join(scratch, 'copy')
  await rm(copy, { recursive: true, force: true })
  await cp(template, copy, { recursive: true })
  const file = files[chance(files.length)]
  if (file === undefined) throw new Error('there is such a file')
  await flipFile(join(copy, file), chance)
  let thrownAway = false
  const index = await VolumeIndex.open(copy, () => {
    thrownAway = true
  })
  const known = await index.own()
  for (const [name, entry] of known) {
    if (!sameEntry(truth.get(name), entry)) throw new Error(`${name} is not what was written`)
  }
  for await (const [of, at] of index.stamps('verified')) {
    if (of !== rootOf(at - 1)) throw new Error(`${of} was not verified at ${at}`)
  }
  // What a volume does when it opens: what the index does not know is read and noted again.
  index.apply([...truth].filter(([name]) => !known.has(name)))
  await index.close()
  const again = await VolumeIndex.open(copy)
  const healed = await again.own()
  await again.close()
  if (healed.size !== truth.size) throw new Error(`${truth.size - healed.size} stay missing`)
  if (thrownAway) return 'thrown away, made again'
  return known.size === truth.size ? 'without effect' : 'values missing, noted again'
}

const BLOCKS = 300

/** A CAR index: every block is found where it is, or the index is known to be damaged. */
export const carIndexTrials = async (scratch: string): Promise<Readonly<Record<string, Trial>>> => {
  const checksum = openChecksum()
  const path = join(scratch, 'template.cidx')
  const cids = Array.from({ length: BLOCKS }, (_, i) => blockOf(Buffer.from(`block ${i}`)).cid)
  const writer = new IndexWriter(path, checksum)
  for (const [i, cid] of cids.entries()) writer.add(keyOf(cid), i * 100)
  const said = { roots: [String(cids[0])], unknown: 0, wrong: 0, ended: undefined }
  writer.finish({ payload: rootOf(1), payloadLength: 12_345, ...said })
  const whole = await readFile(path)
  const trial: Trial = async (chance) => {
    const changed = Buffer.from(whole)
    flip(changed, chance)
    const copy = join(scratch, 'copy.cidx')
    await writeFile(copy, changed)
    const index = await CarIndex.open(copy, checksum)
    if (index === undefined) return 'refused when opening, made again'
    let damaged = 0
    for (const [i, cid] of cids.entries()) {
      const hit = await index.find(cid).catch(() => 'damaged' as const)
      if (hit === 'damaged') damaged++
      else if (hit?.offset !== i * 100) throw new Error(`block ${i} is found at ${hit?.offset}`)
    }
    await index.close()
    if (damaged === 0) throw new Error('nobody notices')
    return 'found when looking, made again'
  }
  return { 'CAR index': trial }
}

const UPDATES = 40

/** The chain state: as it was at some block, or thrown away and folded anew. */
export const stateTrials = async (scratch: string): Promise<Readonly<Record<string, Trial>>> => {
  const template = join(scratch, 'state')
  const store = await StateStore.open(template)
  for (let n = 1; n <= UPDATES; n++) await writeUpdate(store, n)
  await store.close()
  const names = (await readdir(template)).filter((n) =>
    /^(CURRENT|MANIFEST.*|.*\.(log|ldb))$/.test(n),
  )
  const trial: Trial = async (chance) => {
    const copy = join(scratch, 'state-copy')
    await rm(copy, { recursive: true, force: true })
    await cp(template, copy, { recursive: true })
    await flipFile(join(copy, names[chance(names.length)] ?? ''), chance)
    let thrownAway = false
    const opened = await StateStore.open(copy, () => {
      thrownAway = true
    })
    const loaded = await opened.load()
    const at = Number(loaded?.cursor?.number ?? 0n)
    if (loaded !== undefined) expectState(loaded.facts, at)
    if (loaded === undefined) await writeUpdate(opened, 1)
    await opened.close()
    const again = await StateStore.open(copy)
    if ((await again.load()) === undefined) throw new Error('still damaged')
    await again.close()
    if (loaded === undefined || thrownAway) return 'thrown away, folded anew'
    return at === UPDATES ? 'without effect' : 'an older block, followed from there'
  }
  return { 'chain state': trial }
}

const factAt = (n: number): Fact => ({ kind: 'seed', period: period(n), seed: hash32(rootOf(n)) })

const writeUpdate = (store: StateStore, n: number): Promise<void> => {
  const ref = { number: BigInt(n), hash: hash32(rootOf(n)), timestamp: timestamp(n) }
  return store.write({
    facts: new Map([[`seed/${n}`, factAt(n)]]),
    applied: [{ change: { ref, changes: new Map() }, parent: undefined }],
    reverted: [],
    cursor: ref,
  })
}

const expectState = (facts: ReadonlyMap<string, Fact>, upTo: number): void => {
  if (facts.size !== upTo) throw new Error(`${facts.size} facts at block ${upTo}`)
  for (let n = 1; n <= upTo; n++) {
    const fact = facts.get(`seed/${n}`)
    if (fact?.kind !== 'seed' || fact.seed !== hash32(rootOf(n)))
      throw new Error(`fact ${n} is another`)
  }
}

/** Volume identity and TLS: the same as before, or refused. */
export const identityTrials = async (scratch: string): Promise<Readonly<Record<string, Trial>>> => {
  const provider = address(`0x${'ab'.repeat(20)}`)
  const paths = volumePaths(join(scratch, 'volume'))
  const tls = join(scratch, 'tls')
  await createVolume(paths.root, provider)
  await mkdir(tls, { recursive: true })
  const { keyHash } = await createTlsIdentity(tls, 'localhost', new Date(0))
  const trialOn =
    (path: string, read: () => Promise<boolean> | boolean): Trial =>
    async (chance) => {
      const whole = await readFile(path)
      try {
        await flipFile(path, chance)
        return (await read()) ? 'without effect' : 'another index is made'
      } catch (error) {
        if (!HoldfastError.is(error, 'CONFIG_INVALID')) throw error
        return 'refused when opening'
      } finally {
        await writeFile(path, whole)
      }
    }
  const { id } = readIdentity(paths, provider)
  const sameKey = async (): Promise<boolean> => {
    const read = await readTlsIdentity(tls)
    if (read.keyHash !== keyHash) throw new Error('another key is believed')
    return true
  }
  return {
    'volume identity': trialOn(paths.identity, () => readIdentity(paths, provider).id === id),
    'TLS key': trialOn(join(tls, 'key.pem'), sameKey),
    'TLS certificate': trialOn(join(tls, 'cert.pem'), sameKey),
  }
}
