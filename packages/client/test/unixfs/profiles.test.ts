/** IPIP-499: the vectors that fit a fast suite. The 1 GiB ones are in profiles.slow.test.ts. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { temporary } from '../support.ts'
import { cidOf, makeInput, PROFILES, vectors } from './profile-vectors.ts'

describe.each(PROFILES)('profile %s', (profile) => {
  const cases = (vectors[profile] ?? []).filter(({ bytes = 0 }) => bytes < 2 ** 30)

  test.each(cases)('$case', async (vector) => {
    expect(await cidOf(await makeInput(profile, vector), profile)).toBe(vector.cid)
  })

  test('empty directory', async () => {
    const path = join(await temporary(), 'empty')
    await mkdir(path)
    const expected = (vectors['empty directory'] as unknown as Record<string, string>)[profile]
    expect(await cidOf(path, profile)).toBe(expected)
  })
})

test('all vectors of the two profiles are looked at somewhere', () => {
  expect(PROFILES.map((profile) => vectors[profile]?.length)).toEqual([7, 7])
})
