/** The clock of a simulated program: the world's, until the program ends. */
import type { Clock } from '@holdfast/protocol'
import { never, type SimulatedRun } from '@holdfast/provider'
import type { World } from './world.ts'

/** A clock that never wakes what has ended. */
export const clockFor = ({ clock }: World, run: SimulatedRun): Clock => ({
  now: () => clock.now(),
  sleep: async (duration, options) => {
    if (!run.alive) return never()
    try {
      await clock.sleep(duration, options)
    } catch (error) {
      if (!run.alive) return never()
      throw error
    }
    return run.alive ? undefined : never()
  },
})
