/**
 * The named accounts of an embedded network: a keystore and its passphrase side by side, mode 0600.
 * Worth nothing, so scrypt is cheap here.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Address, HoldfastError, type Random, type Signer, toHex } from '@holdfast/protocol'
import { encryptKey, LIGHT_COST } from '../keys/keystore.ts'
import { openKeystore, readPassphrase } from '../keys/keystore-file.ts'
import { randomPrivateKey, signerFromPrivateKey } from '../keys/signer.ts'
import { type LocalDrand, localDrand, randomDrand } from '../relayer/drand.ts'

export interface DevnetAccount {
  readonly name: string
  readonly address: Address
  readonly signer: Signer
  /** Web3 keystore v3. */
  readonly keystore: string
  readonly passphraseFile: string
}

/** Providers that an embedded network has accounts for. */
export const DEVNET_PROVIDERS = 9

/** Every account's name. */
export const ACCOUNT_NAMES: readonly string[] = [
  'deployer',
  'relayer',
  'publisher',
  ...Array.from({ length: DEVNET_PROVIDERS }, (_, i) => [
    `provider-${i + 1}-owner`,
    `provider-${i + 1}-operator`,
  ]).flat(),
]

/** Those that get test tokens: who buys, and who stakes. */
export const holdsTokens = (name: string): boolean =>
  name === 'publisher' || name.endsWith('-owner')

const PRIVATE = { mode: 0o600 } as const

const filesOf = (folder: string, name: string) => ({
  keystore: join(folder, `${name}.json`),
  passphraseFile: join(folder, `${name}.pass`),
})

const createAccount = async (
  folder: string,
  name: string,
  random: Random,
): Promise<DevnetAccount> => {
  const files = filesOf(folder, name)
  const passphrase = toHex(random.bytes(16)).slice(2)
  const privateKey = randomPrivateKey(random)
  const keystore = await encryptKey(privateKey, passphrase, { random, cost: LIGHT_COST })
  await writeFile(files.passphraseFile, `${passphrase}\n`, PRIVATE)
  await writeFile(files.keystore, `${JSON.stringify(keystore, undefined, 2)}\n`, PRIVATE)
  const signer = signerFromPrivateKey(privateKey)
  return { name, address: signer.address, signer, ...files }
}

const openAccount = async (folder: string, name: string): Promise<DevnetAccount> => {
  const files = filesOf(folder, name)
  const signer = await openKeystore(files.keystore, await readPassphrase(files.passphraseFile))
  return { name, address: signer.address, signer, ...files }
}

export interface DevnetKeys {
  readonly accounts: ReadonlyMap<string, DevnetAccount>
  readonly drand: LocalDrand
}

const keyed = (accounts: readonly DevnetAccount[]): ReadonlyMap<string, DevnetAccount> =>
  new Map(accounts.map((account) => [account.name, account]))

const drandFile = (folder: string): string => join(folder, 'drand.key')

/** Makes all keys afresh. What a start that did not finish left is overwritten. */
export const createKeys = async (folder: string, random: Random): Promise<DevnetKeys> => {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const drand = randomDrand(random)
  await writeFile(drandFile(folder), `${toHex(drand.secretKey)}\n`, PRIVATE)
  const accounts = await Promise.all(
    ACCOUNT_NAMES.map((name) => createAccount(folder, name, random)),
  )
  return { accounts: keyed(accounts), drand }
}

/** @throws HoldfastError `INPUT_UNREADABLE`, `KEYSTORE_INVALID` when one is missing or damaged. */
export const openKeys = async (folder: string): Promise<DevnetKeys> => {
  const path = drandFile(folder)
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new HoldfastError({ code: 'INPUT_UNREADABLE', path, reason: String(cause) }, { cause })
  })
  const secret = Buffer.from(text.trim().replace(/^0x/, ''), 'hex')
  if (secret.length !== 32) {
    const reason = 'it is not a key of 32 bytes in hex'
    throw new HoldfastError({ code: 'KEYSTORE_INVALID', path, reason })
  }
  const accounts = await Promise.all(ACCOUNT_NAMES.map((name) => openAccount(folder, name)))
  return { accounts: keyed(accounts), drand: localDrand(secret) }
}

/** An account by name. @throws HoldfastError `CONFIG_INVALID` that lists the names. */
export const accountIn = (keys: DevnetKeys, name: string): DevnetAccount => {
  const account = keys.accounts.get(name)
  if (account !== undefined) return account
  throw new HoldfastError({
    code: 'CONFIG_INVALID',
    path: 'account',
    reason: `the embedded network has no account "${name}", only ${ACCOUNT_NAMES.join(', ')}`,
  })
}
