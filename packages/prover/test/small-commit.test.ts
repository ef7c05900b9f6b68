/** A small payload hashed by one task: root and kept layers are those that `commitFile` leaves on disk. */
import { readFile } from 'node:fs/promises'
import { bytes, HoldfastError, type SchemeId } from '@holdfast/protocol'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { keptLayersLength } from '../src/layers.ts'
import { openProver } from '../src/open-prover.ts'
import type { Prover } from '../src/prover.ts'
import { type Folder, noise, openFolder } from './fixture.ts'

const ENGINES = [undefined, 'wasm'] as const
const KIB = 1024
/** Trees under one kept node, of one page, of several groups of layers; with and without odd ends. */
const LENGTHS = [1, 64 * KIB, 64 * KIB + 1, 1_000_003, 8 * KIB * KIB, 9_000_001] as const

const provers = new Map<string | undefined, Prover>()
let folder: Folder

beforeAll(async () => {
  folder = await openFolder()
  for (const engine of ENGINES) {
    provers.set(engine, await openProver({ threads: 1, ...(engine ? { engine } : {}) }))
  }
})
afterAll(async () => {
  for (const prover of provers.values()) await prover.close()
  await folder.remove()
})

const proverOf = (engine: string | undefined): Prover => {
  const prover = provers.get(engine)
  if (prover === undefined) throw new Error('it was opened')
  return prover
}

const CASES = ENGINES.flatMap((engine) =>
  ([1, 2] as const).flatMap((scheme) => LENGTHS.map((length) => [engine, scheme, length] as const)),
)

test.each(CASES)(
  'engine %s, scheme %i, %i bytes: what it gives is what a commit writes',
  async (engine, scheme: SchemeId, length) => {
    const payload = await folder.file('small', noise(length, length))
    const path = folder.place(`small.${scheme}.${length}.${engine}`)
    const kept = keptLayersLength(bytes(length), scheme)
    const layers = kept === 0n ? {} : { layers: { path, offset: bytes(0) } }
    const wanted = await proverOf(undefined).commitFile(payload, { scheme, ...layers })
    const small = await proverOf(engine).commitSmall(payload, { scheme })
    expect(small.commitment).toEqual(wanted)
    expect(BigInt(small.layers.length)).toBe(kept)
    if (kept > 0n) expect(Buffer.from(small.layers).equals(await readFile(path))).toBe(true)
    const memory = new Uint8Array(new SharedArrayBuffer(length + 1)).subarray(1)
    memory.set(noise(length, length))
    expect(await proverOf(engine).commitBytes(memory, { scheme })).toEqual(small)
    expect(await proverOf(engine).commitBytes(memory.slice(), { scheme })).toEqual(small)
  },
)

test('a part of a file is committed as itself; what is empty, too large or cut short is refused', async () => {
  const prover = proverOf(undefined)
  const payload = await folder.file('parts', noise(300_000))
  const part = { ...payload, offset: bytes(12_345), length: bytes(200_000) }
  expect((await prover.commitSmall(part)).commitment).toEqual(await prover.commitFile(part))
  const codeOf = (length: number): Promise<string> =>
    prover.commitSmall({ ...payload, length: bytes(length) }).then(
      () => 'done',
      (cause: unknown) => (HoldfastError.is(cause) ? cause.code : String(cause)),
    )
  expect(await codeOf(0)).toBe('PAYLOAD_EMPTY')
  expect(await codeOf(300_001)).toBe('INPUT_UNREADABLE')
  expect(await codeOf(16 * KIB * KIB + 1)).toBe('PAYLOAD_TOO_LARGE')
  for (const [length, code] of [
    [0, 'PAYLOAD_EMPTY'],
    [16 * KIB * KIB + 1, 'PAYLOAD_TOO_LARGE'],
  ] as const) {
    await expect(prover.commitBytes(new Uint8Array(length))).rejects.toMatchObject({ code })
  }
})
