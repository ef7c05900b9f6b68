/**
 * The dashboard as an operator uses it: a real network, a real provider, a real headless browser. Logs
 * in by link, sees a period proven while it looks, walks by keyboard, sees what is wrong, and nothing
 * is asked of any other host.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { BrowserContext, Page } from 'playwright-core'
import { type OpenedBrowser, openBrowser } from '../support/browser.ts'
import { noise } from '../support/corpus.ts'
import { HOLDFAST_PROVIDER, Network, type ProviderProcess } from '../support/network.ts'
import { publish, untilProven } from '../support/publishing.ts'
import { until } from '../support/wait.ts'

const opened = await openBrowser()
if (typeof opened === 'string') console.warn(`skipped: ${opened}`)
const describeWithBrowser = typeof opened === 'string' ? describe.skip : describe

describeWithBrowser('the dashboard in a browser', () => {
  const { browser } = opened as OpenedBrowser
  let network: Network
  let provider: ProviderProcess
  let context: BrowserContext
  let page: Page
  /** Requests to elsewhere, and what the console calls an error. */
  const strays: string[] = []
  const errors: string[] = []

  const command = (...args: readonly string[]): string => {
    const all = [HOLDFAST_PROVIDER, ...args, '--home', provider.home]
    const { stdout, stderr, status } = spawnSync(process.execPath, all, { encoding: 'utf8' })
    if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}: ${stderr}`)
    return stdout
  }
  const link = (): string => JSON.parse(command('dashboard', '--json')).link

  const newPage = async (into: BrowserContext): Promise<Page> => {
    const made = await into.newPage()
    made.on('console', (message) => {
      if (message.type() === 'error') errors.push(message.text())
    })
    made.on('pageerror', (error) => errors.push(error.message))
    made.on('request', (request) => {
      const { hostname } = new URL(request.url())
      if (!request.url().startsWith('data:') && hostname !== '127.0.0.1') strays.push(request.url())
    })
    return made
  }

  const textOf = async (selector: string): Promise<string> =>
    (await page.locator(selector).first().textContent({ timeout: 60_000 })) ?? ''

  beforeAll(async () => {
    network = await Network.start({ period: '5s', providers: 2 })
    const folder = network.path('data')
    mkdirSync(folder)
    writeFileSync(join(folder, 'noise.bin'), noise(300_000, 3))
    const published = await publish(network, folder)
    const [deal] = published.deals
    if (deal === undefined) throw new Error('nothing was published')
    await untilProven(network, deal.id, 1)
    provider = await network.process(deal.provider)
    context = await browser.newContext({ viewport: { width: 1280, height: 900 } })
    page = await newPage(context)
  })
  afterAll(async () => {
    await (opened as OpenedBrowser).close()
    await network.close()
  })

  test('a link logs in once, and leaves no code in the address', async () => {
    const address = link()
    await page.goto(address)
    await page.locator('#board').waitFor({ state: 'visible' })
    expect(page.url()).toBe(`${new URL(address).origin}/`)
    // The board is shown first and filled by the first answer.
    await until('the page says whose node it is, and is live', async () =>
      (await textOf('#who')).includes(provider.provider) && (await textOf('#link')) === 'live'
        ? true
        : undefined,
    )
    const cookies = await context.cookies()
    expect(cookies).toMatchObject([{ httpOnly: true, sameSite: 'Strict' }])
    const stranger = await newPage(await browser.newContext())
    await stranger.goto(address)
    await stranger.locator('#login').waitFor({ state: 'visible' })
    expect(await stranger.locator('#login .wrong').textContent()).toMatch(/was used or is too old/)
    expect(await stranger.locator('#who').textContent()).toBe('')
    await stranger.close()
    // The refused login is the browser's own word for the 401 that was meant.
    errors.splice(0, errors.length, ...errors.filter((text) => !/status of 401/.test(text)))
  })

  test("takes the local token and a signature of the operator's key, once, and no other", async () => {
    const { origin } = new URL(link())
    const strange = await browser.newContext()
    const stranger = await newPage(strange)
    const wrong = stranger.locator('#login .wrong')
    await stranger.goto(origin)
    await stranger.locator('#token').fill('a'.repeat(43))
    await stranger.locator('#token').press('Enter')
    await until(
      "a token of somebody's own is refused",
      async () => (await wrong.textContent()) || undefined,
    )
    await stranger
      .locator('#token')
      .fill(readFileSync(join(provider.home, 'dashboard.token'), 'utf8'))
    await stranger.locator('#token').press('Enter')
    await stranger.locator('#board').waitFor({ state: 'visible' })
    await strange.clearCookies()

    await stranger.goto(origin)
    const asked = (await stranger.locator('#challenge').textContent()) ?? ''
    const challenge = /--sign '(.*)'/s.exec(asked)?.[1] ?? ''
    const signature = command('dashboard', '--sign', challenge).trim()
    await stranger.locator('#signature').fill(signature)
    await stranger.locator('form:has(#signature) button').click()
    await stranger.locator('#board').waitFor({ state: 'visible' })
    await strange.clearCookies()

    // The page shows another challenge by now: an old signature is worth nothing.
    await stranger.goto(origin)
    await stranger.locator('#signature').fill(signature)
    await stranger.locator('form:has(#signature) button').click()
    await until(
      'a signature over an old challenge is refused',
      async () => (await wrong.textContent()) || undefined,
    )
    await strange.close()
    errors.splice(0, errors.length, ...errors.filter((text) => !/status of 40[13]/.test(text)))
  })

  test('shows what the commands say, and a period proven while it looks', async () => {
    const proven = async (): Promise<number> => page.locator('#calendar li.proven').count()
    const before = await until('periods are shown', async () => (await proven()) || undefined)
    const pending = await textOf('[data-sum="Gas spent"]')
    await until('another period is proven on the page', async () =>
      (await proven()) > before ? true : undefined,
    )
    await until('its gas is shown', async () =>
      (await textOf('[data-sum="Gas spent"]')) === pending ? undefined : true,
    )
    const status = JSON.parse(command('status', '--json'))
    expect(Number(await textOf('[aria-label="Period"] .figure'))).toBeGreaterThan(0)
    expect(await textOf('#alarms')).toMatch(status.alarms.length === 0 ? /none/i : /\w/)
    const { deals } = JSON.parse(command('deals', '--json'))
    const rows = page.locator('#deals tbody tr')
    expect(await rows.count()).toBe(deals.length)
    expect(await rows.first().getAttribute('data-deal')).toBe(deals.at(-1).id)
    expect(await page.locator('#earnings .plot .value').count()).toBeGreaterThan(3)
    expect(await page.locator('#earnings .plot .axis').count()).toBe(1)
    expect(await page.locator('#volumes [data-volume]').count()).toBe(1)
    expect(await page.locator('#transactions tbody tr').count()).toBeGreaterThan(0)
    expect(await textOf('[aria-label="Safe to stop"] .figure')).toMatch(/^(Yes|Not now)$/)
  })

  test('works by keyboard: periods, measures and columns', async () => {
    await page.locator('#calendar li[tabindex="0"]').focus()
    await page.keyboard.press('ArrowLeft')
    await until('the period before is said', async () =>
      /^Period \d+, from/.test(await textOf('#calendar .picked')) ? true : undefined,
    )
    await page.locator('[data-key="tab gas"]').focus()
    await page.keyboard.press('Enter')
    await until('gas is shown', async () =>
      (await page.locator('[data-key="tab gas"]').getAttribute('aria-pressed')) === 'true'
        ? true
        : undefined,
    )
    expect(await page.locator('[data-key="tab gas"]:focus').count()).toBe(1)
    await page.locator('[data-key="sort Size"]').focus()
    await page.keyboard.press('Enter')
    await page.locator('th[aria-sort="descending"]').waitFor()
  })

  test('is read on a phone: nothing runs off the side, the axis has letters of their full size', async () => {
    const phone = await browser.newContext({ viewport: { width: 390, height: 844 } })
    const small = await newPage(phone)
    await small.goto(link())
    const label = small.locator('#earnings .plot text').first()
    await label.waitFor({ state: 'visible' })
    // A string: what it names lives in the browser, and this file is compiled for Node.
    const [fontSize, width] = await small.evaluate<readonly [number, number]>(`(() => {
      const text = document.querySelector('#earnings .plot text')
      const scale = text.ownerSVGElement.getScreenCTM().a
      return [scale * parseFloat(getComputedStyle(text).fontSize), document.documentElement.scrollWidth]
    })()`)
    expect(fontSize).toBeGreaterThanOrEqual(10)
    expect(width).toBeLessThanOrEqual(390)
    await phone.close()
  })

  test('says when the node is gone, and when it asked nothing of anybody else', async () => {
    await network.kill(provider.provider)
    await until('it is said', async () =>
      /does not answer|no news/.test(await textOf('#link')) ? true : undefined,
    )
    expect(strays).toEqual([])
    const ours = errors.filter((text) => !/ERR_(?:CONNECTION|INCOMPLETE|EMPTY)/.test(text))
    expect(ours).toEqual([])
  })
})
