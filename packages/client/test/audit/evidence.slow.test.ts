/** A change of any single bit of a file of evidence is refused: all of them, one after the other. */
import { readFileSync } from 'node:fs'
import { HoldfastError } from '@holdfast/protocol'
import { expect, test } from '@jest/globals'
import { decodeEvidence } from '../../src/audit/evidence/evidence-file.ts'
import { vectorPath } from '../support.ts'

test.each(['shown', 'wrong'])('%s: every bit of the file', (name) => {
  const file = new Uint8Array(readFileSync(vectorPath('evidence', `${name}.evidence`)))
  let refused = 0
  for (let bit = 0; bit < 8 * file.length; bit++) {
    const mask = 1 << (bit & 7)
    const was = file[bit >> 3] ?? 0
    file[bit >> 3] = was ^ mask
    try {
      decodeEvidence(file)
    } catch (error) {
      if (HoldfastError.is(error, 'PROOF_INVALID')) refused += 1
    }
    file[bit >> 3] = was
  }
  expect(refused).toBe(8 * file.length)
})
