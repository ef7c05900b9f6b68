/**
 * The short form of power-loss.fault.test.ts: ext4 and XFS over loop devices, shut down without their log being
 * written while a storage node uploads, seals, collects, drains and writes its journal. Skipped, saying
 * why, where the machine cannot (no root, no loop devices, no mkfs).
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@holdfast/chain'
import { afterAll, expect, test } from '@jest/globals'
import { FILE_SYSTEMS, LoopMount, whyNot } from './support/loop-mount.ts'
import { losePower } from './support/power-cycles.ts'

const CYCLES = Number(process.env['HOLDFAST_POWER_CYCLES'] ?? 20)
const SEED = Number(process.env['HOLDFAST_KILL_SEED'] ?? systemClock.now() % 1_000_000)

const scratch = mkdtempSync(join(tmpdir(), 'holdfast-power-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

for (const kind of FILE_SYSTEMS) {
  const reason = whyNot(kind, join(scratch, `try-${kind}`))
  const name = `${kind}: ${CYCLES} losses of power, seed ${SEED}: every receipt is honoured`
  const trial = reason === undefined ? test : test.skip
  trial(
    reason === undefined ? name : `${name} (not here: ${reason})`,
    async () => {
      const mount = LoopMount.create(kind, join(scratch, kind))
      try {
        const totals = await losePower(mount, { cycles: CYCLES, seed: SEED })
        process.stderr.write(`${JSON.stringify({ kind, seed: SEED, ...totals })}\n`)
        expect(totals.receipts).toBeGreaterThan(CYCLES / 10)
      } finally {
        mount.remove()
      }
    },
    7_200_000,
  )
}
