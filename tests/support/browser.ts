/**
 * A headless browser for the page's tests: the one of our own npm install where it starts, else one
 * that the machine has (`HOLDFAST_BROWSER`, or a Chromium on the PATH), else none, with the reason.
 */
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import bundled from '@sparticuz/chromium'
import { type Browser, chromium } from 'playwright-core'

export interface OpenedBrowser {
  readonly browser: Browser
  close(): Promise<void>
}

/** The bundled flags switch off what this test is about (origins); these switch off nothing of it. */
const ARGS = ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--headless=shell']
const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'chrome']

const onPath = (): readonly string[] =>
  (process.env['PATH'] ?? '')
    .split(delimiter)
    .flatMap((folder) => NAMES.map((name) => join(folder, name)))
    .filter((path) => existsSync(path))

/** Unpacks the bundled browser into a folder of its own: the default is shared by all accounts. */
const unpack = async (folder: string): Promise<string> => {
  const former = process.env['TMPDIR']
  process.env['TMPDIR'] = folder
  try {
    return await bundled.executablePath()
  } finally {
    if (former === undefined) delete process.env['TMPDIR']
    else process.env['TMPDIR'] = former
  }
}

/** A browser, or why there is none. */
export const openBrowser = async (): Promise<OpenedBrowser | string> => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-browser-'))
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true })
  const given = process.env['HOLDFAST_BROWSER']
  const reasons: string[] = []
  const candidates = [
    ...(given === undefined ? [() => unpack(folder)] : [async () => given]),
    ...onPath().map((path) => async () => path),
  ]
  for (const candidate of candidates) {
    try {
      const executablePath = await candidate()
      const browser = await chromium.launch({ executablePath, args: ARGS, headless: true })
      return { browser, close: () => browser.close().then(remove) }
    } catch (error) {
      reasons.push(error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error))
    }
  }
  await remove()
  return `no browser starts here: ${reasons.join('; ')}`
}
