/**
 * The provider's TLS identity: a self-signed certificate made once, whose public key is registered
 * on the ledger. Clients trust that key and nothing else, so names and dates do not matter, but are
 * filled in sensibly.
 */
import { createHash, createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { join } from 'node:path'
import { type Hash32, HoldfastError, hash32, toHex } from '@holdfast/protocol'
import { generate } from 'selfsigned'
import { writeDurably } from './store/volume-files.ts'

export interface TlsIdentity {
  readonly keyPem: string
  readonly certPem: string
  /** SHA-256 of the certificate's SubjectPublicKeyInfo. */
  readonly keyHash: Hash32
}

/** Ten years: the key is what is trusted, and it is replaced through the registry. */
const LIFETIME_MS = 3650 * 86_400_000

const paths = (directory: string): { readonly key: string; readonly cert: string } => ({
  key: join(directory, 'key.pem'),
  cert: join(directory, 'cert.pem'),
})

/** Makes a P-256 key and certificate in `directory`, readable by its owner only. */
export const createTlsIdentity = async (
  directory: string,
  host: string,
  now: Date,
): Promise<TlsIdentity> => {
  const made = await generate(SUBJECT, certificateOptions(host, now))
  await writeDurably(paths(directory).key, made.private)
  await writeDurably(paths(directory).cert, made.cert)
  return identity(directory, made.private, made.cert)
}

/** Puts a new certificate for the key that is in `directory` beside it. */
export const renewTlsCertificate = async (
  directory: string,
  host: string,
  now: Date,
): Promise<TlsIdentity> => {
  const { keyPem } = await readTlsIdentity(directory)
  const publicKey = createPublicKey(keyPem).export({ type: 'spki', format: 'pem' }).toString()
  const keyPair = { privateKey: keyPem, publicKey }
  const made = await generate(SUBJECT, { ...certificateOptions(host, now), keyPair })
  await writeDurably(paths(directory).cert, made.cert)
  return identity(directory, keyPem, made.cert)
}

const SUBJECT: Parameters<typeof generate>[0] = [{ name: 'commonName', value: 'holdfast provider' }]

const certificateOptions = (
  host: string,
  now: Date,
): NonNullable<Parameters<typeof generate>[1]> => {
  const names = new Set([host, 'localhost', '127.0.0.1', '::1'])
  const altNames = [...names].map((name) =>
    isIP(name) === 0 ? ({ type: 2, value: name } as const) : ({ type: 7, ip: name } as const),
  )
  return {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    notBeforeDate: now,
    notAfterDate: new Date(now.getTime() + LIFETIME_MS),
    extensions: [
      { name: 'basicConstraints', cA: false },
      { name: 'keyUsage', digitalSignature: true },
      { name: 'extKeyUsage', serverAuth: true },
      { name: 'subjectAltName', altNames },
    ],
  }
}

/** @throws HoldfastError `INPUT_UNREADABLE`, `CONFIG_INVALID` when key and certificate do not match. */
export const readTlsIdentity = async (directory: string): Promise<TlsIdentity> => {
  const { key, cert } = paths(directory)
  return identity(directory, await readText(key), await readText(cert))
}

const readText = (path: string): Promise<string> =>
  readFile(path, 'utf8').catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new HoldfastError({ code: 'INPUT_UNREADABLE', path, reason }, { cause })
  })

const identity = (directory: string, keyPem: string, certPem: string): TlsIdentity => {
  try {
    const certificate = new X509Certificate(certPem)
    if (!certificate.checkPrivateKey(createPrivateKey(keyPem))) {
      throw new Error('the certificate is for another key')
    }
    const spki = certificate.publicKey.export({ type: 'spki', format: 'der' })
    const keyHash = hash32(toHex(createHash('sha256').update(spki).digest()))
    return { keyPem, certPem, keyHash }
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new HoldfastError({ code: 'CONFIG_INVALID', path: directory, reason }, { cause })
  }
}
