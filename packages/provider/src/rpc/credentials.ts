/**
 * TLS and HTTP/2 of the gRPC listener: the certificate in use, exchanged while connections stay, and
 * everything below a call that bounds what a peer can make this server hold.
 */
import { ServerCredentials } from '@grpc/grpc-js'
import type { TlsIdentity } from '../tls.ts'

const HANDSHAKE_MS = 10_000

/** Streams of one connection. */
export const STREAMS_MAX = 64

/**
 * Options of `http2.createSecureServer`, to which grpc-js passes what credentials say. Streams are
 * bounded here once more because these settings replace those of the library.
 */
const SERVER_OPTIONS = {
  minVersion: 'TLSv1.3',
  handshakeTimeout: HANDSHAKE_MS,
  unknownProtocolTimeout: HANDSHAKE_MS,
  maxHeaderListPairs: 64,
  maxOutstandingPings: 4,
  maxOutstandingSettings: 4,
  maxSessionInvalidFrames: 32,
  maxSessionRejectedStreams: 32,
  settings: {
    maxConcurrentStreams: STREAMS_MAX,
    maxHeaderListSize: 16_384,
    enablePush: false,
  },
} as const

export class ListenerCredentials extends ServerCredentials {
  constructor({ keyPem: key, certPem: cert }: TlsIdentity) {
    super({ ...SERVER_OPTIONS }, { key, cert })
  }

  /** New connections see this certificate. */
  update({ keyPem: key, certPem: cert }: TlsIdentity): void {
    this.updateSecureContextOptions({ key, cert })
  }

  override _equals(other: ServerCredentials): boolean {
    return this === other
  }
}
