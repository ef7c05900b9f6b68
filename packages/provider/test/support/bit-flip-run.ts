/** Flips over every kind of file, a share of the whole for each, with counts of how they were met. */
import { flipLines, flipVolume } from './bit-flips.ts'
import { carIndexTrials, identityTrials, journalTrials } from './flip-files.ts'
import { booksTrials, indexTrials, stateTrials } from './flip-levels.ts'
import { setupTrials } from './flip-setup.ts'
import type { Trial } from './flip-trial.ts'
import { chanceFrom } from './simulated-disk.ts'

/** Of every twenty flips so many hit a volume; the rest is shared by the files beside it. */
const VOLUME_SHARE = 0.6

export interface FlipRun {
  readonly flips: number
  /** One line for each kind of place. */
  readonly lines: string
}

/** @throws Error for a flip that nobody notices, or that makes something wrong believed. */
export const flipEverything = async (
  flips: number,
  { seed, scratch }: { readonly seed: number; readonly scratch: string },
): Promise<FlipRun> => {
  const onVolume = Math.floor(VOLUME_SHARE * flips)
  const counts = await flipVolume(onVolume, seed)
  const trials = Object.entries({
    ...(await journalTrials()),
    ...(await indexTrials(scratch)),
    ...(await stateTrials(scratch)),
    ...(await carIndexTrials(scratch)),
    ...(await booksTrials(scratch)),
    ...(await identityTrials(scratch)),
    ...(await setupTrials(scratch)),
  })
  const lines = [flipLines(counts)]
  const chance = chanceFrom(seed)
  const each = Math.ceil((flips - onVolume) / trials.length)
  for (const [kind, trial] of trials)
    lines.push(`${kind}: ${await repeat(trial, each, kind, chance)}`)
  return { flips: onVolume + each * trials.length, lines: lines.join('\n') }
}

const repeat = async (
  trial: Trial,
  times: number,
  kind: string,
  chance: ReturnType<typeof chanceFrom>,
): Promise<string> => {
  const seen = new Map<string, number>()
  for (let i = 0; i < times; i++) {
    const outcome = await trial(chance).catch((error: unknown) => {
      throw new Error(`${kind}, flip ${i}: ${error}`, { cause: error })
    })
    seen.set(outcome, (seen.get(outcome) ?? 0) + 1)
  }
  return [...seen].map(([what, n]) => `${n} ${what}`).join(', ')
}
