/** Answers off a shared connection: however the bytes are cut, and what is refused. */
import { HoldfastError } from '@holdfast/protocol'
import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { AnswerParser, type ParsedAnswer } from '../../src/transfer/answer-parser.ts'

const feedAll = (chunks: readonly Uint8Array[], bodyMax = 1000): readonly ParsedAnswer[] => {
  const parser = new AnswerParser('peer', bodyMax)
  return chunks.flatMap((chunk) => [...parser.feed(chunk)])
}

const answer = (status: number, body: string, extra = ''): string =>
  `HTTP/1.1 ${status} Whatever\r\nContent-Length: ${Buffer.byteLength(body)}\r\n${extra}\r\n${body}`

test('answers come out whole and in order, however the bytes are cut', () => {
  const bodies = fc.array(
    fc.tuple(fc.integer({ min: 200, max: 599 }), fc.string({ maxLength: 40 })),
    {
      maxLength: 8,
    },
  )
  fc.assert(
    fc.property(
      bodies,
      fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }),
      (all, cuts) => {
        const bytes = Buffer.from(all.map(([status, body]) => answer(status, body)).join(''))
        const chunks: Buffer[] = []
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const size = cuts[i % cuts.length] ?? 1
          chunks.push(bytes.subarray(at, at + size))
          at += size
        }
        const got = feedAll(chunks).map(({ status, body }) => [status, body.toString()])
        expect(got).toEqual(all.map(([status, body]) => [status, body]))
      },
    ),
    { numRuns: 200 },
  )
})

test('headers are read by name, and a closing answer is the last', () => {
  const [only] = feedAll([Buffer.from(answer(200, 'x', 'X-Thing:  a b \r\nConnection: close\r\n'))])
  expect(only?.headers.get('x-thing')).toBe('a b')
  expect(only?.last).toBe(true)
})

test.each([
  ['another protocol', 'SSH-2.0-x\r\n\r\n'],
  ['an old version', 'HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n'],
  ['an interim answer', 'HTTP/1.1 100 Continue\r\n\r\n'],
  ['no length', 'HTTP/1.1 200 OK\r\n\r\n'],
  ['chunks', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n'],
  ['a length beyond the limit', 'HTTP/1.1 200 OK\r\ncontent-length: 1001\r\n\r\n'],
  ['a length that is none', 'HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n'],
  ['a malformed header', 'HTTP/1.1 200 OK\r\nno colon\r\n\r\n'],
  ['endless headers', `HTTP/1.1 200 OK\r\n${'a: b\r\n'.repeat(5000)}`],
])('%s is refused', (_what, text) => {
  const error = ((): unknown => {
    try {
      return feedAll([Buffer.from(text)])
    } catch (thrown) {
      return thrown
    }
  })()
  expect(HoldfastError.is(error, 'PEER_MISBEHAVED')).toBe(true)
})
