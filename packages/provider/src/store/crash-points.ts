/**
 * The named moments at which a crash must lose nothing. A test arms one by `HOLDFAST_CRASH_POINT` in
 * the environment of a process of its own: `seal-trailer` ends it with SIGKILL at the first passage,
 * `seal-trailer:3` at the third. Unarmed, a passage is one comparison.
 *
 * The list is closed: a point that is not in it does not compile, and a test goes through all of it.
 */
export const CRASH_POINTS = [
  'reserve-header',
  'reserve-synced',
  'write-data',
  'seal-checksums',
  'seal-trailer',
  'seal-synced',
  'seal-renamed',
  'seal-indexed',
  'discard-marked',
  'bury-written',
  'remove-own',
  'footer-written',
  'footer-synced',
  'move-written',
  'move-synced',
  'retire-carried',
  'drop-unlinked',
  'journal-written',
  'journal-synced',
  'journal-copied',
  'journal-rewritten',
  'journal-swapped',
] as const

export type CrashPoint = (typeof CRASH_POINTS)[number]

const [ARMED = '', COUNT = '1'] = (process.env['HOLDFAST_CRASH_POINT'] ?? '').split(':')
let left = Number(COUNT)

/** Ends the process here when a test asked for it. */
export const crashPoint = (name: CrashPoint): void => {
  if (name !== ARMED) return
  left--
  if (left <= 0) process.kill(process.pid, 'SIGKILL')
}
