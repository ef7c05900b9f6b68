/**
 * One payload of 64 GiB through the whole store: ingested in parts, committed to, sealed, challenged,
 * in a process of its own whose memory is watched. Its file is sparse, one MiB of 64 is data, and so
 * is the record; every byte of it goes through the store all the same.
 */
import { fork } from 'node:child_process'
import { closeSync, ftruncateSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bytes } from '@holdfast/protocol'
import type { Prover } from '@holdfast/prover'
import { noise } from '../data.ts'
import { type BenchCase, type CaseResult, conclude } from '../harness.ts'
import type { SuiteContext } from '../suite.ts'
import type { HugeRun } from './huge-run.ts'
import { MIB } from './stores.ts'

const GIB = 2 ** 30
const LEAVES = 20
/** One MiB of data in each run of so many bytes. */
const DATA_EVERY = 64 * MIB

const writeSparse = (path: string, length: number): void => {
  const file = openSync(path, 'w')
  ftruncateSync(file, length)
  const part = noise(MIB, 5)
  for (let at = 0; at < length; at += DATA_EVERY) {
    new DataView(part.buffer).setFloat64(0, at)
    const within = (at / DATA_EVERY) % (DATA_EVERY / MIB)
    writeSync(file, part, 0, MIB, at + within * MIB)
  }
  closeSync(file)
}

/** Stores a payload of that length in a process of its own; throws unless its challenges are answered. */
export const runHuge = async (folder: string, prover: Prover, length: number): Promise<HugeRun> => {
  const input = join(folder, 'huge-input')
  writeSparse(input, length)
  const payload = { path: input, offset: bytes(0), length: bytes(length) }
  const { root } = await prover.commitFile(payload)
  const leaves = Array.from({ length: LEAVES }, (_, i) =>
    Math.floor(((i + 0.5) * length) / LEAVES / 1024),
  )
  const entry = fileURLToPath(new URL('./huge-run.js', import.meta.url))
  const child = fork(entry, [folder, input, String(length), root, leaves.join()])
  const run = await new Promise<HugeRun>((resolve, reject) => {
    let told: HugeRun | undefined
    child.once('message', (message) => {
      told = message as HugeRun
    })
    child.once('error', reject)
    child.once('exit', (code) => {
      if (code === 0 && told !== undefined) resolve(told)
      else reject(new Error(`the run with a large payload ended with ${code}`))
    })
  })
  rmSync(input)
  return run
}

export async function* hugeCases(
  { folder, say }: SuiteContext,
  prover: Prover,
): AsyncGenerator<CaseResult> {
  say('storing one payload of 64 GiB, most of it holes')
  const { idle, peak } = await runHuge(folder, prover, 64 * GIB)
  const shape: BenchCase = {
    name: 'store: extra memory while 64 GiB are ingested, committed to and challenged',
    unit: 'MiB',
    better: 'less',
    clock: 'wall',
    scale: 1,
    ours: { name: 'holdfast', work: 1, run: () => undefined },
    peers: [],
    check: () => undefined,
    goal: { of: 'figure', bound: 64 },
  }
  yield conclude(shape, peak - idle, {}, 1)
}
