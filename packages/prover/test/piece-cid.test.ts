/** FRC-0069's own cases, from bytes to piece CID v2, the 32 GiB and 64 GiB ones as sparse files. */
import { readFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { bytes, type Commitment } from '@holdfast/protocol'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { openProver } from '../src/open-prover.ts'
import { pieceCid } from '../src/piece-cid.ts'
import type { Prover } from '../src/prover.ts'
import { chunks, type Folder, openFolder, range } from './fixture.ts'

interface PieceCase {
  readonly runs?: readonly (readonly [number, number])[]
  readonly zeros?: string
  readonly height: number
  readonly v2: string
}

const VECTORS = new URL('../../../../vectors/piece-cid/frc-0069.json', import.meta.url)
const { cases } = JSON.parse(readFileSync(VECTORS, 'utf8')) as {
  readonly cases: readonly PieceCase[]
}
const lengthOf = ({ runs }: PieceCase): number =>
  (runs ?? []).reduce((sum, [length]) => sum + length, 0)

const plain = cases.filter((piece) => piece.runs && lengthOf(piece) > 0)
const zeros = cases.filter((piece) => piece.zeros)

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

test.each(plain.map((piece) => [piece.v2, piece] as const))('%s', async (cid, piece) => {
  const parts = (piece.runs ?? []).map(([length, value]) => new Uint8Array(length).fill(value))
  const payload = new Uint8Array(Buffer.concat(parts))
  const file = await folder.file(cid, payload)
  expect(pieceCid(await prover.commitFile(file, { scheme: 2 }))).toBe(cid)
  expect(pieceCid(await prover.commitStream(chunks(payload, 100), { scheme: 2 }))).toBe(cid)
})

test.each(zeros.map((piece) => [piece.v2, piece] as const))('%s, sparse', async (cid, piece) => {
  if (prover.engine === 'wasm') return // it cannot see holes, and would read all of it
  const length = 127n * (1n << BigInt(piece.height - 2))
  const path = folder.place(cid)
  const file = await open(path, 'w')
  await file.truncate(Number(length))
  await file.close()
  expect(pieceCid(await prover.commitFile(range(path, bytes(length)), { scheme: 2 }))).toBe(cid)
})

test('an empty piece is refused, as every empty payload', async () => {
  await expect(
    prover.commitStream(chunks(new Uint8Array(0), 1), { scheme: 2 }),
  ).rejects.toMatchObject({
    code: 'PAYLOAD_EMPTY',
  })
})

test('only commp commitments have a piece CID', () => {
  const other = { scheme: 1, root: `0x${'00'.repeat(32)}`, length: 5n } as unknown as Commitment
  expect(() => pieceCid(other)).toThrow(/scheme unknown/)
})
