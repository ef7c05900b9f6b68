/**
 * Real TLS servers on loopback that stand for a provider, and a peer connected to them. Everything is
 * closed after each test.
 */
import { X509Certificate } from 'node:crypto'
import type { RequestListener } from 'node:http'
import { createServer, type Server as HttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { Server, ServerCredentials, type ServiceError } from '@grpc/grpc-js'
import { type ProviderRecord, systemClock } from '@holdfast/chain'
import {
  address,
  amount,
  bytes,
  type DescribeResponse,
  HoldfastError,
  PROVIDER_SERVICE_NAME,
  providerService,
  root,
} from '@holdfast/protocol'
import { afterEach, expect } from '@jest/globals'
import { networkConnector } from '../../src/transfer/network-peer.ts'
import { publicKeyHash } from '../../src/transfer/pinned-tls.ts'
import type { ConnectPeer, ProviderPeer } from '../../src/transfer/provider-peer.ts'
import { FIRST, type Identity } from './identities.ts'

export const PROVIDER = address(`0x${'11'.repeat(20)}`)
export const ROOT = root(`0x${'22'.repeat(32)}`)
export const SESSION = { session: 'a'.repeat(64), token: 'token' }

export const closers: (() => Promise<void> | void)[] = []

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

export const serveHttps = async (identity: Identity, handle: RequestListener): Promise<string> => {
  const server: HttpsServer = createServer(
    { key: identity.key, cert: identity.certificate },
    handle,
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closers.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}`
}

type Answer = () => DescribeResponse | Promise<never>

/** A gRPC server that knows one call: Describe. */
export const serveGrpc = async (identity: Identity, answer: Answer, at = 0): Promise<string> => {
  const server = new Server()
  const { describe } = providerService
  server.addService(
    {
      describe: {
        path: describe.path,
        requestStream: false,
        responseStream: false,
        requestSerialize: (value: unknown) => value as Buffer,
        requestDeserialize: (data: Buffer) => data,
        responseSerialize: (value: DescribeResponse) =>
          Buffer.from(describe.response.encode(value)),
        responseDeserialize: (data: Buffer) => data,
      },
    },
    {
      describe: (
        _call: unknown,
        done: (error: Partial<ServiceError> | null, value?: unknown) => void,
      ) => {
        Promise.resolve()
          .then(answer)
          .then(
            (value) => done(null, value),
            (error: unknown) => done(error as Partial<ServiceError>),
          )
      },
    },
  )
  expect(describe.path).toContain(PROVIDER_SERVICE_NAME)
  const tls = ServerCredentials.createSsl(null, [
    { private_key: Buffer.from(identity.key), cert_chain: Buffer.from(identity.certificate) },
  ])
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${at}`, tls, (error, bound) =>
      error ? reject(error) : resolve(bound),
    )
  })
  closers.push(() => server.forceShutdown())
  return `127.0.0.1:${port}`
}

export const described = (httpEndpoint: string): DescribeResponse => ({
  provider: PROVIDER,
  operator: PROVIDER,
  chainId: 1n,
  market: PROVIDER,
  software: 'test',
  httpEndpoint,
  region: '',
  token: PROVIDER,
  pricePerTibMonth: amount(1),
  provingFeeMonth: amount(1),
  egressPerTib: amount(0),
  freeBytes: bytes(1),
  payloadBytesMax: bytes(1),
  partBytesMax: bytes(1),
})

export const recordOf = (identity: Identity, endpoint: string): ProviderRecord => ({
  ...described(''),
  provider: PROVIDER,
  tlsKeyHash: publicKeyHash(new X509Certificate(identity.certificate)),
  endpoint,
  stake: amount(0),
  accepting: true,
})

export const connect: ConnectPeer = networkConnector(systemClock)

/** A peer whose HTTPS side is `handle`. */
export const peerWith = async (
  handle: RequestListener,
  https: Identity = FIRST,
): Promise<ProviderPeer> => {
  const base = await serveHttps(https, handle)
  const endpoint = await serveGrpc(FIRST, () => described(base))
  const peer = await connect(recordOf(FIRST, endpoint))
  closers.push(() => peer.close())
  return peer
}

export const codeOf = async (promise: Promise<unknown>): Promise<string> => {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  return HoldfastError.is(error) ? error.code : String(error)
}
