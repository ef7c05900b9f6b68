/**
 * Web3 Secret Storage, version 3: a private key under a passphrase. Written with scrypt and
 * aes-128-ctr; read with scrypt or pbkdf2 (both are in the published vectors). The cost figures of
 * a file are checked before they cost memory or time. Not here: files (keystore-file.ts).
 */
import { createCipheriv, createDecipheriv, pbkdf2, scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { HoldfastError, type Random } from '@holdfast/protocol'
import { scryptAsync } from '@noble/hashes/scrypt.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { asRecord, type Fields, fieldsOf } from '../json.ts'
import { signerFromPrivateKey } from './signer.ts'

/** scrypt may use this many bytes (128·N·r); the usual N = 2^18, r = 8 takes 256 MiB. */
const SCRYPT_BYTES_MAX = 512 * 1024 * 1024
/** 128·N·r·p, the whole work: eight times the memory above. */
const SCRYPT_WORK_MAX = 8 * SCRYPT_BYTES_MAX
const PBKDF2_ROUNDS_MAX = 10_000_000

export interface ScryptCost {
  readonly n: number
  readonly r: number
  readonly p: number
}

/** 256 MiB and most of a second: for keys that hold value. */
export const STANDARD_COST: ScryptCost = { n: 262_144, r: 8, p: 1 }
/** 1 MiB and milliseconds: for devnet and test keys, whose passphrase lies beside them. */
export const LIGHT_COST: ScryptCost = { n: 1024, r: 8, p: 1 }

export interface KeystoreV3 {
  readonly version: 3
  readonly id: string
  readonly address: string
  readonly crypto: {
    readonly cipher: 'aes-128-ctr'
    readonly cipherparams: { readonly iv: string }
    readonly ciphertext: string
    readonly kdf: 'scrypt'
    readonly kdfparams: {
      readonly dklen: 32
      readonly n: number
      readonly r: number
      readonly p: number
      readonly salt: string
    }
    readonly mac: string
  }
}

const hex = (data: Uint8Array): string => Buffer.from(data).toString('hex')

/**
 * RFC 7914 wants N < 2^(16·r), and OpenSSL insists; the published vector (N = 2^18, r = 1) and some
 * writers do not care. Those few are computed in JavaScript.
 */
const isBeyondOpenSsl = ({ n, r }: ScryptCost): boolean => 16 * r < 32 && n >= 2 ** (16 * r)

const deriveScrypt = async (
  passphrase: string,
  salt: Uint8Array,
  cost: ScryptCost,
): Promise<Uint8Array> => {
  const secret = Buffer.from(passphrase, 'utf8')
  const { n: N, r, p } = cost
  const maxmem = SCRYPT_BYTES_MAX * 2
  if (isBeyondOpenSsl(cost)) return scryptAsync(secret, salt, { N, r, p, dkLen: 32, maxmem })
  return new Promise((resolve, reject) => {
    scrypt(secret, salt, 32, { N, r, p, maxmem }, (error, key) =>
      error === null ? resolve(key) : reject(error),
    )
  })
}

const macOf = (derived: Uint8Array, ciphertext: Uint8Array): Uint8Array =>
  keccak_256.create().update(derived.subarray(16, 32)).update(ciphertext).digest()

const uuid = (random: Random): string => {
  const data = random.bytes(16)
  data[6] = ((data[6] ?? 0) & 0x0f) | 0x40
  data[8] = ((data[8] ?? 0) & 0x3f) | 0x80
  const text = hex(data)
  const cuts = [0, 8, 12, 16, 20, 32]
  return cuts
    .slice(1)
    .map((end, i) => text.slice(cuts[i], end))
    .join('-')
}

export interface EncryptOptions {
  readonly random: Random
  /** `STANDARD_COST` unless given. */
  readonly cost?: ScryptCost
}

/** Seals a private key. The result holds no secret that the passphrase does not open. */
export const encryptKey = async (
  privateKey: Uint8Array,
  passphrase: string,
  options: EncryptOptions,
): Promise<KeystoreV3> => {
  const { random, cost = STANDARD_COST } = options
  const signer = signerFromPrivateKey(privateKey)
  const salt = random.bytes(32)
  const iv = random.bytes(16)
  const derived = await deriveScrypt(passphrase, salt, cost)
  const cipher = createCipheriv('aes-128-ctr', derived.subarray(0, 16), iv)
  const ciphertext = Buffer.concat([cipher.update(privateKey), cipher.final()])
  return {
    version: 3,
    id: uuid(random),
    address: signer.address.slice(2),
    crypto: {
      cipher: 'aes-128-ctr',
      cipherparams: { iv: hex(iv) },
      ciphertext: hex(ciphertext),
      kdf: 'scrypt',
      kdfparams: { dklen: 32, ...cost, salt: hex(salt) },
      mac: hex(macOf(derived, ciphertext)),
    },
  }
}

const deriveFrom = async (crypto: Fields, passphrase: string): Promise<Uint8Array> => {
  const kdf = crypto.text('kdf')
  const parameters = crypto.fields('kdfparams')
  const salt = parameters.hex('salt', { max: 1024 })
  if (parameters.integer('dklen', { min: 32, max: 32 }) !== 32) throw new Error('unreachable')
  if (kdf === 'scrypt') {
    const n = parameters.integer('n', { min: 2, max: 2 ** 30 })
    const r = parameters.integer('r', { min: 1, max: 1024 })
    const p = parameters.integer('p', { min: 1, max: 1024 })
    if ((n & (n - 1)) !== 0) throw parameters.refuse('n', 'is not a power of two')
    if (128 * n * r > SCRYPT_BYTES_MAX || 128 * n * r * p > SCRYPT_WORK_MAX) {
      throw parameters.refuse('n', `asks for more than ${SCRYPT_BYTES_MAX} bytes of memory`)
    }
    return deriveScrypt(passphrase, salt, { n, r, p })
  }
  if (kdf === 'pbkdf2') {
    const rounds = parameters.integer('c', { min: 1, max: PBKDF2_ROUNDS_MAX })
    if (parameters.text('prf') !== 'hmac-sha256') throw parameters.refuse('prf', 'is not known')
    return promisify(pbkdf2)(Buffer.from(passphrase, 'utf8'), salt, rounds, 32, 'sha256')
  }
  throw crypto.refuse('kdf', 'is neither scrypt nor pbkdf2')
}

/**
 * Opens a keystore of version 3. `path` is for error messages only.
 * @throws HoldfastError `KEYSTORE_INVALID` when it is malformed or asks for absurd cost,
 *   `PASSPHRASE_WRONG` when the passphrase does not open it.
 */
export const decryptKey = async (
  json: unknown,
  passphrase: string,
  path: string,
): Promise<Uint8Array> => {
  const refuse = (reason: string): HoldfastError =>
    new HoldfastError({ code: 'KEYSTORE_INVALID', path, reason })
  // Some writers capitalise the key.
  const record = asRecord(json)
  const file = fieldsOf({ ...record, crypto: record?.['crypto'] ?? record?.['Crypto'] }, refuse)
  file.integer('version', { min: 3, max: 3 })
  const crypto = file.fields('crypto')
  if (crypto.text('cipher') !== 'aes-128-ctr') throw crypto.refuse('cipher', 'is not aes-128-ctr')
  const iv = crypto.fields('cipherparams').hex('iv', { min: 16, max: 16 })
  const ciphertext = crypto.hex('ciphertext', { min: 32, max: 32 })
  const mac = crypto.hex('mac', { min: 32, max: 32 })
  const derived = await deriveFrom(crypto, passphrase)
  if (!timingSafeEqual(macOf(derived, ciphertext), mac)) {
    throw new HoldfastError({ code: 'PASSPHRASE_WRONG', path })
  }
  const decipher = createDecipheriv('aes-128-ctr', derived.subarray(0, 16), iv)
  return new Uint8Array(Buffer.concat([decipher.update(ciphertext), decipher.final()]))
}
