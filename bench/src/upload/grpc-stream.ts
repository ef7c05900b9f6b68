/**
 * The peer of the upload suite: bytes as a client stream of grpc-js, with the library's own window or a
 * wide one. Widening the server needs two members that the library keeps for itself; see
 * docs/adr/0041-upload-path.md.
 */
import { Client, credentials, type MethodDefinition, type Server } from '@grpc/grpc-js'

const same = (value: Buffer): Buffer => value

/** One stream of byte messages; the answer is their count as text. */
export const SINK_METHOD: MethodDefinition<Buffer, Buffer> = {
  path: '/bench.Sink/Upload',
  requestStream: true,
  responseStream: false,
  requestSerialize: same,
  requestDeserialize: same,
  responseSerialize: same,
  responseDeserialize: same,
}

interface Http2Session {
  setLocalWindowSize(size: number): void
  settings(settings: { readonly initialWindowSize: number }): void
}

interface ServerInternals {
  _channelzSessionHandler?: (http2Server: unknown) => (session: Http2Session) => void
  _sessionHandler?: (http2Server: unknown) => (session: Http2Session) => void
}

/** Makes every session of the server announce a window of `size` bytes. */
export const widenServer = (server: Server, size: number): void => {
  const internals = server as unknown as ServerInternals
  for (const name of ['_channelzSessionHandler', '_sessionHandler'] as const) {
    const make = internals[name]?.bind(server)
    if (make === undefined) continue
    internals[name] = (http2Server) => {
      const handle = make(http2Server)
      return (session) => {
        session.settings({ initialWindowSize: size })
        session.setLocalWindowSize(size)
        handle(session)
      }
    }
  }
}

export interface GrpcTarget {
  readonly port: number
  readonly certPem: string
}

export class GrpcUploader {
  readonly #client: Client

  constructor({ port, certPem }: GrpcTarget, window: number) {
    const trust = credentials.createSsl(Buffer.from(certPem), null, null, {
      checkServerIdentity: () => undefined,
    })
    this.#client = new Client(`127.0.0.1:${port}`, trust, {
      'grpc.ssl_target_name_override': 'localhost',
      ...(window === 0 ? {} : { 'grpc-node.flow_control_window': window }),
    })
  }

  /** Sends all bytes in messages of `messageBytes`, waiting whenever the stream says so. */
  upload(payload: Buffer, messageBytes: number): Promise<number> {
    return new Promise((resolve, reject) => {
      const call = this.#client.makeClientStreamRequest(
        SINK_METHOD.path,
        same,
        same,
        (error, answer) => (error === null ? resolve(Number(answer)) : reject(error)),
      )
      let at = 0
      const send = (): void => {
        while (at < payload.length) {
          const message = payload.subarray(at, at + messageBytes)
          at += messageBytes
          if (!call.write(message)) return void call.once('drain', send)
        }
        call.end()
      }
      send()
    })
  }

  close(): void {
    this.#client.close()
  }
}
