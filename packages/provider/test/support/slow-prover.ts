/** A prover that hashes by the slow reference, in the thread of whoever asks; for tests and children. */
import { readFile } from 'node:fs/promises'
import { toNumber } from '@holdfast/protocol'
import { keptLayersLength, type Prover } from '@holdfast/prover'
import { commitmentOf } from './payloads.ts'

/** Commits like the real one, in the test's own thread; the layers it keeps are zeros. */
export const slowProver: Pick<Prover, 'commitFile'> & Partial<Pick<Prover, 'commitBytes'>> = {
  commitFile: async (range) => {
    const file = await readFile(range.path)
    const start = Number(range.offset)
    return commitmentOf(new Uint8Array(file.subarray(start, start + Number(range.length))))
  },
  commitBytes: async (data) => {
    const commitment = commitmentOf(data.slice())
    return { commitment, layers: new Uint8Array(toNumber(keptLayersLength(commitment.length))) }
  },
}
