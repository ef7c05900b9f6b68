/**
 * Provers that are closed while their threads still load, thousands of them in processes of their own:
 * Node 20.20 ends the whole process when that happens inside `require` (see `worker-entry.cts`), once
 * in some 2,000 times.
 */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from '@jest/globals'

const CHILD = fileURLToPath(new URL('./opening-child.js', import.meta.url))
const PROCESSES = 4
const OPENINGS = 2_000

const outcomeOf = async (): Promise<unknown> => {
  const child = spawn(process.execPath, [CHILD, String(OPENINGS)], { stdio: ['ignore', 2, 2] })
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve(signal ?? code))
  })
}

test(`${PROCESSES * OPENINGS} provers are closed at any moment of their opening`, async () => {
  const outcomes = await Promise.all(Array.from({ length: PROCESSES }, outcomeOf))
  expect(outcomes).toEqual(Array.from({ length: PROCESSES }, () => 0))
}, 3_600_000)
