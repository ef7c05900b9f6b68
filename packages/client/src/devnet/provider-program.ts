/** Finds the provider's program: `HOLDFAST_PROVIDER_BIN`, else beside this package, else the PATH. */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface Program {
  readonly command: string
  /** Stand before the program's own arguments. */
  readonly prefix: readonly string[]
}

const NAME = 'holdfast-provider'

const asProgram = (path: string): Program =>
  /\.[cm]?js$/.test(path)
    ? { command: process.execPath, prefix: [path] }
    : { command: path, prefix: [] }

export const findProviderProgram = (
  environment: Readonly<Record<string, string | undefined>>,
): Program => {
  const given = environment['HOLDFAST_PROVIDER_BIN']
  if (given !== undefined && given !== '') return asProgram(given)
  let folder = dirname(fileURLToPath(import.meta.url))
  for (;;) {
    const candidate = join(folder, 'node_modules', '.bin', NAME)
    if (existsSync(candidate)) return { command: process.execPath, prefix: [candidate] }
    const parent = dirname(folder)
    if (parent === folder) return { command: NAME, prefix: [] }
    folder = parent
  }
}
