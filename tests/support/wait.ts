/**
 * Waiting for something to become true, by asking again; the only clock of the walks. A wait ends
 * as soon as the answer is there, and names what never came when its bound is reached. Bounds are
 * generous: they exist to end a broken run, not to judge speed.
 */
import { setTimeout as sleep } from 'node:timers/promises'

const BOUND_MS = 180_000
const PAUSE_MS = 150

/**
 * Asks until the answer is not undefined, and returns it.
 * @throws Error naming `what` after `boundMs`.
 */
export const until = async <T>(
  what: string,
  ask: () => Promise<T | undefined> | T | undefined,
  boundMs: number = BOUND_MS,
): Promise<T> => {
  const end = performance.now() + boundMs
  for (;;) {
    const answer = await ask()
    if (answer !== undefined) return answer
    if (performance.now() > end) throw new Error(`waited ${boundMs} ms in vain until ${what}`)
    await sleep(PAUSE_MS)
  }
}

/** Asks until the answer is true. */
export const untilTrue = async (
  what: string,
  ask: () => Promise<boolean> | boolean,
  boundMs?: number,
): Promise<void> => {
  await until(what, async () => ((await ask()) ? true : undefined), boundMs)
}
