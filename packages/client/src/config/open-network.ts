/**
 * From settings to an open ledger and a key: what every command that leaves the machine does first.
 * The network file comes from the settings, else from the devnet in the home directory; the key from
 * the settings, else, on a devnet, it is the devnet's publisher.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import {
  keystoreAddress,
  type Ledger,
  type NetworkFile,
  openEvmLedger,
  openKeystore,
  readNetwork,
  readPassphrase,
  type TokenInfo,
} from '@holdfast/chain'
import {
  type Address,
  type Clock,
  HoldfastError,
  type Logger,
  type Signer,
} from '@holdfast/protocol'
import { askSecret } from '../ui/prompt.ts'
import type { Settings } from './settings.ts'

/** The devnet's state when `--state` is not given. */
export const devnetState = (home: string): string => join(home, 'devnet')

/** @throws HoldfastError `CONFIG_INVALID` when no network is set, and as `readNetwork`. */
export const loadNetwork = async (
  settings: Settings,
): Promise<{ readonly path: string; readonly network: NetworkFile }> => {
  const path = settings.network?.value ?? defaultNetwork(settings.home.value)
  if (path === undefined) {
    throw new HoldfastError(
      { code: 'CONFIG_INVALID', path: 'network', reason: 'no network is set' },
      { message: 'no network is set: run "holdfast init --network <file>" or give --network' },
    )
  }
  return { path, network: await readNetwork(path) }
}

const defaultNetwork = (home: string): string | undefined => {
  const path = join(devnetState(home), 'network.json')
  return existsSync(path) ? path : undefined
}

/** The network's default token, or the one with the given symbol or address. */
export const tokenOf = (network: NetworkFile, wanted?: string): TokenInfo => {
  const name = wanted?.toLowerCase()
  const token = network.tokens.find(({ symbol, address }, i) =>
    name === undefined ? i === 0 : symbol.toLowerCase() === name || address === name,
  )
  if (token === undefined) {
    const known = network.tokens.map(({ symbol }) => symbol).join(', ')
    throw new HoldfastError({ code: 'USAGE', reason: `token ${wanted} is none of ${known}` })
  }
  return token
}

export interface KeyFiles {
  readonly keystore: string
  readonly passphraseFile: string | undefined
}

/** Which keystore is used; undefined when none is set. */
export const keyFiles = (settings: Settings, network: NetworkFile): KeyFiles | undefined => {
  if (settings.keystore !== undefined) {
    const passphraseFile = settings.passphraseFile?.value
    return { keystore: settings.keystore.value, passphraseFile }
  }
  return network.devnet === undefined ? undefined : devnetPublisher(network.devnet.keys)
}

export const devnetPublisher = (keys: string): KeyFiles => ({
  keystore: join(keys, 'publisher.json'),
  passphraseFile: join(keys, 'publisher.pass'),
})

/** The account's address, without opening the key; undefined when there is no key. */
export const accountAddress = async (
  settings: Settings,
  network: NetworkFile,
): Promise<Address | undefined> => {
  const files = keyFiles(settings, network)
  return files === undefined ? undefined : keystoreAddress(files.keystore)
}

/** @throws HoldfastError `CONFIG_INVALID` without a keystore; `PASSPHRASE_WRONG`, `KEYSTORE_INVALID`. */
export const openSigner = async (
  settings: Settings,
  network: NetworkFile,
  passphraseFd: string | undefined,
): Promise<Signer> => {
  const files = keyFiles(settings, network)
  if (files === undefined) {
    throw new HoldfastError(
      { code: 'CONFIG_INVALID', path: 'keystore', reason: 'no key is set' },
      { message: 'no key is set: run "holdfast wallet new" or give --keystore' },
    )
  }
  return openKeystore(files.keystore, await obtainPassphrase(files, passphraseFd))
}

/** From a descriptor, a file, or the person. */
export const obtainPassphrase = async (
  { keystore, passphraseFile }: KeyFiles,
  passphraseFd: string | undefined,
): Promise<string> => {
  if (passphraseFd !== undefined) {
    if (!/^\d{1,4}$/.test(passphraseFd)) {
      const reason = `--passphrase-fd ${passphraseFd} is no descriptor`
      throw new HoldfastError({ code: 'USAGE', reason })
    }
    return readPassphrase(Number(passphraseFd))
  }
  if (passphraseFile !== undefined) return readPassphrase(passphraseFile)
  return askSecret(`the passphrase of ${keystore}`, '--passphrase-file or --passphrase-fd')
}

export interface LedgerAmbient {
  readonly clock: Clock
  readonly logger: Logger
}

/** Opens the ledger, for reading unless a signer is given. Close it. */
export const openLedger = (
  network: NetworkFile,
  ambient: LedgerAmbient,
  signer?: Signer,
): Promise<Ledger> =>
  openEvmLedger({
    network,
    rpc: network.rpc,
    ...ambient,
    ...(signer === undefined ? {} : { signer }),
  })
