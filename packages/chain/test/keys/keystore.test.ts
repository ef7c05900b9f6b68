/**
 * Keystores: the vectors published with the Web3 Secret Storage definition open, ours open again,
 * and what is malformed, damaged or absurd in cost is refused.
 */
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fromHex, hash32, recoverSigner, toHex } from '@holdfast/protocol'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { decryptKey, encryptKey, LIGHT_COST, STANDARD_COST } from '../../src/keys/keystore.ts'
import {
  createKeystore,
  keystoreAddress,
  openKeystore,
  readPassphrase,
} from '../../src/keys/keystore-file.ts'
import { randomPrivateKey, signerFromPrivateKey } from '../../src/keys/signer.ts'
import { systemRandom } from '../../src/system-adapters.ts'
import { codeOf } from '../support/scenario.ts'

/** Web3 Secret Storage definition, test vectors: key and passphrase of both. */
const SECRET = '0x7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d'
const PASSPHRASE = 'testpassword'
const SCRYPT_VECTOR = {
  crypto: {
    cipher: 'aes-128-ctr',
    cipherparams: { iv: '83dbcc02d8ccb40e466191a123791e0e' },
    ciphertext: 'd172bf743a674da9cdad04534d56926ef8358534d458fffccd4e6ad2fbde479c',
    kdf: 'scrypt',
    kdfparams: {
      dklen: 32,
      n: 262144,
      p: 8,
      r: 1,
      salt: 'ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19',
    },
    mac: '2103ac29920d71da29f15d75b4a16dbe95cfd7ff8faea1056c33131d846e3097',
  },
  id: '3198bc9c-6672-5ab3-d995-4942343ae5b6',
  version: 3,
}
const PBKDF2_VECTOR = {
  crypto: {
    cipher: 'aes-128-ctr',
    cipherparams: { iv: '6087dab2f9fdbbfaddc31a909735c1e6' },
    ciphertext: '5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46',
    kdf: 'pbkdf2',
    kdfparams: {
      c: 262144,
      dklen: 32,
      prf: 'hmac-sha256',
      salt: 'ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd',
    },
    mac: '517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2',
  },
  id: '3198bc9c-6672-5ab3-d995-4942343ae5b6',
  version: 3,
}

/** A keystore with one field of its crypto part changed. */
const changed = (part: object, kdf: object = {}): unknown => ({
  ...SCRYPT_VECTOR,
  crypto: {
    ...SCRYPT_VECTOR.crypto,
    ...part,
    kdfparams: { ...SCRYPT_VECTOR.crypto.kdfparams, ...kdf },
  },
})

describe('published vectors', () => {
  test.each([
    ['scrypt', SCRYPT_VECTOR],
    ['pbkdf2', PBKDF2_VECTOR],
  ])('opens the one with %s', async (_name, vector) => {
    expect(toHex(await decryptKey(vector, PASSPHRASE, 'vector'))).toBe(SECRET)
  })

  test('refuses a wrong passphrase and a changed byte', async () => {
    expect(await codeOf(decryptKey(PBKDF2_VECTOR, 'testpasswort', 'f'))).toBe('PASSPHRASE_WRONG')
    const damaged = structuredClone(PBKDF2_VECTOR)
    damaged.crypto.ciphertext = `00${damaged.crypto.ciphertext.slice(2)}`
    expect(await codeOf(decryptKey(damaged, PASSPHRASE, 'f'))).toBe('PASSPHRASE_WRONG')
  })

  test.each([
    ['not an object', 7],
    ['another version', { ...SCRYPT_VECTOR, version: 4 }],
    ['another cipher', changed({ cipher: 'aes-256-gcm' })],
    ['another function', changed({ kdf: 'argon2' })],
    ['a short iv', changed({ cipherparams: { iv: '00' } })],
    ['a long ciphertext', changed({ ciphertext: '00'.repeat(64) })],
    ['16 GiB of memory', changed({}, { n: 2 ** 24, r: 8 })],
    ['64 rounds of 256 MiB', changed({}, { n: 2 ** 18, r: 8, p: 64 })],
    ['no power of two', changed({}, { n: 1000 })],
    ['another key length', changed({}, { dklen: 64 })],
    ['a negative cost', changed({}, { n: -2 })],
    ['salt that is no hex', changed({}, { salt: 'zz' })],
  ])('refuses %s at once', async (_name, json) => {
    expect(await codeOf(decryptKey(json, PASSPHRASE, 'f'))).toBe('KEYSTORE_INVALID')
  })
})

describe('our own keystores', () => {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'holdfast-keys-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  test('open again, with the standard cost and any text as passphrase', async () => {
    const key = randomPrivateKey(systemRandom)
    const passphrase = 'pässwörd 🔑 with spaces'
    const keystore = await encryptKey(key, passphrase, { random: systemRandom })
    expect(keystore.crypto.kdfparams).toMatchObject(STANDARD_COST)
    expect(await decryptKey(JSON.parse(JSON.stringify(keystore)), passphrase, 'f')).toEqual(key)
  })

  test('are private files that are never overwritten', async () => {
    const path = join(folder, 'a.json')
    const signer = await createKeystore({ path, passphrase: 'x' }, { cost: LIGHT_COST })
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect(await keystoreAddress(path)).toBe(signer.address)
    expect((await openKeystore(path, 'x')).address).toBe(signer.address)
    expect(await codeOf(openKeystore(path, 'y'))).toBe('PASSPHRASE_WRONG')
    const before = await readFile(path, 'utf8')
    expect(await codeOf(createKeystore({ path, passphrase: 'x' }))).toBe('KEYSTORE_INVALID')
    expect(await readFile(path, 'utf8')).toBe(before)
  })

  test('are refused when their address is not that of their key', async () => {
    const path = join(folder, 'b.json')
    await createKeystore({ path, passphrase: 'x' }, { cost: LIGHT_COST })
    const json = JSON.parse(await readFile(path, 'utf8')) as object
    await writeFile(path, JSON.stringify({ ...json, address: '11'.repeat(20) }))
    expect(await codeOf(openKeystore(path, 'x'))).toBe('KEYSTORE_INVALID')
    await writeFile(path, 'not json')
    expect(await codeOf(openKeystore(path, 'x'))).toBe('KEYSTORE_INVALID')
    expect(await codeOf(openKeystore(join(folder, 'none.json'), 'x'))).toBe('INPUT_UNREADABLE')
  })

  test('take passphrases from files, without the final line break', async () => {
    const path = join(folder, 'pass')
    for (const [text, expected] of [
      ['secret', 'secret'],
      ['secret\n', 'secret'],
      ['secret\r\n', 'secret'],
      [' two\nlines \n', ' two\nlines '],
    ] as const) {
      await writeFile(path, text)
      expect(await readPassphrase(path)).toBe(expected)
    }
    await writeFile(path, '\n')
    expect(await codeOf(readPassphrase(path))).toBe('INPUT_UNREADABLE')
    await writeFile(path, 'x'.repeat(70_000))
    expect(await codeOf(readPassphrase(path))).toBe('INPUT_UNREADABLE')
  })
})

describe('signers', () => {
  test('sign so that the account is recovered, deterministically', async () => {
    const signer = signerFromPrivateKey(fromHex(SECRET))
    const digest = hash32(`0x${'5a'.repeat(32)}`)
    const signed = await signer.sign(digest)
    expect(recoverSigner(digest, signed)).toBe(signer.address)
    expect(await signer.sign(digest)).toBe(signed)
    // The address of the vectors' key.
    expect(signer.address).toBe('0x008aeeda4d805471df9b2a5b0f38a0c3bcba786b')
  })

  test('refuse what is no key and never show the one they hold', () => {
    for (const wrong of [
      new Uint8Array(32),
      new Uint8Array(31).fill(1),
      new Uint8Array(32).fill(255),
    ]) {
      expect(() => signerFromPrivateKey(wrong)).toThrow('private key')
    }
    const signer = signerFromPrivateKey(fromHex(SECRET))
    expect(JSON.stringify(signer)).not.toContain(SECRET.slice(4, 20))
    expect(Object.values(signer).some((value) => value instanceof Uint8Array)).toBe(false)
  })
})
