/**
 * A process of its own that stores one large payload as an upload brings it, seals it, answers
 * challenges over it, and tells its parent by how much its memory ever exceeded what it held when
 * everything was warm. Arguments: folder, the payload's file, its length, its root, leaves to open.
 */
import { closeSync, openSync, readFileSync, readSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  bytes,
  type Commitment,
  type LeafIndex,
  leafIndex,
  root,
  timestamp,
  toNumber,
  verifyLeaf,
} from '@holdfast/protocol'
import { openProver } from '@holdfast/prover'
import { createVolume, type VolumeSet } from '@holdfast/provider'
import { inLanes, MIB, openStoreAt, PROVIDER } from './stores.ts'

/** What the parent is told. */
export interface HugeRun {
  /** MiB when the store had opened, when all its threads had worked once, and the most ever. */
  readonly idle: number
  readonly ready: number
  readonly peak: number
  readonly ingestSeconds: number
  readonly sealSeconds: number
  readonly answerSeconds: number
}

const [folder = '', input = '', length = '0', rootText = '', leaves = ''] = process.argv.slice(2)
const PART_BYTES = 4 * MIB
const PARTS = 8
/** Goes every way that the payload goes, so that code and threads are there. */
const WARM_BYTES = 9 * MIB

const memory = (which: 'VmHWM' | 'VmRSS'): number => {
  const line = new RegExp(`^${which}:\\s+(\\d+) kB$`, 'm').exec(
    readFileSync('/proc/self/status', 'utf8'),
  )
  return Number(line?.[1]) / 1024
}

/** Memory for what is on its way, used again and again. */
const buffers = Array.from({ length: PARTS }, () => new Uint8Array(MIB))

const ingest = async (store: VolumeSet, name: string, commitment: Commitment): Promise<void> => {
  await store.reserve(name, commitment)
  const file = openSync(input, 'r')
  const size = toNumber(commitment.length)
  const parts = Array.from({ length: Math.ceil(size / PART_BYTES) }, (_, i) => i * PART_BYTES)
  await inLanes(PARTS, parts, async (start) => {
    const buffer = buffers.pop()
    if (buffer === undefined) throw new Error('a buffer for each part')
    for (let at = start; at < Math.min(size, start + PART_BYTES); at += MIB) {
      const piece = buffer.subarray(0, readSync(file, buffer, 0, Math.min(MIB, size - at), at))
      await store.write(name, bytes(at), [piece])
    }
    buffers.push(buffer)
    await store.sync(name)
  })
  closeSync(file)
}

const prover = await openProver()
const volume = join(folder, 'volume')
await createVolume(volume, PROVIDER)
const disk = { module: new URL('./sparse-disk.js', import.meta.url).href }
const store = await openStoreAt(volume, prover, { disk: () => disk })
const idle = memory('VmRSS')

const answer = async (commitment: Commitment, indices: readonly LeafIndex[]): Promise<void> => {
  const stored = store.find(commitment.root)
  if (stored === undefined) throw new Error('the payload is stored')
  const [outcome] = await prover.answer([{ ...stored, indices }])
  if (outcome?.ok !== true) throw new Error('the challenge is answered')
  for (const proof of outcome.proofs) verifyLeaf(commitment, proof)
}

const timed = async (work: () => Promise<unknown>): Promise<number> => {
  const start = performance.now()
  await work()
  return (performance.now() - start) / 1e3
}

const warm = await prover.commitFile({ path: input, offset: bytes(0), length: bytes(WARM_BYTES) })
await ingest(store, 'warm', warm)
await store.seal('warm', timestamp(1))
await answer(warm, [leafIndex(0)])
await store.remove(warm.root)
// the peak so far was that of loading code
writeFileSync('/proc/self/clear_refs', '5')
const ready = memory('VmRSS')

const payload: Commitment = { scheme: 1, root: root(rootText), length: bytes(BigInt(length)) }
const ingestSeconds = await timed(() => ingest(store, 'huge', payload))
const sealSeconds = await timed(() => store.seal('huge', timestamp(1)))
const indices = leaves.split(',').map((text) => leafIndex(Number(text)))
const answerSeconds = await timed(() => answer(payload, indices))
const run: HugeRun = {
  idle,
  ready,
  peak: memory('VmHWM'),
  ingestSeconds,
  sealSeconds,
  answerSeconds,
}
process.send?.(run)
await store.close()
await prover.close()
process.disconnect?.()
