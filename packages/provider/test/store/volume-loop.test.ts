/**
 * Group commit keeps its word: whatever the loop has answered `ok` that has to be durable is there when
 * the power goes off in that very moment and the disk keeps nothing of what was not synced.
 */
import { bytes, type Root, timestamp, toNumber } from '@holdfast/protocol'
import { openChecksum } from '@holdfast/prover'
import { expect, test } from '@jest/globals'
import type { PreparedFrames } from '../../src/store/frame-sums.ts'
import { layoutOf } from '../../src/store/sector-format.ts'
import { sectorPath } from '../../src/store/sector-names.ts'
import { VolumeEngine } from '../../src/store/volume-engine.ts'
import { type Answered, type Asked, runGroup } from '../../src/store/volume-loop.ts'
import { DURABLE, type VolumeOp } from '../../src/store/volume-ops.ts'
import { volumePaths } from '../../src/store/volume-paths.ts'
import { commitmentOf, payloadOf } from '../support/payloads.ts'
import { SimulatedDisk } from '../support/simulated-disk.ts'

const PATHS = volumePaths('/volume')
const IDENTITY = 'ab'.repeat(16)
/** One that shares a sector and one that has its own. */
const PAYLOADS = [payloadOf(3_000, 1), payloadOf(20_000, 2)] as const
/** Kept layers that come with the seal. */
const LAYERS = payloadOf(64, 3)
const checksum = openChecksum()

const openEngine = (disk: SimulatedDisk): VolumeEngine =>
  VolumeEngine.open({
    ...{ disk, paths: PATHS, identity: IDENTITY, checksum, known: new Map(), deep: false },
    options: {
      ...{ capacity: 2n ** 40n, diskMargin: 0n },
      ...{ sharedPayloadMax: 10_000n, sharedSectorBytes: 60_000n },
    },
    random: { bytes: (n) => Uint8Array.from({ length: n }, (_, i) => i + 1) },
    onTableMoved: () => undefined,
  })

const emptyVolume = (): SimulatedDisk =>
  SimulatedDisk.holding(
    new Map([
      [
        PATHS.identity,
        new TextEncoder().encode(JSON.stringify({ version: 2, provider: '0x', id: IDENTITY })),
      ],
    ]),
  )

/** Groups of operations that store a payload, make part of it durable before, or remove it again. */
const groupsFor = (
  payload: Uint8Array,
  framesCrc: () => number,
): readonly (() => readonly VolumeOp[])[] => {
  const commitment = commitmentOf(payload)
  const name = 'u'
  return [
    () => [
      { kind: 'reserve', name, commitment, layersBytes: bytes(LAYERS.length) },
      { kind: 'write', name, offset: 0, data: payload.subarray(0, 2_000) },
      { kind: 'sync', name },
    ],
    () => [
      { kind: 'write', name, offset: 2_000, data: payload.subarray(2_000) },
      { kind: 'prepare', name },
    ],
    () => [{ kind: 'seal', name, storedAt: timestamp(7), framesCrc: framesCrc(), layers: LAYERS }],
    () => [{ kind: 'remove', root: commitment.root }],
  ]
}

/** Runs the groups and cuts the power at the n-th answer that had to be durable; says which it was. */
const cutAt = (
  disk: SimulatedDisk,
  payload: Uint8Array,
  nth: number,
): VolumeOp['kind'] | undefined => {
  const engine = openEngine(disk)
  let [crc, left, id] = [0, nth, 0]
  let cut: VolumeOp['kind'] | undefined
  for (const group of groupsFor(payload, () => crc)) {
    const asked: readonly Asked[] = group().map((op) => ({ id: id++, op }))
    const take = ({ id: of, outcome }: Answered): void => {
      const kind = asked.find((each) => each.id === of)?.op.kind
      if (!outcome.ok || kind === undefined) throw new Error(JSON.stringify(outcome))
      if (kind === 'prepare') crc = (outcome.value as PreparedFrames).framesCrc
      if (!DURABLE.has(kind) || left-- > 0) return
      cut ??= kind
      disk.failAfter(0)
    }
    runGroup(engine, asked, {
      next: () => undefined,
      answer: (answers) => {
        if (cut === undefined) answers.forEach(take)
      },
    })
    if (cut !== undefined) break
  }
  // Keeps no name and no byte that was not synced.
  disk.restart(() => 0)
  return cut
}

/** Bytes and kept layers of a sealed payload, as they lie on the disk. */
const storedIn = (disk: SimulatedDisk, engine: VolumeEngine, root: Root): readonly Uint8Array[] => {
  const entry = engine.table.get(root)
  if (entry === undefined) return []
  const { payload, layers } = layoutOf(entry.offset, entry.trailer)
  const { length } = entry.trailer.commitment
  const file = disk.contentOf(sectorPath(PATHS.sectors, entry.sector)) ?? new Uint8Array()
  const kept = file.slice(layers, layers + LAYERS.length)
  expect(checksum(kept)).toBe(entry.trailer.layersCrc)
  return [file.slice(payload, payload + toNumber(length)), kept]
}

test.each(PAYLOADS)('an answer is given when what it says survives power loss (%#)', (payload) => {
  const { root } = commitmentOf(payload)
  const seen: string[] = []
  for (let nth = 0; ; nth++) {
    const disk = emptyVolume()
    const cut = cutAt(disk, payload, nth)
    if (cut === undefined) break
    seen.push(cut)
    const engine = openEngine(disk)
    expect([cut, engine.table.has(root)]).toEqual([cut, cut === 'seal'])
    expect([cut, engine.reservations.has('u')]).toEqual([cut, cut === 'sync'])
    if (cut === 'seal') expect(storedIn(disk, engine, root)).toEqual([payload, LAYERS])
    if (cut !== 'sync') continue
    const { path, layout } = engine.reservations.get('u') ?? { path: '', layout: { payload: 0 } }
    const stored = disk.contentOf(path)?.subarray(layout.payload, layout.payload + 2_000)
    expect(Buffer.from(stored ?? []).equals(payload.subarray(0, 2_000))).toBe(true)
  }
  expect(seen).toEqual(['sync', 'seal', 'remove'])
})
