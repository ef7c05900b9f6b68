/**
 * TLS by pinned key: a provider's certificate is self-signed, and what counts is that the hash of its
 * public key is the one in the registry. The certificate is fetched once, checked, and from then on
 * is the only authority that gRPC and HTTPS accept; the hash is checked again on each connection.
 */
import { createHash, X509Certificate } from 'node:crypto'
import { connect, type DetailedPeerCertificate, type PeerCertificate } from 'node:tls'
import { type Hash32, HoldfastError, hash32, toHex } from '@holdfast/protocol'

/** `host:port`, host possibly in brackets. @throws HoldfastError `CONFIG_INVALID`. */
export const parseEndpoint = (
  endpoint: string,
): { readonly host: string; readonly port: number } => {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(endpoint)
  const host = match?.[1] ?? match?.[2]
  const port = Number(match?.[3])
  if (host === undefined || !(port >= 1 && port <= 65_535)) {
    const reason = `"${endpoint}" is not host:port`
    throw new HoldfastError({ code: 'CONFIG_INVALID', path: 'endpoint', reason })
  }
  return { host, port }
}

/** SHA-256 of the DER form of a certificate's SubjectPublicKeyInfo. */
export const publicKeyHash = (certificate: X509Certificate): Hash32 => {
  const spki = certificate.publicKey.export({ type: 'spki', format: 'der' })
  return hash32(toHex(createHash('sha256').update(spki).digest()))
}

export interface PinnedCertificate {
  readonly pem: string
  readonly keyHash: Hash32
  /** For TLS options: refuses any other key, accepts any host name. */
  readonly checkServerIdentity: (
    host: string,
    certificate: PeerCertificate | DetailedPeerCertificate,
  ) => Error | undefined
}

export interface PinOptions {
  readonly timeoutMs: number
  readonly signal?: AbortSignal
}

/**
 * Connects once and checks the key.
 * @throws HoldfastError `TLS_KEY_MISMATCH`, `PEER_UNREACHABLE`, `TIMED_OUT`, `ABORTED`.
 */
export const pinCertificate = (
  endpoint: string,
  expected: Hash32,
  { timeoutMs, signal }: PinOptions,
): Promise<PinnedCertificate> =>
  new Promise((resolve, reject) => {
    const { host, port } = parseEndpoint(endpoint)
    const socket = connect({ host, port, rejectUnauthorized: false, timeout: timeoutMs })
    const abort = (): void => fail(new HoldfastError({ code: 'ABORTED' }))
    const fail = (error: HoldfastError): void => {
      signal?.removeEventListener('abort', abort)
      socket.destroy()
      reject(error)
    }
    if (signal?.aborted === true) abort()
    signal?.addEventListener('abort', abort, { once: true })
    socket.once('timeout', () =>
      fail(
        new HoldfastError({ code: 'TIMED_OUT', what: `TLS with ${endpoint}`, afterMs: timeoutMs }),
      ),
    )
    socket.once('error', (cause) => fail(unreachable(endpoint, cause)))
    socket.once('secureConnect', () => {
      const certificate = socket.getPeerX509Certificate()
      if (certificate === undefined) return fail(unreachable(endpoint, new Error('no certificate')))
      const actual = publicKeyHash(certificate)
      if (actual !== expected) {
        return fail(new HoldfastError({ code: 'TLS_KEY_MISMATCH', expected, actual }))
      }
      signal?.removeEventListener('abort', abort)
      socket.destroy()
      return resolve({
        pem: certificate.toString(),
        keyHash: expected,
        checkServerIdentity: (_host, peer) => checkPeer(expected, peer),
      })
    })
  })

const checkPeer = (
  expected: Hash32,
  peer: PeerCertificate | DetailedPeerCertificate,
): Error | undefined => {
  const actual =
    peer.raw === undefined ? 'no certificate' : publicKeyHash(new X509Certificate(peer.raw))
  if (actual === expected) return undefined
  return new HoldfastError({ code: 'TLS_KEY_MISMATCH', expected, actual })
}

const unreachable = (peer: string, cause: Error): HoldfastError =>
  new HoldfastError({ code: 'PEER_UNREACHABLE', peer, reason: cause.message }, { cause })
