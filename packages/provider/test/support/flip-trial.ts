/** What every trial of a flipped bit needs. */
import { readFile, writeFile } from 'node:fs/promises'
import { HoldfastError, type Root, root } from '@holdfast/protocol'
import type { Chance } from './simulated-disk.ts'

/** Says how a flip was met. @throws Error when it was not, or when something wrong was believed. */
export type Trial = (chance: Chance) => Promise<string>

export const flip = (data: Uint8Array, chance: Chance): void => {
  const at = chance(data.length)
  data[at] = (data[at] ?? 0) ^ (1 << chance(8))
}

export const flipFile = async (path: string, chance: Chance): Promise<void> => {
  const data = await readFile(path)
  flip(data, chance)
  await writeFile(path, data)
}

export const rootOf = (i: number): Root => root(`0x${i.toString(16).padStart(64, '0')}`)

/** A trial on a file that is read whole and, when it is not what it was, refused. */
export const trialOn =
  (path: string, read: () => Promise<boolean> | boolean): Trial =>
  async (chance) => {
    const whole = await readFile(path)
    try {
      await flipFile(path, chance)
      return (await read()) ? 'without effect' : 'another index is made'
    } catch (error) {
      if (!HoldfastError.is(error, 'CONFIG_INVALID')) throw error
      return 'refused when opening'
    } finally {
      await writeFile(path, whole)
    }
  }
