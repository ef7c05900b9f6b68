/** The suite of power losses, of as many cycles as its file asks for. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@holdfast/chain'
import { afterAll, expect, test } from '@jest/globals'
import { FILE_SYSTEMS, LoopMount, whyNot } from './loop-mount.ts'
import { losePower } from './power-cycles.ts'

const LIMIT_MS = 7_200_000

/** @param cycles unless `HOLDFAST_POWER_CYCLES` says otherwise. */
export const powerSuite = (cycles: number): void => {
  const count = Number(process.env['HOLDFAST_POWER_CYCLES'] ?? cycles)
  const seed = Number(process.env['HOLDFAST_KILL_SEED'] ?? systemClock.now() % 1_000_000)
  const scratch = mkdtempSync(join(tmpdir(), 'holdfast-power-'))
  afterAll(() => rmSync(scratch, { recursive: true, force: true }))
  for (const kind of FILE_SYSTEMS) {
    const reason = whyNot(kind, join(scratch, `try-${kind}`))
    const name = `${kind}: ${count} losses of power, seed ${seed}: every receipt is honoured`
    const trial = reason === undefined ? test : test.skip
    trial(
      reason === undefined ? name : `${name} (not here: ${reason})`,
      async () => {
        const mount = LoopMount.create(kind, join(scratch, kind))
        try {
          const totals = await losePower(mount, { cycles: count, seed })
          process.stderr.write(`${JSON.stringify({ kind, seed, ...totals })}\n`)
          expect(totals.receipts).toBeGreaterThan(count / 10)
        } finally {
          mount.remove()
        }
      },
      LIMIT_MS,
    )
  }
}
