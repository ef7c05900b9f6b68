/**
 * Keystores on disk: created with mode 0600, whole or not at all, never over an existing file.
 * Passphrases come from files or descriptors that the caller names; nothing here reads the
 * environment or the command line.
 */
import { createReadStream } from 'node:fs'
import { access, open } from 'node:fs/promises'
import { type Address, address, HoldfastError, type Random, type Signer } from '@holdfast/protocol'
import { writeFileAtomically } from '../atomic-file.ts'
import { asRecord } from '../json.ts'
import { systemRandom } from '../system-adapters.ts'
import { decryptKey, encryptKey, type ScryptCost } from './keystore.ts'
import { randomPrivateKey, signerFromPrivateKey } from './signer.ts'

/** A keystore is under 1 KiB; a passphrase is a line. */
const FILE_BYTES_MAX = 64 * 1024

export interface CreateKeystoreOptions {
  readonly random?: Random
  readonly cost?: ScryptCost
}

export interface CreateKeystoreParameters {
  readonly path: string
  readonly passphrase: string
  /** Imported when given, else made fresh. */
  readonly privateKey?: Uint8Array
}

const reasonOf = (cause: unknown): string => (cause instanceof Error ? cause.message : `${cause}`)

const readSmall = async (path: string | number): Promise<string> => {
  const name = typeof path === 'number' ? `descriptor ${path}` : path
  try {
    const handle = typeof path === 'number' ? undefined : await open(path, 'r')
    try {
      return await readAtMost(handle?.fd ?? Number(path), name)
    } finally {
      await handle?.close()
    }
  } catch (cause) {
    if (HoldfastError.is(cause)) throw cause
    throw new HoldfastError(
      { code: 'INPUT_UNREADABLE', path: name, reason: reasonOf(cause) },
      { cause },
    )
  }
}

const readAtMost = async (descriptor: number, name: string): Promise<string> => {
  const stream = createReadStream('', { fd: descriptor, autoClose: false })
  const parts: Buffer[] = []
  let size = 0
  for await (const part of stream) {
    const chunk = Buffer.from(part)
    size += chunk.length
    if (size > FILE_BYTES_MAX) {
      const reason = `is larger than ${FILE_BYTES_MAX} bytes`
      throw new HoldfastError({ code: 'INPUT_UNREADABLE', path: name, reason })
    }
    parts.push(chunk)
  }
  return Buffer.concat(parts).toString('utf8')
}

/**
 * A passphrase from a file, or from an open descriptor given as a number: everything up to one
 * final line break.
 * @throws HoldfastError `INPUT_UNREADABLE`, also when it is empty.
 */
export const readPassphrase = async (source: string | number): Promise<string> => {
  const text = (await readSmall(source)).replace(/\r?\n$/, '')
  if (text === '') {
    const path = typeof source === 'number' ? `descriptor ${source}` : source
    throw new HoldfastError({ code: 'INPUT_UNREADABLE', path, reason: 'the passphrase is empty' })
  }
  return text
}

const readJson = async (path: string): Promise<unknown> => {
  const text = await readSmall(path)
  try {
    return JSON.parse(text)
  } catch (cause) {
    const reason = 'the file is not JSON'
    throw new HoldfastError({ code: 'KEYSTORE_INVALID', path, reason }, { cause })
  }
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  )

/**
 * Writes a new keystore (mode 0600) and returns its signer.
 * @throws HoldfastError `KEYSTORE_INVALID` when the file is already there: a key is never lost to
 *   an overwrite.
 */
export const createKeystore = async (
  parameters: CreateKeystoreParameters,
  options: CreateKeystoreOptions = {},
): Promise<Signer> => {
  const { path, passphrase } = parameters
  const { random = systemRandom, cost } = options
  if (await exists(path)) {
    const reason = 'the file is already there; it is never overwritten'
    throw new HoldfastError({ code: 'KEYSTORE_INVALID', path, reason })
  }
  const privateKey = parameters.privateKey ?? randomPrivateKey(random)
  const keystore = await encryptKey(privateKey, passphrase, {
    random,
    ...(cost === undefined ? {} : { cost }),
  })
  await writeFileAtomically(path, `${JSON.stringify(keystore, undefined, 2)}\n`, {
    mode: 0o600,
    isNew: true,
  })
  return signerFromPrivateKey(privateKey)
}

/**
 * Opens a keystore file.
 * @throws HoldfastError `INPUT_UNREADABLE`, `KEYSTORE_INVALID`, `PASSPHRASE_WRONG`.
 */
export const openKeystore = async (path: string, passphrase: string): Promise<Signer> => {
  const json = await readJson(path)
  const signer = signerFromPrivateKey(await decryptKey(json, passphrase, path))
  const claimed = asRecord(json)?.['address']
  if (typeof claimed === 'string' && addressIn(claimed, path) !== signer.address) {
    const reason = `its address ${claimed} is not that of its key, ${signer.address}`
    throw new HoldfastError({ code: 'KEYSTORE_INVALID', path, reason })
  }
  return signer
}

const addressIn = (text: string, path: string): Address => {
  try {
    return address(text.startsWith('0x') ? text : `0x${text}`)
  } catch (cause) {
    const reason = 'its address is malformed'
    throw new HoldfastError({ code: 'KEYSTORE_INVALID', path, reason }, { cause })
  }
}

/**
 * The account a keystore says it holds, without its passphrase.
 * @throws HoldfastError `INPUT_UNREADABLE`, `KEYSTORE_INVALID`.
 */
export const keystoreAddress = async (path: string): Promise<Address> => {
  const claimed = asRecord(await readJson(path))?.['address']
  if (typeof claimed !== 'string') {
    const reason = 'it names no address'
    throw new HoldfastError({ code: 'KEYSTORE_INVALID', path, reason })
  }
  return addressIn(claimed, path)
}
