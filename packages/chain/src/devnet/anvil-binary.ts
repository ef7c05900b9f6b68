/**
 * Where the embedded chain's program is: the variable HOLDFAST_ANVIL, then the platform package
 * that npm installed, then PATH. Only looks; starting it is anvil-process.ts.
 */
import { accessSync, constants, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { delimiter, dirname, join } from 'node:path'
import { HoldfastError } from '@holdfast/protocol'

/** Platforms whose package npm installs with this one. */
const PACKAGES: Readonly<Record<string, string>> = {
  'linux-x64': '@foundry-rs/anvil-linux-amd64',
}

export interface BinaryEnvironment {
  readonly env: Readonly<Record<string, string | undefined>>
  /** `process.platform` and `process.arch` joined by a dash. */
  readonly platform: string
}

const executable = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

const fromPackage = (platform: string): string | undefined => {
  const name = PACKAGES[platform]
  if (name === undefined) return undefined
  try {
    const manifest = createRequire(import.meta.url).resolve(`${name}/package.json`)
    const path = join(dirname(manifest), 'bin', 'anvil')
    return executable(path) ? path : undefined
  } catch {
    return undefined
  }
}

const fromPath = (path: string): string | undefined =>
  path
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, 'anvil'))
    .find(executable)

/** The program's path, or undefined where there is none. */
export const findAnvil = (
  environment: BinaryEnvironment = {
    env: process.env,
    platform: `${process.platform}-${process.arch}`,
  },
): string | undefined => {
  const named = environment.env['HOLDFAST_ANVIL']
  if (named !== undefined && named !== '') {
    if (executable(named)) return named
    throw new HoldfastError({
      code: 'CONFIG_INVALID',
      path: 'HOLDFAST_ANVIL',
      reason: `${named} is not an executable file`,
    })
  }
  return fromPackage(environment.platform) ?? fromPath(environment.env['PATH'] ?? '')
}

/**
 * The program's path.
 * @throws HoldfastError `PROCESS_FAILED` that says which platforms bring it and how to name another,
 *   `CONFIG_INVALID` when HOLDFAST_ANVIL names no program.
 */
export const requireAnvil = (environment?: BinaryEnvironment): string => {
  const found = findAnvil(environment)
  if (found !== undefined) return found
  const platform = environment?.platform ?? `${process.platform}-${process.arch}`
  throw new HoldfastError({
    code: 'PROCESS_FAILED',
    program: 'anvil',
    reason:
      `no embedded chain for ${platform}: it comes with npm for ${Object.keys(PACKAGES).join(', ')} ` +
      '(not with --omit=optional); elsewhere install foundry and set HOLDFAST_ANVIL to its anvil',
  })
}
