/**
 * Connections of an attacker: from another loopback address than honest clients have, opened again when
 * they are cut, for as long as an attack lasts.
 */
import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'

/** Where an attack goes, and until when. */
export interface Target {
  readonly grpcPort: number
  readonly httpPort: number
  readonly until: AbortSignal
  /** A loopback address that is the attacker's own; honest clients come from 127.0.0.1. */
  readonly from: string
  /** Called with every connection that was made. */
  readonly onConnected?: () => void
}

const HOST = '127.0.0.1'

export const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, ms))

/** Resolves with an open socket; rejects when it is cut before that. */
const opened = (socket: Socket, event: string): Promise<Socket> =>
  new Promise((resolve, reject) => {
    socket.once(event, () => resolve(socket))
    socket.once('close', () => reject(new Error('cut')))
    socket.on('error', () => undefined)
  })

export const openTcp = ({ from: localAddress }: Target, port: number): Promise<Socket> =>
  opened(connectTcp({ port, host: HOST, localAddress }), 'connect')

/** HTTP/2 to the gRPC listener, HTTP/1.1 to the other. */
export const openTls = (target: Target, protocol: 'h2' | 'http/1.1'): Promise<Socket> => {
  const port = protocol === 'h2' ? target.grpcPort : target.httpPort
  const place = { port, host: HOST, localAddress: target.from }
  const options = { ...place, ALPNProtocols: [protocol], rejectUnauthorized: false }
  return opened(connectTls(options), 'secureConnect')
}

/** Resolves when the connection is gone, also when it was gone before. */
export const whenClosed = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    if (socket.closed) return resolve()
    socket.once('close', () => resolve())
  })

/** Writes as fast as the peer takes it; false when the connection is gone. */
export const push = (socket: Socket, data: Uint8Array | string): Promise<boolean> =>
  new Promise((resolve) => {
    if (socket.destroyed) return resolve(false)
    const done = (isAlive: boolean): void => {
      socket.off('close', gone)
      resolve(isAlive)
    }
    const gone = (): void => done(false)
    socket.once('close', gone)
    socket.write(data, (error) => done(!error))
  })

/** Does something with one connection after the other until time is up. Returns how many it took. */
export const again = async (
  { until, onConnected }: Target,
  open: () => Promise<Socket>,
  use: (socket: Socket) => Promise<unknown>,
): Promise<number> => {
  let connections = 0
  while (!until.aborted) {
    const socket = await open().catch(() => undefined)
    if (socket === undefined) {
      await pause(20)
      continue
    }
    connections++
    onConnected?.()
    const cut = (): void => void socket.destroy()
    until.addEventListener('abort', cut, { once: true })
    // Time may have been up while the connection was made.
    if (until.aborted) cut()
    await use(socket).catch(() => undefined)
    until.removeEventListener('abort', cut)
    socket.destroy()
  }
  return connections
}

/** The same from several connections at once. */
export const many = async (count: number, run: () => Promise<number>): Promise<number> => {
  const all = await Promise.all(Array.from({ length: count }, run))
  return all.reduce((sum, one) => sum + one, 0)
}
