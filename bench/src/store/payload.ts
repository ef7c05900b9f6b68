/**
 * One payload through the store beside the plainest way to bring bytes to a disk: ingest with its
 * tree, bytes that the kernel says were written, random reads.
 */
import {
  closeSync,
  fdatasyncSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { bytes } from '@holdfast/protocol'
import type { Prover } from '@holdfast/prover'
import { mustEqual } from '../data.ts'
import { type BenchCase, type CaseResult, type Contestant, conclude, median } from '../harness.ts'
import { MIB, type Payload, payloadsOf, Stores, storeLarge } from './stores.ts'

const TOTAL = 512 * MIB
/** What both sides make durable at once. */
const PART_BYTES = 16 * MIB

const plainWrites = (folder: string, { data, commitment }: Payload): Contestant => {
  const path = join(folder, 'plain')
  return {
    name: 'plain writes to one file, fdatasync every 16 MiB',
    work: data.length,
    before: () => rmSync(path, { force: true }),
    run: () => {
      const file = openSync(path, 'w')
      for (let at = 0; at < data.length; at += MIB) {
        writeSync(file, data, at, MIB, at)
        if ((at + MIB) % PART_BYTES === 0) fdatasyncSync(file)
      }
      closeSync(file)
      return commitment.root
    },
  }
}

const treeCase = (folder: string, stores: Stores, payload: Payload): BenchCase => ({
  name: 'ingest including the tree : plain writes with fdatasync',
  unit: 'MB/s',
  better: 'more',
  clock: 'wall',
  scale: 1e-6,
  ours: {
    name: 'holdfast',
    work: payload.data.length,
    before: () => stores.fresh(),
    run: () => storeLarge(stores.current, payload, PART_BYTES),
  },
  peers: [plainWrites(folder, payload)],
  check: (result, { name }) => mustEqual(result, payload.commitment.root, name),
  rounds: 9,
  goal: { of: 'ratio', bound: 0.9 },
})

/** Bytes that this process caused to be written to a disk, as the kernel counts them. */
const writtenBytes = (): number => {
  const line = /^write_bytes: (\d+)$/m.exec(readFileSync('/proc/self/io', 'utf8'))
  return Number(line?.[1])
}

const AMPLIFICATION_ROUNDS = 3

/** What the kernel says this process wrote for a payload, over the payload. */
const amplification = async (stores: Stores, payload: Payload): Promise<CaseResult> => {
  const figures: number[] = []
  for (let round = 0; round < AMPLIFICATION_ROUNDS; round++) {
    await stores.fresh()
    const before = writtenBytes()
    await storeLarge(stores.current, payload, PART_BYTES)
    figures.push((writtenBytes() - before) / payload.data.length)
  }
  const shape: BenchCase = {
    name: 'bytes written for a byte stored, tree and checksums included',
    unit: 'bytes',
    better: 'less',
    clock: 'wall',
    scale: 1,
    ours: { name: 'holdfast', work: 1, run: () => undefined },
    peers: [],
    check: () => undefined,
    goal: { of: 'figure', bound: 1.02 },
  }
  return conclude(shape, median(figures), {}, AMPLIFICATION_ROUNDS)
}

const READS = 400
const READ_BYTES = 65_536

/** The same places for both, spread over the payload. */
const places = (length: number): readonly number[] =>
  Array.from(
    { length: READS },
    (_, i) => ((i * 2_654_435_761) % (length / READ_BYTES)) * READ_BYTES,
  )

const readCase = (stores: Stores, { data, commitment }: Payload): BenchCase => {
  const at = places(data.length)
  const place = stores.current.find(commitment.root)?.payload
  if (place === undefined) throw new Error('the payload is stored')
  const buffer = new Uint8Array(READ_BYTES)
  const pread = (): number => {
    const file = openSync(place.path, 'r')
    let sum = 0
    for (const from of at) {
      readSync(file, buffer, 0, READ_BYTES, Number(place.offset) + from)
      sum += buffer[7] ?? 0
    }
    closeSync(file)
    return sum
  }
  const checked = async (): Promise<number> => {
    let sum = 0
    for (const from of at) {
      const range = { start: bytes(from), end: bytes(from + READ_BYTES) }
      for await (const part of stores.current.read(commitment.root, range)) sum += part[7] ?? 0
    }
    return sum
  }
  return {
    name: 'random reads of 64 KiB, each checked : plain pread, unchecked',
    unit: 'MB/s',
    better: 'more',
    clock: 'wall',
    scale: 1e-6,
    ours: { name: 'holdfast', work: READS * READ_BYTES, run: checked },
    peers: [{ name: 'pread', work: READS * READ_BYTES, run: pread }],
    check: (result, { name }) => {
      const wanted = at.reduce((sum, from) => sum + (data[from + 7] ?? 0), 0)
      mustEqual(result, wanted, name)
    },
  }
}

export async function* payloadCases(
  folder: string,
  prover: Prover,
): AsyncGenerator<BenchCase | CaseResult> {
  const [payload] = await payloadsOf(prover, { total: TOTAL, size: TOTAL, seed: 99 })
  if (payload === undefined) throw new Error('one payload was made')
  const stores = new Stores(folder, prover)
  try {
    yield treeCase(folder, stores, payload)
    yield await amplification(stores, payload)
    yield readCase(stores, payload)
  } finally {
    await stores.close()
  }
}
