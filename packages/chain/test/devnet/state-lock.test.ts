/** The lock of a state directory: one owner, however many try at once and whatever is left there. */
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { takeLock } from '../../src/devnet/state-lock.ts'
import { systemRandom } from '../../src/system-adapters.ts'
import { withFolder } from '../support/programs.ts'
import { codeOf } from '../support/scenario.ts'

test('one of many takes it, and only that one', () =>
  withFolder(async (folder) => {
    for (const left of [undefined, '', '{"pid":4194000,"started":"7"}']) {
      if (left !== undefined) await writeFile(join(folder, 'lock'), left)
      const tries = Array.from({ length: 8 }, () => takeLock(folder, systemRandom))
      const outcomes = await Promise.allSettled(tries)
      const won = outcomes.flatMap((o) => (o.status === 'fulfilled' ? [o.value] : []))
      expect(won).toHaveLength(1)
      expect(await codeOf(takeLock(folder, systemRandom))).toBe('NETWORK_EXISTS')
      await won[0]?.release()
      expect(await readdir(folder)).toEqual([])
    }
  }))

test('is not released by somebody who lost it', () =>
  withFolder(async (folder) => {
    const lock = await takeLock(folder, systemRandom)
    await writeFile(join(folder, 'lock'), JSON.stringify({ pid: process.pid, started: '' }))
    await lock.release()
    expect(await readdir(folder)).toEqual(['lock'])
  }))
