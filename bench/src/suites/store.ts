/**
 * The provider's store beside LevelDB with the blocks as values and beside plain files: durable
 * ingest, ingest with the payload's tree, bytes written for a byte stored, checked reads.
 */
import { openProver } from '@holdfast/prover'
import { durableCases } from '../store/durable.ts'
import { payloadCases } from '../store/payload.ts'
import type { Suite } from '../suite.ts'

export const storeSuite: Suite = {
  name: 'store',
  about: 'durable ingest beside LevelDB and plain files, bytes written, checked reads',
  async *cases({ folder }) {
    const prover = await openProver()
    try {
      yield* payloadCases(folder, prover)
      yield* durableCases(folder, prover)
    } finally {
      await prover.close()
    }
  },
}
