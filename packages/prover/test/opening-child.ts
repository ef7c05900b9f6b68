/** Opens and closes as many provers as it is told, each at a moment at which its thread may be loading. */
import { setTimeout } from 'node:timers/promises'
import { openProver } from '../src/open-prover.ts'

/** A thread has loaded after some 90 ms. */
const EARLIEST_MS = 20
const LATEST_MS = 90

for (let i = 0; i < Number(process.argv[2]); i++) {
  const prover = await openProver({ threads: 1 })
  await setTimeout(EARLIEST_MS + Math.random() * (LATEST_MS - EARLIEST_MS))
  await prover.close()
}
