/** Ranges of logs: every block asked once, whatever sizes the endpoint takes. */
import { createServer } from 'node:http'
import { silentLogger } from '@holdfast/protocol'
import { expect, test } from '@jest/globals'
import { openChain } from '../../src/evm/client.ts'
import { eachLogRange } from '../../src/evm/logs.ts'
import { systemClock } from '../../src/system-adapters.ts'
import { codeOf } from '../support/scenario.ts'

interface Call {
  readonly id: number
  readonly method: string
  readonly params: readonly [{ readonly fromBlock: string; readonly toBlock: string }]
}

/** An endpoint that refuses log requests over more than `most` blocks; notes the ranges it took. */
const withEndpoint = async (
  most: bigint,
  body: (url: string, taken: [bigint, bigint][]) => Promise<void>,
): Promise<void> => {
  const taken: [bigint, bigint][] = []
  const answer = ({ id, method, params }: Call): object => {
    const head = { jsonrpc: '2.0', id }
    if (method === 'eth_chainId') return { ...head, result: '0x1' }
    const [from, to] = [BigInt(params[0].fromBlock), BigInt(params[0].toBlock)]
    if (to - from + 1n > most)
      return { ...head, error: { code: -32000, message: 'range too large' } }
    taken.push([from, to])
    return { ...head, result: [] }
  }
  const server = createServer(async (request, response) => {
    let text = ''
    for await (const part of request) text += String(part)
    const calls = JSON.parse(text) as Call | Call[]
    response.end(JSON.stringify(Array.isArray(calls) ? calls.map(answer) : answer(calls)))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const bound = server.address()
  try {
    await body(`http://127.0.0.1:${typeof bound === 'object' ? bound?.port : 0}`, taken)
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

const chainAt = (url: string) =>
  openChain({
    ...{ rpc: [url], clock: systemClock, logger: silentLogger },
    stop: new AbortController().signal,
  })

test.each([10n ** 9n, 5000n, 700n, 1n])('asks each block once where %i are taken', (most) =>
  withEndpoint(most, async (url, taken) => {
    const to = most === 1n ? 5n : 60_000n
    const chain = await chainAt(url)
    const ends: bigint[] = []
    for await (const range of eachLogRange(chain, { from: 3n, to, addresses: [] })) {
      ends.push(range.to)
    }
    expect(taken[0]?.[0]).toBe(3n)
    expect(taken.at(-1)?.[1]).toBe(to)
    for (const [i, [from]] of taken.entries()) {
      if (i > 0) expect(from).toBe((taken[i - 1]?.[1] ?? 0n) + 1n)
    }
    expect(ends).toEqual(taken.map(([, end]) => end))
    // It grows where it may: 2,000 blocks at a time would take thirty requests.
    if (most > 60_000n) expect(taken.length).toBeLessThan(7)
  }),
)

test('gives up where not even one block is taken', () =>
  withEndpoint(0n, async (url) => {
    const chain = await chainAt(url)
    const asking = eachLogRange(chain, { from: 1n, to: 9n, addresses: [] }).next()
    expect(await codeOf(asking)).toBe('LEDGER_UNREACHABLE')
  }))
