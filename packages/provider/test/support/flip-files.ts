/** Flipping bits in the files beside sectors and databases: journal, CAR index, identity, keys. */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { address } from '@holdfast/protocol'
import { openChecksum } from '@holdfast/prover'
import { CarIndex } from '../../src/car/car-index.ts'
import { keyOf } from '../../src/car/cids.ts'
import { IndexWriter } from '../../src/car/index-writer.ts'
import type { Entry as JournalEntry } from '../../src/journal/entries.ts'
import { createVolume } from '../../src/store/volume-files.ts'
import { readIdentity } from '../../src/store/volume-identity.ts'
import { volumePaths } from '../../src/store/volume-paths.ts'
import { createTlsIdentity, readTlsIdentity } from '../../src/tls.ts'
import { blockOf } from './cars.ts'
import { flip, rootOf, type Trial, trialOn } from './flip-trial.ts'
import { SimulatedDisk } from './simulated-disk.ts'
import { journalFilesOn, openJournal } from './simulated-journal.ts'

/** The journal: what is in it is refused when any bit of it changed, also of the last batch. */
export const journalTrials = async (): Promise<Readonly<Record<string, Trial>>> => {
  const directory = '/journal'
  const entryOf = (i: number): JournalEntry => ({ kind: 'damage-mended', root: rootOf(i) })
  const disk = new SimulatedDisk()
  const { journal } = await openJournal(directory, journalFilesOn(disk))
  await journal.rewrite(Array.from({ length: 30 }, (_, i) => entryOf(i)))
  for (let i = 30; i < 60; i += 3)
    await journal.append([entryOf(i), entryOf(i + 1), entryOf(i + 2)])
  await journal.close()
  const trial =
    (file: string, refuses: boolean): Trial =>
    async (chance) => {
      const changed = SimulatedDisk.holding(disk.files)
      flip(changed.contentOf(join(directory, file)) ?? new Uint8Array(1), chance)
      try {
        const opened = await openJournal(directory, journalFilesOn(changed))
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
    if (damaged === 0) throw new Error('nobody notices')
    return 'found when looking, made again'
  }
  return { 'CAR index': trial }
}

/** Volume identity and TLS: the same as before, or refused. */
export const identityTrials = async (scratch: string): Promise<Readonly<Record<string, Trial>>> => {
  const provider = address(`0x${'ab'.repeat(20)}`)
  const paths = volumePaths(join(scratch, 'volume'))
  const tls = join(scratch, 'tls')
  await createVolume(paths.root, provider)
  await mkdir(tls, { recursive: true })
  const { keyHash } = await createTlsIdentity(tls, 'localhost', new Date(0))
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
