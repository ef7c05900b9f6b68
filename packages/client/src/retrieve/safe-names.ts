/** Names inside a dataset are its author's choice; on disk they must stay inside the target. */
import { HoldfastError } from '@holdfast/protocol'
import { printable } from '../ui/text.ts'

const refuse = (name: string, reason: string): HoldfastError =>
  new HoldfastError({
    code: 'CAR_INVALID',
    reason: `the dataset holds an entry named "${printable(name)}", ${reason}; nothing was written for it`,
  })

/** @throws HoldfastError `CAR_INVALID` for a name that could lead out of its directory. */
export const checkName = (name: string): string => {
  if (name === '' || name === '.' || name === '..') throw refuse(name, 'which is no file name')
  if (name.includes('/') || name.includes('\0')) throw refuse(name, 'which leads elsewhere')
  return name
}

/** @throws HoldfastError `CAR_INVALID` when two entries have one name. */
export const checkDistinct = (names: readonly string[]): void => {
  const seen = new Set<string>()
  for (const name of names) {
    if (seen.has(name)) throw refuse(name, 'twice')
    seen.add(name)
  }
}
