/** Flipping one bit at a time, over every kind of place of a volume, and counting how it was met. */

import { VOLUME_KINDS, type VolumeKind } from './flip-template.ts'
import { FlipVolume, type Outcome } from './flip-volume.ts'
import { type Chance, chanceFrom } from './simulated-disk.ts'

/** How often each outcome was seen, by kind of place. */
export type FlipCounts = ReadonlyMap<VolumeKind, ReadonlyMap<Outcome, number>>

/** What may happen to a flip in each kind of place; anything else is a failure. */
const ALLOWED: Readonly<Record<VolumeKind, readonly Outcome[]>> = {
  'first superblock': ['noticed when opening', 'without effect'],
  'second superblock': ['noticed when opening', 'without effect'],
  'record header': [
    'found by scrubbing, written again',
    'noticed when opening',
    'lost, and missed by whoever has a receipt',
  ],
  payload: ['found by reading'],
  'frame checksums': ['found by reading'],
  'kept layers': ['found by reading'],
  'record trailer': [
    'found by scrubbing, written again',
    'noticed when opening',
    'lost, and missed by whoever has a receipt',
  ],
  padding: ['without effect'],
  footer: ['noticed when opening', 'without effect'],
  tombstone: [
    'without effect',
    'noticed when opening',
    'removed payload back, to be collected again',
  ],
  'reservation header': ['lost, and missed by whoever has a receipt', 'noticed when opening'],
  'reserved bytes': ['found when sealing'],
  'own sector': [
    ...(['found by reading', 'found by scrubbing, written again', 'without effect'] as const),
    ...(['noticed when opening', 'lost, and missed by whoever has a receipt'] as const),
  ],
}

const pick = <T>(list: readonly T[], chance: Chance): T => {
  const one = list[chance(list.length)]
  if (one === undefined) throw new Error('there is nothing to choose from')
  return one
}

/** @throws Error for a flip that nobody notices, that costs more than its own record, or wrong bytes. */
export const flipVolume = async (flips: number, seed: number): Promise<FlipCounts> => {
  const chance = chanceFrom(seed)
  const volume = FlipVolume.build()
  const counts = new Map(VOLUME_KINDS.map((kind) => [kind, new Map<Outcome, number>()]))
  for (let flip = 0; flip < flips; flip++) {
    const kind = VOLUME_KINDS[flip % VOLUME_KINDS.length] ?? 'payload'
    const { path, at, length } = pick(volume.places.get(kind) ?? [], chance)
    const offset = at + chance(length)
    const bit = chance(8)
    const disk = volume.disk()
    const content = disk.contentOf(path)
    if (content === undefined) throw new Error(`${path} is there`)
    content[offset] = (content[offset] ?? 0) ^ (1 << bit)
    const how = { withIndex: chance(2) === 0, deep: chance(4) === 0 }
    const name = `${kind}, bit ${bit} of byte ${offset} of ${path}, ${JSON.stringify(how)}`
    const outcomes = await volume.judge(disk, how).catch((error: unknown) => {
      throw new Error(`${name}: ${error instanceof Error ? error.message : error}`, {
        cause: error,
      })
    })
    const seen = counts.get(kind)
    for (const outcome of outcomes) {
      if (!ALLOWED[kind].includes(outcome)) throw new Error(`${name}: ${outcome}`)
      seen?.set(outcome, (seen.get(outcome) ?? 0) + 1)
    }
  }
  return counts
}

/** The counts, for people. */
export const flipLines = (counts: FlipCounts): string =>
  [...counts]
    .map(([kind, seen]) => `${kind}: ${[...seen].map(([what, n]) => `${n} ${what}`).join(', ')}`)
    .join('\n')
