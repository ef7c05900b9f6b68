/**
 * `holdfast watch` as a process beside real providers: it says in JSON lines what they show, disputes
 * nobody who shows it, ends cleanly at Ctrl-C, and goes on where it was. What it does about providers
 * that cheat is tried on the same contracts in cheating.fault.test.ts.
 */

import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import type { WatchEvent } from '@holdfast/client'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { writeSmallTree } from '../support/corpus.ts'
import { Network } from '../support/network.ts'
import type { Running } from '../support/process.ts'
import { type Published, publish, untilProven } from '../support/publishing.ts'
import { until } from '../support/wait.ts'

let network: Network
let published: Published
let watch: Running

const eventsOf = (running: Running): readonly WatchEvent[] =>
  running.stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as WatchEvent)

const firstOf = <K extends WatchEvent['event']>(
  kind: K,
  provider: string,
): Promise<Extract<WatchEvent, { event: K }>> =>
  until(`${kind} is said of ${provider}`, () => {
    if (watch.ended) throw new Error(`the watch has ended: ${watch.stdout}${watch.stderr}`)
    return eventsOf(watch).find(
      (event): event is Extract<WatchEvent, { event: K }> =>
        event.event === kind && 'provider' in event && event.provider === provider,
    )
  })

/** Ctrl-C, and the exit code. */
const interrupt = async (running: Running): Promise<number | null> => {
  const closed = once(running.child, 'close')
  running.child.kill('SIGINT')
  await closed
  return running.child.exitCode
}

beforeAll(async () => {
  network = await Network.start()
  const folder = network.path('dataset')
  mkdirSync(folder)
  writeSmallTree(folder)
  published = await publish(network, folder)
  for (const { id } of published.deals) await untilProven(network, id, 1)
  watch = network.running('watch', '--json')
})

afterAll(async () => {
  await watch?.stop()
  await network?.close()
})

test('real providers show what they committed to, deal and all', async () => {
  for (const { provider } of published.deals) {
    expect(await firstOf('checked', provider)).toMatchObject({ state: 'shown' })
  }
})

test('Ctrl-C ends it with what it has done, and it goes on where it was', async () => {
  expect(await interrupt(watch)).toBe(0)
  const first = eventsOf(watch)
  expect(first.at(-1)).toMatchObject({ event: 'stopped' })
  watch = network.running('watch', '--json')
  await until('it watches again', () =>
    eventsOf(watch).find(({ event }) => event === 'watching') === undefined ? undefined : true,
  )
  expect(await interrupt(watch)).toBe(0)
  const asked = [...first, ...eventsOf(watch)].filter(({ event }) => event === 'disputed')
  expect(asked).toEqual([])
})
