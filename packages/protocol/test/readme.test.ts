/**
 * The README's example compiles, runs, and is what the README shows.
 */
import { readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'

test('the example of the README works as it stands there', async () => {
  const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8')
  const shown = /```ts\n(.*?)```/su.exec(read('../../README.md'))?.[1]
  const source = read('../../test/support/readme-example.ts')
  expect(shown).toBe(source.slice(source.indexOf('*/\n') + 3))
  await import('./support/readme-example.ts')
})
