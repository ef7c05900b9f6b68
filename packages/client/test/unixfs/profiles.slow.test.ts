/** IPIP-499: the vectors of 1 GiB and one byte more. */
import { expect, test } from '@jest/globals'
import { cidOf, makeInput, PROFILES, vectors } from './profile-vectors.ts'

const large = PROFILES.flatMap((profile) =>
  (vectors[profile] ?? [])
    .filter(({ bytes = 0 }) => bytes >= 2 ** 30)
    .map((vector) => ({ profile, ...vector })),
)

test.each(large)('$profile: $case', async ({ profile, ...vector }) => {
  expect(await cidOf(await makeInput(profile, vector), profile)).toBe(vector.cid)
})
