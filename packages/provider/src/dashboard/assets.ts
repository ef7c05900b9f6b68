/**
 * The page's files, read once when the dashboard opens: HTML and style as they are in the source
 * folder, scripts as they were compiled. Nothing else can be asked for, whatever the path says.
 */
import { readFile } from 'node:fs/promises'

export interface Asset {
  readonly type: string
  readonly body: Buffer
}

const SCRIPTS = [
  './page/calendar.js',
  './page/deals.js',
  './page/dom.js',
  './page/format.js',
  './page/login.js',
  './page/main.js',
  './page/panels.js',
  './page/plot.js',
  './page/system-browser.js',
  './page/tables.js',
] as const

/** From the compiled place back to the sources, which are part of the package. */
const SOURCES = '../../../src/dashboard/page/'

/** By path. */
export const readAssets = async (): Promise<ReadonlyMap<string, Asset>> => {
  const here = (path: string): Promise<Buffer> => readFile(new URL(path, import.meta.url))
  const assets = new Map<string, Asset>()
  assets.set('/', { type: 'text/html; charset=utf-8', body: await here(`${SOURCES}index.html`) })
  assets.set('/style.css', {
    type: 'text/css; charset=utf-8',
    body: await here(`${SOURCES}style.css`),
  })
  for (const script of SCRIPTS) {
    const type = 'text/javascript; charset=utf-8'
    assets.set(script.slice(1), { type, body: await here(script) })
  }
  return assets
}
