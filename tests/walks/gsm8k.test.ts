/**
 * The sixth walk: a dataset that people train on. GSM8K where this machine has it (HOLDFAST_GSM8K
 * names the folder), else the demo's corpus; published, proven, read back, compared byte by byte.
 */
import { cpSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { copyDemoCorpus, findGsm8k, readTree } from '../support/corpus.ts'
import { Network } from '../support/network.ts'
import { type Published, publish, untilProven } from '../support/publishing.ts'

const gsm8k = findGsm8k()

let network: Network
let folder: string
let published: Published

beforeAll(async () => {
  network = await Network.start()
  folder = network.path('dataset')
  if (gsm8k === undefined) copyDemoCorpus(folder)
  else cpSync(gsm8k, folder, { recursive: true })
  published = await publish(network, folder)
})

afterAll(() => network?.close())

test(`${gsm8k === undefined ? 'the demo corpus' : 'GSM8K'} is stored twice and proven`, async () => {
  expect(published.deals).toHaveLength(2)
  for (const { id } of published.deals) await untilProven(network, id, 1)
})

test('it comes back byte for byte', async () => {
  const copy = network.path('copy')
  await network.value('get', published.dataset, '--out', copy)
  expect(readTree(copy)).toEqual(readTree(folder))
})
