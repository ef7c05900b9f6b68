/**
 * Where things are: the home directory, the network file, the keystore. For each the first that is
 * given decides: flag, environment, `config.json` in the home, default. Values keep their source,
 * so that an error can say which setting to correct. No secret is in here.
 */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { HoldfastError } from '@holdfast/protocol'
import { errorCode, errorMessage } from '../system-error.ts'

export type SettingSource = 'flag' | 'environment' | 'config' | 'default'

export interface Setting {
  readonly value: string
  readonly source: SettingSource
}

/** What may be given on the command line. */
export interface SettingFlags {
  readonly home?: string
  readonly network?: string
  readonly keystore?: string
  readonly passphraseFile?: string
}

export interface Settings {
  readonly home: Setting
  readonly network: Setting | undefined
  readonly keystore: Setting | undefined
  readonly passphraseFile: Setting | undefined
}

/** `config.json`: paths, and what a watch may spend. */
export interface ConfigFile {
  readonly network?: string
  readonly keystore?: string
  readonly passphraseFile?: string
  readonly watch?: WatchConfig
}

/** Decimal amounts, as the flags of `holdfast watch` take them. */
export interface WatchConfig {
  readonly gasBudget?: string
  readonly bondBudget?: string
}

const FORMAT = 'holdfast-config/1'
const KEYS = ['network', 'keystore', 'passphraseFile'] as const
const WATCH_KEYS = ['gasBudget', 'bondBudget'] as const

export const configPath = (home: string): string => join(home, 'config.json')

/** @throws HoldfastError `CONFIG_INVALID` for a config file that cannot be understood. */
export const loadSettings = async (
  flags: SettingFlags,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Settings> => {
  const home = pick(flags.home, environment['HOLDFAST_HOME'], undefined) ?? {
    value: join(homedir(), '.holdfast'),
    source: 'default',
  }
  const config = await readConfig(home.value)
  return {
    home,
    network: pick(flags.network, environment['HOLDFAST_NETWORK'], config.network),
    keystore: pick(flags.keystore, environment['HOLDFAST_KEYSTORE'], config.keystore),
    passphraseFile: pick(
      flags.passphraseFile,
      environment['HOLDFAST_PASSPHRASE_FILE'],
      config.passphraseFile,
    ),
  }
}

const pick = (
  flag: string | undefined,
  environment: string | undefined,
  config: string | undefined,
): Setting | undefined => {
  if (flag !== undefined && flag !== '') return { value: resolve(flag), source: 'flag' }
  if (environment !== undefined && environment !== '') {
    return { value: resolve(environment), source: 'environment' }
  }
  return config === undefined ? undefined : { value: resolve(config), source: 'config' }
}

/** The config file of a home; empty when there is none. */
export const readConfig = async (home: string): Promise<ConfigFile> => {
  const path = configPath(home)
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return {}
    throw invalid(path, errorMessage(error))
  }
  return parseConfig(path, text)
}

const parseConfig = (path: string, text: string): ConfigFile => {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw invalid(path, 'it is not JSON')
  }
  if (typeof value !== 'object' || value === null) throw invalid(path, 'it is not an object')
  const record = value as Readonly<Record<string, unknown>>
  if (record['format'] !== FORMAT) throw invalid(path, `its format is not ${FORMAT}`)
  const config: Record<string, string> = {}
  for (const key of KEYS) {
    const entry = record[key]
    if (entry === undefined) continue
    if (typeof entry !== 'string' || entry === '') throw invalid(path, `${key} is not a path`)
    config[key] = entry
  }
  const watch = record['watch']
  return watch === undefined ? config : { ...config, watch: parseWatch(path, watch) }
}

const parseWatch = (path: string, value: unknown): WatchConfig => {
  if (typeof value !== 'object' || value === null) throw invalid(path, 'watch is not an object')
  const record = value as Readonly<Record<string, unknown>>
  const config: Record<string, string> = {}
  for (const key of WATCH_KEYS) {
    const entry = record[key]
    if (entry === undefined) continue
    if (typeof entry !== 'string') throw invalid(path, `watch.${key} is not text such as "0.05"`)
    config[key] = entry
  }
  return config
}

const invalid = (path: string, reason: string): HoldfastError =>
  new HoldfastError({ code: 'CONFIG_INVALID', path, reason })

/** Writes the config file, whole or not at all. */
export const writeConfig = async (home: string, config: ConfigFile): Promise<void> => {
  await mkdir(home, { recursive: true, mode: 0o700 })
  const path = configPath(home)
  const text = `${JSON.stringify({ format: FORMAT, ...config }, undefined, 2)}\n`
  await writeFile(`${path}.new`, text, { mode: 0o600 })
  await rename(`${path}.new`, path)
}
