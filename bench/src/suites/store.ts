/**
 * The provider's store beside LevelDB with the blocks as values and beside plain files: durable
 * ingest, ingest with the payload's tree, bytes written for a byte stored, checked reads; then what
 * must not grow with what is stored: a restart, and memory.
 */
import { openProver } from '@holdfast/prover'
import { durableCases } from '../store/durable.ts'
import { hugeCases } from '../store/huge.ts'
import { payloadCases } from '../store/payload.ts'
import { restartCases } from '../store/restart.ts'
import type { Suite } from '../suite.ts'

export const storeSuite: Suite = {
  name: 'store',
  about: 'durable ingest beside LevelDB and plain files, checked reads, restart, memory',
  async *cases(context) {
    const prover = await openProver()
    try {
      yield* payloadCases(context.folder, prover)
      yield* durableCases(context.folder, prover)
      yield* hugeCases(context, prover)
    } finally {
      await prover.close()
    }
    yield* restartCases(context)
  },
}
