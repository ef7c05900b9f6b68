/**
 * A storage node on a file system that loses power again and again. The oracle is that of
 * `kill-run.ts`, and it is harder here: what the kernel had not written is gone.
 */
import { join } from 'node:path'
import { KillRun } from './kill-run.ts'
import type { LoopMount } from './loop-mount.ts'
import { chanceFrom } from './simulated-disk.ts'

export interface PowerTotals {
  readonly cycles: number
  readonly receipts: number
  readonly checks: number
}

/** @throws Error for a broken promise. */
export const losePower = async (
  mount: LoopMount,
  { cycles, seed }: { readonly cycles: number; readonly seed: number },
): Promise<PowerTotals> => {
  const chance = chanceFrom(seed)
  const run = new KillRun(join(mount.path, 'home'), chance)
  await run.prepare()
  let [receipts, checks] = [0, 0]
  for (let cycle = 0; cycle <= cycles; cycle++) {
    const before = run.finished.length
    const last = cycle === cycles
    const off = {
      steps: 1 + chance(30),
      thenMs: chance(8),
      end: (kill: () => void) => {
        mount.shutDown()
        kill()
      },
    }
    const outcome = await run.live(last ? {} : off)
    receipts += run.finished.length - before
    checks += outcome.checked
    // One that ends itself has lost no power, and would count for nothing.
    if (!outcome.ended) throw new Error(`life ${cycle} of seed ${seed} ended by itself`)
    run.forgetGone()
    if (last && outcome.reserved !== 0) throw new Error(`${outcome.reserved} bytes stay reserved`)
    mount.unmount()
    mount.mount()
  }
  return { cycles, receipts, checks }
}
