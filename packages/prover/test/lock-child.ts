/**
 * Takes the lock in the folder it is given for a while: says `held`, or `refused`. While it holds it, it
 * keeps a directory that only one can make, and says `both` when somebody else has it.
 */
import { mkdirSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { HoldfastError } from '@holdfast/protocol'
import { lockPath } from '../src/path-lock.ts'

const HELD_MS = 100

const [folder = '', stays] = process.argv.slice(2)
const alone = join(folder, 'alone')

const hold = async (): Promise<string> => {
  const path = join(folder, 'lock')
  const lock = await lockPath({ path, of: folder, stays: stays === 'stays' })
  try {
    mkdirSync(alone)
  } catch {
    return 'both'
  }
  await setTimeout(HELD_MS)
  rmdirSync(alone)
  await lock.release()
  return 'held'
}

const said = await hold().catch((error: unknown) => {
  if (HoldfastError.is(error, 'HOME_IN_USE')) return 'refused'
  throw error
})
process.stdout.write(`${said}\n`)
