/** One file of 1 GiB: packed in under 400 MiB of memory. */
import { open, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { keystream, temporary } from '../support.ts'
import { holdfast } from './run.ts'

test('packing 1 GiB', async () => {
  const folder = await temporary()
  const input = join(folder, 'input')
  const file = await open(input, 'w')
  for (const piece of keystream('memory', 2 ** 30)) await file.write(piece)
  await file.close()
  const probe = join(folder, 'probe.mjs')
  await writeFile(
    probe,
    `process.on('exit', () => process.stderr.write('peak ' + process.resourceUsage().maxRSS + '\\n'))`,
  )
  const env = { NODE_OPTIONS: `--import=${probe}` }
  const args = ['pack', input, '--out', join(folder, 'car'), '--json']
  const ran = await holdfast(args, { home: join(folder, 'home'), env })
  expect(JSON.parse(ran.stdout)).toMatchObject({ files: 1, bytes: 2 ** 30 })
  expect(Number(/peak (\d+)/.exec(ran.stderr)?.[1])).toBeLessThan(400 * 1024)
})
