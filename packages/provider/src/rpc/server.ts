/**
 * The gRPC face over TLS 1.3: the protocol's service table bound to `ProviderService`, with health
 * and reflection beside it. Every message is decoded and checked by the protocol's codecs before a
 * handler sees it; every failure leaves as one of our errors, in the trailer and as a status.
 *
 * Invariants: connections are counted and watched before TLS; message size, header size, streams per
 * connection, connection life and the pace of calls are bounded; no handler runs after `close` has begun.
 */
import { setMaxListeners } from 'node:events'
import { type AddressInfo, createServer, type Server as TcpServer } from 'node:net'
import {
  Server,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
  type ServiceError,
  type sendUnaryData,
  type UntypedHandleCall,
} from '@grpc/grpc-js'
import { ReflectionService } from '@grpc/reflection'
import {
  type CallOptions,
  type Clock,
  HoldfastError,
  type Logger,
  PROVIDER_SERVICE_NAME,
  type ProviderService as ProviderTable,
  providerFileDescriptor,
  providerService,
  type ServiceMethod,
} from '@holdfast/protocol'
import { HealthImplementation } from 'grpc-health-check'
import type { Admission } from '../limits/admission.ts'
import type { ConnectionGuard } from '../limits/connection-guard.ts'
import type { ProviderService } from '../provider-service.ts'
import type { TlsKeeper } from '../tls-keeper.ts'
import { admitCalls, statusFor } from './admit.ts'
import type { CallCounter } from './call-counter.ts'
import { ListenerCredentials, STREAMS_MAX } from './credentials.ts'

/** The longest request has 160 KiB. */
const REQUEST_BYTES_MAX = 2 ** 18
const RESPONSE_BYTES_MAX = 2 ** 20
const HOUR_MS = 3_600_000

/** Everything that bounds what a peer can make this server hold. */
const SERVER_OPTIONS = {
  'grpc.max_receive_message_length': REQUEST_BYTES_MAX,
  'grpc.max_send_message_length': RESPONSE_BYTES_MAX,
  'grpc.max_concurrent_streams': STREAMS_MAX,
  'grpc.keepalive_time_ms': 60_000,
  'grpc.keepalive_timeout_ms': 20_000,
  'grpc.max_connection_idle_ms': 300_000,
  'grpc.max_connection_age_ms': HOUR_MS,
  'grpc.max_connection_age_grace_ms': 60_000,
  'grpc-node.max_session_memory': 8,
}

export interface RpcServerDependencies {
  readonly service: ProviderService
  readonly tls: TlsKeeper
  readonly guard: ConnectionGuard
  readonly admission: Admission
  readonly clock: Clock
  readonly calls: CallCounter
  readonly logger: Logger
}

type Handler<Request, Response> = (request: Request, options: CallOptions) => Promise<Response>

export class RpcServer {
  readonly #dependencies: RpcServerDependencies
  readonly #server: Server
  readonly #tcp: TcpServer
  readonly #health: HealthImplementation
  readonly #stop = new AbortController()
  readonly #release: () => void

  constructor(dependencies: RpcServerDependencies) {
    this.#dependencies = dependencies
    // Every running call listens.
    setMaxListeners(0, this.#stop.signal)
    const { admission, clock, guard, tls } = dependencies
    const interceptors = [admitCalls(admission, clock)]
    this.#server = new Server({ ...SERVER_OPTIONS, interceptors })
    const credentials = new ListenerCredentials(tls.current)
    this.#release = tls.onChange((identity) => credentials.update(identity))
    const injector = this.#server.createConnectionInjector(credentials)
    this.#tcp = createServer({ noDelay: true }, (socket) => {
      if (guard.admit(socket)) injector.injectConnection(socket)
    })
    this.#health = new HealthImplementation({ '': 'SERVING', [PROVIDER_SERVICE_NAME]: 'SERVING' })
    this.#server.addService(definitionOf(providerService), this.#handlers())
    this.#health.addToServer(this.#server)
    reflection().addToServer(this.#server)
  }

  /** Binds and listens; returns the port. */
  listen(host: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#tcp.once('error', (error) => reject(bindFailed(`${host}:${port}`, error)))
      this.#tcp.listen(port, host, () => resolve((this.#tcp.address() as AddressInfo).port))
    })
  }

  /** Refuses new calls, lets running ones end until the signal fires, then cuts them. */
  async close(cut: AbortSignal): Promise<void> {
    this.#health.setStatus('', 'NOT_SERVING')
    this.#health.setStatus(PROVIDER_SERVICE_NAME, 'NOT_SERVING')
    this.#stop.abort()
    this.#release()
    await new Promise<void>((resolve) => {
      const force = (): void => {
        this.#server.forceShutdown()
        this.#dependencies.guard.cutAll()
      }
      cut.addEventListener('abort', force, { once: true })
      // Ends with the last connection. What `tryShutdown` says is not waited for: it never comes when a
      // session was being destroyed at that moment.
      this.#tcp.close(() => {
        cut.removeEventListener('abort', force)
        resolve()
      })
      this.#server.tryShutdown(() => undefined)
      if (cut.aborted) force()
    })
  }

  #handlers(): Record<keyof ProviderTable, UntypedHandleCall> {
    const { service } = this.#dependencies
    return {
      describe: this.#unary('describe', () => service.describe()),
      quote: this.#unary('quote', (request) => service.quote(request)),
      openUpload: this.#unary('openUpload', (request) => service.openUpload(request)),
      watchUpload: this.#watchUpload(),
      commitUpload: this.#unary('commitUpload', (request) => service.commitUpload(request)),
      abortUpload: this.#unary('abortUpload', (request) => service.abortUpload(request)),
      revokeGrant: this.#unary('revokeGrant', (request) => service.revokeGrant(request)),
      proposeDeal: this.#unary('proposeDeal', (request, o) => service.proposeDeal(request, o)),
      getDeal: this.#unary('getDeal', async (request) => service.getDeal(request)),
      getAnswers: this.#unary('getAnswers', (request, o) => service.getAnswers(request, o)),
      getBundle: this.#unary('getBundle', (request, o) => service.getBundle(request, o)),
      getBundleEntries: this.#unary('getBundleEntries', (request, o) =>
        service.getBundleEntries(request, o),
      ),
    }
  }

  #unary<K extends keyof ProviderTable>(
    name: K,
    handle: Handler<RequestOf<K>, ResponseOf<K>>,
  ): UntypedHandleCall {
    const table: ServiceMethod<RequestOf<K>, ResponseOf<K>> = tableOf(name)
    const { calls } = this.#dependencies
    return (call: ServerUnaryCall<Uint8Array, Uint8Array>, answer: sendUnaryData<Uint8Array>) => {
      const { signal, release } = this.#signalOf(call)
      const run = async (): Promise<Uint8Array> =>
        table.response.encode(await handle(table.request.decode(call.request), { signal }))
      const end = calls.begin(name)
      run().then(
        (response) => {
          end(undefined)
          release()
          answer(null, response)
        },
        (error: unknown) => {
          end(error)
          release()
          answer(this.#failure(name, error))
        },
      )
    }
  }

  #watchUpload(): UntypedHandleCall {
    const table = providerService.watchUpload
    const { service, calls } = this.#dependencies
    return (call: ServerWritableStream<Uint8Array, Uint8Array>) => {
      const { signal, release } = this.#signalOf(call)
      const run = async (): Promise<void> => {
        const request = table.request.decode(call.request)
        for await (const response of service.watchUpload(request, signal)) {
          if (!call.write(table.response.encode(response))) await drained(call, signal)
        }
      }
      const end = calls.begin('watchUpload')
      run().then(
        () => {
          end(undefined)
          release()
          call.end()
        },
        (error: unknown) => {
          end(error)
          release()
          call.emit('error', this.#failure('watchUpload', error))
        },
      )
    }
  }

  /** Fires when the caller goes away or the server stops. */
  #signalOf(call: { once(event: 'cancelled', listener: () => void): unknown }): {
    readonly signal: AbortSignal
    readonly release: () => void
  } {
    const gone = new AbortController()
    const abort = (): void => gone.abort()
    call.once('cancelled', abort)
    this.#stop.signal.addEventListener('abort', abort, { once: true })
    if (this.#stop.signal.aborted) abort()
    return {
      signal: gone.signal,
      release: () => this.#stop.signal.removeEventListener('abort', abort),
    }
  }

  #failure(name: string, thrown: unknown): Partial<ServiceError> {
    const { logger } = this.#dependencies
    if (!HoldfastError.is(thrown) || thrown.code === 'INVARIANT') {
      logger.error('call failed by our own fault', {
        call: name,
        reason: thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown),
      })
    }
    const stopping = HoldfastError.is(thrown, 'ABORTED') && this.#stop.signal.aborted
    return statusFor(stopping ? new HoldfastError({ code: 'SHUTTING_DOWN' }) : asOurs(thrown))
  }
}

type RequestOf<K extends keyof ProviderTable> =
  ProviderTable[K] extends ServiceMethod<infer Request, infer _> ? Request : never
type ResponseOf<K extends keyof ProviderTable> =
  ProviderTable[K] extends ServiceMethod<infer _, infer Response> ? Response : never

/** The compiler cannot see that a row of the table has the types its key names. */
const tableOf = <K extends keyof ProviderTable>(
  name: K,
): ServiceMethod<RequestOf<K>, ResponseOf<K>> =>
  providerService[name] as unknown as ServiceMethod<RequestOf<K>, ResponseOf<K>>

/** What people outside learn of our own faults: that there was one. */
const asOurs = (thrown: unknown): HoldfastError =>
  HoldfastError.is(thrown)
    ? thrown
    : new HoldfastError({ code: 'INVARIANT', sentence: 'the provider failed; see its log' })

/** Messages pass as bytes: decoding is ours, so that a bad one gets a proper error. */
const definitionOf = (table: ProviderTable): ServiceDefinition =>
  Object.fromEntries(
    Object.entries(table).map(([name, { path, responseStream }]) => [
      name,
      {
        path,
        requestStream: false,
        responseStream,
        requestSerialize: asBuffer,
        requestDeserialize: asBytes,
        responseSerialize: asBuffer,
        responseDeserialize: asBytes,
      },
    ]),
  )

const asBuffer = (value: Uint8Array): Buffer =>
  Buffer.from(value.buffer, value.byteOffset, value.length)
const asBytes = (value: Buffer): Uint8Array => new Uint8Array(value)

/** Of a package definition only the file descriptors are read; this is its smallest form. */
const reflection = (): ReflectionService =>
  new ReflectionService({
    [PROVIDER_SERVICE_NAME]: {
      format: 'Protocol Buffer 3 EnumDescriptorProto',
      type: {},
      fileDescriptorProtos: [Buffer.from(providerFileDescriptor())],
    },
  })

const bindFailed = (address: string, cause: Error): HoldfastError =>
  new HoldfastError(
    { code: 'CONFIG_INVALID', path: `grpc ${address}`, reason: cause.message },
    { cause },
  )

/** Resolves when the stream takes more, or the signal fires; listens no longer then. */
const drained = (call: ServerWritableStream<Uint8Array, Uint8Array>, signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    const goOn = (): void => {
      call.off('drain', goOn)
      signal.removeEventListener('abort', goOn)
      resolve()
    }
    call.once('drain', goOn)
    signal.addEventListener('abort', goOn, { once: true })
    if (signal.aborted) goOn()
  })
