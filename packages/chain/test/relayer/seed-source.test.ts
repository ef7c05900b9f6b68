/** drand over HTTP: several addresses, none believed. */

import { silentLogger } from '@holdfast/protocol'
import { describe, expect, test } from '@jest/globals'
import { randomDrand } from '../../src/relayer/drand.ts'
import { type FetchText, httpSource } from '../../src/relayer/seed-source.ts'
import { systemClock, systemRandom } from '../../src/system-adapters.ts'
import { codeOf } from '../support/scenario.ts'

const key = randomDrand(systemRandom)
const ROUND = 1000n
const hex = (data: Uint8Array): string => Buffer.from(data).toString('hex')
const good = JSON.stringify({ round: 1000, randomness: '00', signature: hex(key.sign(ROUND)) })

/** Addresses by name; each gives a status and a text, or fails. */
const network = (answers: Readonly<Record<string, string | number | Error>>) => {
  const asked: string[] = []
  const fetch: FetchText = async (url) => {
    asked.push(url)
    const answer = answers[new URL(url).hostname]
    if (answer instanceof Error) throw answer
    const ok = typeof answer === 'string'
    const text = async (): Promise<string> => (ok ? answer : '')
    return { ok, status: typeof answer === 'number' ? answer : 200, text }
  }
  const urls = Object.keys(answers).map((name) => `https://${name}/chain/`)
  const source = httpSource({
    ...{ urls, publicKey: key.publicKey, clock: systemClock, logger: silentLogger, fetch },
  })
  return { source, asked }
}

describe('a drand address', () => {
  test('is asked for the round by its path', async () => {
    const { source, asked } = network({ one: good })
    expect(await source.fetch(ROUND)).toEqual({ round: ROUND, signature: key.sign(ROUND) })
    expect(asked).toEqual(['https://one/chain/public/1000'])
  })

  test.each([
    ['a wrong signature', JSON.stringify({ round: 1000, signature: hex(key.sign(1001n)) })],
    ['another round', JSON.stringify({ round: 1001, signature: hex(key.sign(1001n)) })],
    ['no hex', JSON.stringify({ round: 1000, signature: 'zz' })],
    ['no JSON', '<html>'],
    ['a flood', ' '.repeat(100_000)],
    ['a refusal', 404],
    ['no connection', new Error('ECONNREFUSED')],
  ])('that gives %s is passed over for the next', async (_name, answer) => {
    const { source, asked } = network({ bad: answer, good })
    expect((await source.fetch(ROUND)).signature).toEqual(key.sign(ROUND))
    expect(asked).toHaveLength(2)
    const alone = network({ bad: answer })
    expect(await codeOf(alone.source.fetch(ROUND))).toBe('PEER_UNREACHABLE')
  })

  test('is not asked once the signal has fired', async () => {
    const { source, asked } = network({ one: good })
    expect(await codeOf(source.fetch(ROUND, { signal: AbortSignal.abort() }))).toBe('ABORTED')
    expect(asked).toEqual([])
  })
})
