/** The webhook against a real server: signed, in order, tried again, never redirected, never in the way. */
import { createHmac } from 'node:crypto'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { systemClock } from '@holdfast/chain'
import { timestamp } from '@holdfast/protocol'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { AlarmChange } from '../../src/alarms/alarm-board.ts'
import { Webhook, type WebhookOptions } from '../../src/alarms/webhook.ts'
import { type LogLine, recordingLogger, until } from '../support/network.ts'

const change = (subject: string): AlarmChange => ({
  event: 'raised',
  alarm: {
    ...{ kind: 'wallet-low', subject, message: 'low', severity: 'warning', remedy: 'fill it' },
    since: timestamp(7),
  },
})

interface Heard {
  readonly url: string | undefined
  readonly signature: string | undefined
  readonly body: string
}

describe('the webhook', () => {
  let server: Server
  let url: string
  const heard: Heard[] = []
  let answer: (request: IncomingMessage) => number = () => 200
  const log: LogLine[] = []
  const stop = { controller: new AbortController(), done: Promise.resolve() }

  beforeEach(async () => {
    heard.length = 0
    log.length = 0
    server = createServer(async (request, response) => {
      let body = ''
      for await (const part of request) body += part
      const signature = request.headers['holdfast-signature']?.toString()
      heard.push({ url: request.url, signature, body })
      const status = answer(request)
      if (status === 0) return
      response.writeHead(status, { location: '/elsewhere' }).end('thanks')
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`
  })
  afterEach(async () => {
    stop.controller.abort()
    await stop.done
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })

  const start = (options: Partial<WebhookOptions> = {}): Webhook => {
    const all = {
      url,
      secret: undefined,
      provider: '0xabc',
      pauseMs: 1,
      timeoutMs: 100,
      ...options,
    }
    const webhook = new Webhook({ clock: systemClock, logger: recordingLogger(log) }, () => all)
    stop.controller = new AbortController()
    stop.done = webhook.run(stop.controller.signal)
    return webhook
  }

  test('posts every change once, in order, signed over time and body', async () => {
    answer = () => 200
    const secret = new Uint8Array(Buffer.from('a secret'))
    const webhook = start({ secret })
    webhook.tell(change('one'))
    webhook.tell(change('two'))
    await until('both are heard', () => heard.length === 2)
    expect(heard.map(({ body }) => JSON.parse(body).alarm.subject)).toEqual(['one', 'two'])
    for (const { body, signature = '' } of heard) {
      const [, at, sum] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(signature) ?? []
      expect(createHmac('sha256', secret).update(`${at}.${body}`).digest('hex')).toBe(sum)
      expect(JSON.parse(body)).toMatchObject({ event: 'raised', provider: '0xabc' })
    }
  })

  test('tries again what was refused or not answered, then goes on with the next', async () => {
    const answers = [500, 0, 200, 200]
    answer = () => answers.shift() ?? 200
    const webhook = start()
    webhook.tell(change('one'))
    webhook.tell(change('two'))
    await until('all tries are heard', () => heard.length === 4)
    const subjects = heard.map(({ body }) => JSON.parse(body).alarm.subject)
    expect(subjects).toEqual(['one', 'one', 'one', 'two'])
  })

  test('gives up after five tries and says so', async () => {
    answer = () => 503
    start().tell(change('one'))
    await until('it is given up', () => log.some(({ level }) => level === 'error'))
    expect(heard.length).toBe(5)
    expect(log.find(({ level }) => level === 'error')?.fields).toMatchObject({
      reason: 'status 503',
    })
  })

  test('follows no redirect', async () => {
    answer = () => 307
    start().tell(change('one'))
    await until('it is given up', () => log.some(({ level }) => level === 'error'))
    expect(new Set(heard.map(({ url: path }) => path))).toEqual(new Set(['/hook']))
  })

  test('keeps a bounded queue while nobody answers', async () => {
    answer = () => 0
    const webhook = start({ timeoutMs: 60_000 })
    for (let i = 0; i < 150; i++) webhook.tell(change(String(i)))
    expect(log.filter(({ event }) => event.includes('too slow')).length).toBeGreaterThan(40)
  })
})
