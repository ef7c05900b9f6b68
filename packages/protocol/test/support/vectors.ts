/**
 * Reads the repository's vectors. A file whose `count` is not its number of cases is damaged.
 */
import { readFileSync } from 'node:fs'

const DIRECTORY = new URL('../../../../../vectors/', import.meta.url)

export const vectors = <T>(name: string): readonly T[] => {
  const file = JSON.parse(readFileSync(new URL(`${name}.json`, DIRECTORY), 'utf8')) as {
    count: number
    cases: T[]
  }
  if (file.count === 0 || file.cases.length !== file.count) {
    throw new Error(`vectors/${name}.json says ${file.count} cases, holds ${file.cases.length}`)
  }
  return file.cases
}
