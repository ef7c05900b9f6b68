/**
 * What a volume says it uses, kept as sums, beside the same counted over all sectors and reservations,
 * after every step of random histories on a simulated disk.
 */
import { bytes, timestamp } from '@holdfast/protocol'
import { openChecksum } from '@holdfast/prover'
import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { collectable, drop, move, retire } from '../../src/store/collect.ts'
import { OpenFiles } from '../../src/store/open-files.ts'
import { OpenReservations } from '../../src/store/open-reservations.ts'
import { RecordTable } from '../../src/store/record-table.ts'
import { discard, reserve, usageOf, writeBytes } from '../../src/store/reservations.ts'
import { prepare, remove, seal } from '../../src/store/seal-record.ts'
import { FIRST_RECORD } from '../../src/store/sector-format.ts'
import { Sectors } from '../../src/store/sectors.ts'
import { writeFooters } from '../../src/store/shared-sectors.ts'
import { volumePaths } from '../../src/store/volume-paths.ts'
import { recoverVolume } from '../../src/store/volume-recovery.ts'
import { Pending, type VolumeState } from '../../src/store/volume-state.ts'
import { commitmentOf, payloadOf } from '../support/payloads.ts'
import { chanceFrom, SimulatedDisk } from '../support/simulated-disk.ts'

const MADE = [1, 700, 5_000, 9_000, 70_000, 6_000].map((size, i) => {
  const data = payloadOf(size, i + 1)
  return { data, commitment: commitmentOf(data) }
})
const paths = volumePaths('/volume')
const checksum = openChecksum()

const stateOn = (disk: SimulatedDisk): VolumeState => {
  const chance = chanceFrom(1 + disk.list(paths.root).length)
  return {
    ...{ disk, paths, identity: 'ab'.repeat(16), checksum },
    options: {
      ...{ capacity: 2n ** 40n, diskMargin: 0n },
      ...{ sharedPayloadMax: 10_000n, sharedSectorBytes: 40_000n },
    },
    random: { bytes: (n) => Uint8Array.from({ length: n }, () => 1 + chance(255)) },
    files: new OpenFiles(disk),
    table: RecordTable.empty(() => undefined),
    ...{ sectors: new Sectors(), reservations: new OpenReservations(), pending: new Pending() },
    ...{ changes: new Map(), nextSequence: 1n, nextNumber: 1 },
  }
}

const commit = (state: VolumeState): void => {
  const { files, pending } = state
  for (const step of [() => pending.runAfterFiles(), () => writeFooters(state)]) {
    files.syncFiles()
    step()
    files.syncFiles()
    files.syncDirectories()
    pending.runEffects()
  }
}

/** By going through everything. */
const countedUsage = ({ sectors, reservations }: VolumeState): Record<string, bigint> => {
  const sum = { used: 0n, reserved: 0n, outstanding: 0n }
  for (const { size } of sectors.values()) sum.used += BigInt(size)
  for (const { kind, layout, written } of reservations.values()) {
    const size = BigInt(layout.end - layout.header)
    sum.reserved += kind === 'own' ? size + BigInt(FIRST_RECORD) : size
    if (kind === 'shared') sum.used -= size
    sum.outstanding += BigInt(Math.max(0, layout.end - layout.header - written))
  }
  return sum
}

const check = (state: VolumeState): void => {
  const { used, reserved } = usageOf(state)
  const { outstanding } = state.reservations
  expect({ used, reserved, outstanding }).toEqual(countedUsage(state))
  const unfinished = [...state.sectors.values()].filter(
    ({ kind, full, footed }) => kind === 'shared' && !(full && footed),
  )
  expect(new Set(state.sectors.unfinished)).toEqual(new Set(unfinished))
}

/** Takes a place, if it has none, and becomes a payload. */
const store = (
  state: VolumeState,
  name: string,
  { data, commitment }: (typeof MADE)[number],
): void => {
  reserve(state, name, commitment, bytes(0))
  sealIt(state, name, data)
}

const sealIt = (state: VolumeState, name: string, data: Uint8Array): void => {
  writeBytes(state, name, 0, data)
  const prepared = prepare(state, name)
  if (prepared === undefined) throw new Error('it is small')
  seal(state, name, { storedAt: timestamp(7), framesCrc: prepared.framesCrc })
  commit(state)
}

/** Compaction, as the collector does it. @returns whether a sector went. */
const compact = (state: VolumeState): boolean => {
  const found = collectable(state, { except: new Set() })
  if (!found?.gains) return false
  for (const root of found.live) move(state, root, found.sector)
  commit(state)
  if (!retire(state, found.sector)) return false
  commit(state)
  drop(state, { number: found.sector })
  commit(state)
  return true
}

const step = fc.record({
  what: fc.constantFrom(
    'reserve',
    'write',
    'store',
    'store',
    'discard',
    'remove',
    'compact',
    'commit',
  ),
  which: fc.nat({ max: MADE.length - 1 }),
  much: fc.nat({ max: 70_000 }),
})

const seen = { sealed: 0, compacted: 0, footed: 0 }

test('the kept sums are what counting gives, after every step and after a restart', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 10, maxLength: 60 }), (steps) => {
      const disk = new SimulatedDisk()
      const state = stateOn(disk)
      recoverVolume(state, { known: new Map(), deep: false, note: () => undefined })
      for (const { what, which, much } of steps) {
        const made = MADE[which]
        if (made === undefined) throw new Error('there are payloads')
        const name = `u${which}`
        const open = state.reservations.has(name)
        if (what === 'reserve') reserve(state, name, made.commitment, bytes(0))
        else if (what === 'write' && open) writeBytes(state, name, 0, made.data.subarray(0, much))
        else if (what === 'store') store(state, name, made)
        else if (what === 'discard') discard(state, name)
        else if (what === 'remove') remove(state, made.commitment.root)
        else if (what === 'compact') seen.compacted += Number(compact(state))
        else if (what === 'commit') commit(state)
        check(state)
      }
      commit(state)
      check(state)
      for (const { footed, kind } of state.sectors.values()) {
        if (kind === 'shared') seen.footed += Number(footed)
      }
      seen.sealed += state.table.size
      state.files.closeAll()
      const again = stateOn(disk)
      recoverVolume(again, { known: new Map(), deep: false, note: () => undefined })
      check(again)
    }),
    { numRuns: 100 },
  )
  expect(Object.entries(seen).filter(([, count]) => count === 0)).toEqual([])
})
