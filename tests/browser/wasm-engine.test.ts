/**
 * `@holdfast/native/wasm` in a real browser: the built files as they are, without a bundler, give the
 * roots that the engine of this machine gives.
 */
import { readFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openEngine, type TreeScheme } from '@holdfast/native'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type OpenedBrowser, openBrowser } from '../support/browser.ts'
import { noise } from '../support/corpus.ts'

const opened = await openBrowser()
if (typeof opened === 'string') console.warn(`skipped: ${opened}`)
const describeWithBrowser = typeof opened === 'string' ? describe.skip : describe

const MODULES = dirname(fileURLToPath(import.meta.resolve('@holdfast/native/wasm')))

/** What the page puts into its global scope. */
interface Page {
  readonly native: typeof import('@holdfast/native/wasm')
}

const PAGE = `<!doctype html><title>test</title><script type="module">
import * as native from '/wasm.js'
globalThis.native = native
</script>`

/** Serves the modules, and a page that loads them. */
const serve = async (): Promise<Server> => {
  const server = createServer(async ({ url = '/' }, response) => {
    const name = normalize(url)
    const isModule = name.endsWith('.js')
    response.setHeader('content-type', isModule ? 'text/javascript' : 'text/html')
    response.end(isModule ? await readFile(join(MODULES, name)) : PAGE)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}

const SHAPES = [
  [1, 300_001, 10],
  [1, 1, 0],
  [2, 127 * 2048, 13],
  [2, 70_000, 13],
] as const satisfies readonly (readonly [TreeScheme, number, number])[]

const rootHere = (scheme: TreeScheme, payload: Uint8Array, level: number): string => {
  const output = { kept: new Uint8Array(0), root: new Uint8Array(32) }
  openEngine().subtree(payload, { scheme, level, keptLevel: 0 }, output)
  return Buffer.from(output.root).toString('base64')
}

describeWithBrowser('the WASM engine in a browser', () => {
  let server: Server
  beforeAll(async () => {
    server = await serve()
  })
  afterAll(async () => {
    server.close()
    await (opened as OpenedBrowser).close()
  })

  test('computes the roots of both schemes', async () => {
    const page = await (opened as OpenedBrowser).browser.newPage()
    const { port } = server.address() as AddressInfo
    await page.goto(`http://127.0.0.1:${port}/`)
    await page.waitForFunction(() => 'native' in globalThis)
    for (const [scheme, length, level] of SHAPES) {
      const payload = noise(length, scheme)
      const text = Buffer.from(payload).toString('base64')
      const root = await page.evaluate(
        ({ scheme, text, level }) => {
          const { openWasmEngine } = (globalThis as unknown as Page).native
          const payload = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))
          const output = { kept: new Uint8Array(0), root: new Uint8Array(32) }
          openWasmEngine().subtree(payload, { scheme, level, keptLevel: 0 }, output)
          return btoa(String.fromCharCode(...output.root))
        },
        { scheme, text, level },
      )
      expect(root).toBe(rootHere(scheme, payload, level))
    }
  })
})
