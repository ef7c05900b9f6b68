/**
 * Takes the lock of the home it is given for a while: says `held`, or `refused`. While it holds it, it
 * keeps a directory that only one can make, and says `both` when somebody else has it.
 */
import { mkdirSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '@holdfast/chain'
import { HoldfastError, milliseconds } from '@holdfast/protocol'
import { homePaths } from '../../src/home.ts'
import { lockHome } from '../../src/home-lock.ts'

const HELD_MS = milliseconds(100)

const [home = ''] = process.argv.slice(2)
const alone = join(home, 'alone')

const hold = async (): Promise<string> => {
  const lock = await lockHome(homePaths(home))
  try {
    mkdirSync(alone)
  } catch {
    return 'both'
  }
  await systemClock.sleep(HELD_MS)
  rmdirSync(alone)
  await lock.release()
  return 'held'
}

const said = await hold().catch((error: unknown) => {
  if (HoldfastError.is(error, 'HOME_IN_USE')) return 'refused'
  throw error
})
process.stdout.write(`${said}\n`)
