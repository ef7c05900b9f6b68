/** Commitments of files and streams, refusals, bounds, cancelling. */
import { readFile } from 'node:fs/promises'
import { bytes, HoldfastError } from '@holdfast/protocol'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { keptLayersLength } from '../src/layers.ts'
import { openProver } from '../src/open-prover.ts'
import type { Prover } from '../src/prover.ts'
import { chunks, type Folder, noise, openFolder, plainCommp, plainRoot } from './fixture.ts'

let prover: Prover
let folder: Folder

beforeAll(async () => {
  prover = await openProver({ threads: 2 })
  folder = await openFolder()
})
afterAll(async () => {
  await prover.close()
  await folder.remove()
})

const BORDERS = [1, 2, 4, 15, 16, 17, 31, 64, 65, 1023, 1024, 1025, 2048, 2049, 3000].flatMap(
  (leaves) => [leaves * 1024 - 1, leaves * 1024, leaves * 1024 + 1],
)

describe('commitments', () => {
  test.each(BORDERS)('a file of %i bytes has the root of the definition', async (length) => {
    const data = noise(length, length)
    const payload = await folder.file('border', data)
    expect(await prover.commitFile(payload)).toEqual({
      scheme: 1,
      root: plainRoot(data),
      length: BigInt(length),
    })
  })

  test.each([1, 126, 127, 128, 254, 508, 509, 65_024, 65_025, 200_000, 1_300_000])(
    'a file of %i bytes has the CommP root of the definition',
    async (length) => {
      const data = noise(length, length)
      const payload = await folder.file('commp', data)
      const commitment = await prover.commitFile(payload, { scheme: 2 })
      expect(commitment.root).toBe(plainCommp(data))
    },
  )

  test.each([1, 2] as const)(
    'scheme %i: a stream in odd chunks gives the root of the file',
    async (scheme) => {
      const data = noise(20_000_003)
      const payload = await folder.file('stream', data)
      const place = { path: folder.place(`stream.${scheme}`), offset: bytes(0) }
      const whole = await prover.commitFile(payload, {
        scheme,
        layers: { ...place, path: `${place.path}.a` },
      })
      const streamed = await prover.commitStream(chunks(data, 300_007), {
        scheme,
        layers: { ...place, path: `${place.path}.b` },
      })
      expect(streamed).toEqual(whole)
      const [a, b] = await Promise.all([readFile(`${place.path}.a`), readFile(`${place.path}.b`)])
      expect(a.equals(b)).toBe(true)
      expect(BigInt(a.length)).toBe(keptLayersLength(bytes(data.length), scheme))
    },
  )

  test('a range inside a file is committed as itself', async () => {
    const data = noise(3_000_000)
    const payload = await folder.file('inside', data)
    const part = { ...payload, offset: bytes(12_345), length: bytes(2_500_001) }
    const commitment = await prover.commitFile(part)
    expect(commitment.root).toBe(plainRoot(data.subarray(12_345, 12_345 + 2_500_001)))
  })
})

describe('refusals', () => {
  const codeOf = async (work: Promise<unknown>): Promise<string> =>
    work.then(
      () => 'done',
      (cause: unknown) => (HoldfastError.is(cause) ? cause.code : String(cause)),
    )

  test('an empty payload, a missing file and a short file each have their error', async () => {
    const payload = await folder.file('short', noise(5000))
    expect(await codeOf(prover.commitFile({ ...payload, length: bytes(0) }))).toBe('PAYLOAD_EMPTY')
    expect(await codeOf(prover.commitStream(chunks(new Uint8Array(0), 1)))).toBe('PAYLOAD_EMPTY')
    const missing = { ...payload, path: folder.place('missing') }
    expect(await codeOf(prover.commitFile(missing))).toBe('INPUT_UNREADABLE')
    expect(await codeOf(prover.commitFile({ ...payload, length: bytes(5001) }))).toBe(
      'INPUT_UNREADABLE',
    )
  })

  test('more operations than admitted are refused, and the others finish', async () => {
    const narrow = await openProver({ threads: 1, operationsMax: 2 })
    const payload = await folder.file('queue', noise(2_000_000))
    const results = await Promise.all([1, 2, 3, 4].map(() => codeOf(narrow.commitFile(payload))))
    expect(results.sort()).toEqual(['QUEUE_FULL', 'QUEUE_FULL', 'done', 'done'])
    await narrow.close()
    await narrow.close()
    expect(await codeOf(narrow.commitFile(payload))).toBe('SHUTTING_DOWN')
  })

  test('aborting stops a commit, and the threads go on with other work', async () => {
    const payload = await folder.file('abort', noise(30_000_000))
    const control = new AbortController()
    const running = prover.commitFile(payload, {
      signal: control.signal,
      onProgress: () => control.abort(),
    })
    expect(await codeOf(running)).toBe('ABORTED')
    expect(await codeOf(prover.commitFile(payload, { signal: control.signal }))).toBe('ABORTED')
    expect(await codeOf(prover.commitFile(payload))).toBe('done')
  })
})
