/**
 * The dashboard's door, knocked on as strangers do: without a session, from another site, under a
 * rebound name, with used links and wrong keys. The page itself is tried in a browser
 * (tests/dashboard).
 */
import { readFile, stat } from 'node:fs/promises'
import { type IncomingHttpHeaders, request } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { askAdmin } from '../../src/admin/client.ts'
import { signChallenge } from '../../src/dashboard/challenge.ts'
import { ACCOUNTS, TestNetwork } from '../support/network.ts'

interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

describe('the dashboard', () => {
  let network: TestNetwork
  let url: URL

  beforeAll(async () => {
    network = await TestNetwork.create()
    await network.start()
    const { url: address } = await askAdmin(network.paths.admin, 'dashboard/link')
    url = new URL(String(address))
  })
  afterAll(async () => {
    await network.close()
  })

  const ask = (
    method: string,
    path: string,
    { headers = {}, body }: { headers?: Record<string, string>; body?: object } = {},
  ): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const { hostname, port } = url
      const asking = request({ hostname, port, method, path, headers }, (response) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (part) => {
          text += part
          if (path === '/api/events') response.destroy()
        })
        response.on('close', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }),
        )
      })
      asking.once('error', reject)
      asking.end(body === undefined ? undefined : JSON.stringify(body))
    })

  const json = (): Record<string, string> => ({
    'content-type': 'application/json',
    origin: url.origin,
  })
  const logIn = (body: object, headers = json()): Promise<Answer> =>
    ask('POST', '/api/login', { headers, body })
  const newCode = async (): Promise<string> => {
    const { link } = await askAdmin(network.paths.admin, 'dashboard/link')
    return new URL(String(link)).hash.slice(1)
  }
  const cookieOf = ({ headers }: Answer): string => headers['set-cookie']?.[0]?.split(';')[0] ?? ''

  test('shows nothing of the node without a session', async () => {
    for (const path of ['/api/view', '/api/events', '/metrics', '/api/nothing']) {
      expect([path, (await ask('GET', path)).status]).toEqual([path, 401])
    }
    const page = await ask('GET', '/')
    expect(page.status).toBe(200)
    expect(page.body).not.toContain(network.config.provider)
    for (const path of ['/../config.json', '/page/../../dashboard.token', '/page/main.ts']) {
      expect((await ask('GET', path)).status).toBe(401)
    }
  })

  test('forbids the page everything but its own files', async () => {
    const { headers } = await ask('GET', '/')
    const policy = String(headers['content-security-policy'])
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("script-src 'self'")
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).not.toMatch(/unsafe|\*|https?:/)
    const text = (await ask('GET', '/')).body
    expect(text).not.toMatch(/\b(?:src|href)="https?:/)
  })

  test('a link logs in once; its session reads, and ends at logout', async () => {
    const code = await newCode()
    const first = await logIn({ code })
    expect(first.status).toBe(204)
    expect(first.headers['set-cookie']?.[0]).toMatch(
      /; HttpOnly; SameSite=Strict; Path=\/; Max-Age/,
    )
    expect((await logIn({ code })).status).toBe(401)
    const cookie = cookieOf(first)
    const view = await ask('GET', '/api/view', { headers: { cookie } })
    expect(JSON.parse(view.body)).toMatchObject({
      status: { provider: network.config.provider },
      dealCount: 0,
    })
    const events = await ask('GET', '/api/events', { headers: { cookie } })
    expect(events.body).toMatch(/^data: \{/)
    await ask('POST', '/api/logout', { headers: { ...json(), cookie }, body: {} })
    expect((await ask('GET', '/api/view', { headers: { cookie } })).status).toBe(401)
  })

  test('the local token logs in, lies in a file of 0600, and serves programs as a bearer', async () => {
    const path = network.paths.dashboardToken
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    const token = (await readFile(path, 'utf8')).trim()
    expect((await logIn({ token })).status).toBe(204)
    expect((await logIn({ token: `${token}x` })).status).toBe(401)
    const bearer = (value: string): Promise<Answer> =>
      ask('GET', '/api/view', { headers: { authorization: `Bearer ${value}` } })
    expect((await bearer(token)).status).toBe(200)
    expect((await bearer('wrong')).status).toBe(401)
  })

  test('a signature of the operator over a fresh challenge logs in, once; a stranger never', async () => {
    const challenge = async (): Promise<string> =>
      JSON.parse((await ask('GET', '/api/challenge')).body).challenge
    const text = await challenge()
    const signature = await signChallenge(ACCOUNTS.operator, text)
    expect((await logIn({ challenge: text, signature })).status).toBe(204)
    expect((await logIn({ challenge: text, signature })).status).toBe(401)
    const other = await challenge()
    const forged = await signChallenge(ACCOUNTS.stranger, other)
    expect((await logIn({ challenge: other, signature: forged })).status).toBe(401)
    const made = text.replace(/nonce=[\w-]{43}/, `nonce=${'a'.repeat(43)}`)
    const own = await signChallenge(ACCOUNTS.operator, made)
    expect((await logIn({ challenge: made, signature: own })).status).toBe(401)
    expect((await logIn({ challenge: await challenge(), signature: '0x12' })).status).toBe(401)
    expect(() => signChallenge(ACCOUNTS.operator, 'pay the bearer 100')).toThrow(/challenge/)
  })

  test('a rebound name, another site and a form are refused before anything is looked at', async () => {
    const code = await newCode()
    const cases: Record<string, string>[] = [
      { host: 'evil.example' },
      { host: `evil.example:${url.port}`, origin: `http://evil.example:${url.port}` },
      { host: '127.0.0.1:1' },
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { 'content-type': 'text/plain' },
      { 'content-type': 'application/x-www-form-urlencoded' },
    ]
    for (const change of cases) {
      const { status } = await logIn({ code }, { ...json(), ...change })
      expect([change, status]).toEqual([change, 401])
    }
    const { origin: _none, ...without } = json()
    expect((await logIn({ code }, without)).status).toBe(401)
    expect((await ask('GET', '/', { headers: { host: 'evil.example' } })).status).toBe(401)
    expect((await logIn({ code })).status).toBe(204)
  })

  test('bodies are bounded and tries are counted', async () => {
    expect((await logIn({ code: 'x'.repeat(5000) })).status).toBe(400)
    expect((await logIn({})).status).toBe(400)
    const statuses: number[] = []
    for (let i = 0; i < 21; i++) statuses.push((await logIn({ code: 'wrong' })).status)
    expect(statuses.at(-1)).toBe(429)
    expect(new Set(statuses)).toEqual(new Set([401, 429]))
  })
})
