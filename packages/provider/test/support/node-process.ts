/** A provider in a child process, seen from its parent: a client, its memory, its proofs. */
import { type ChildProcess, fork } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { type NetworkParams, systemClock } from '@holdfast/chain'
import type { Address, ProviderId } from '@holdfast/protocol'
import type { Limits } from '../../src/limits/limits.ts'
import type { ProviderEndpoints } from '../../src/provider.ts'
import type { TlsIdentity } from '../../src/tls.ts'
import { TestClient } from './client.ts'
import { ACCOUNTS, type LogLine } from './network.ts'

export interface ChildReady {
  readonly kind: 'ready'
  readonly endpoints: ProviderEndpoints
  readonly tls: TlsIdentity
  readonly params: NetworkParams
  readonly provider: ProviderId
  readonly token: Address
  readonly home: string
}

export type FromChild =
  | ChildReady
  | { readonly kind: 'proven' }
  | { readonly kind: 'stopped'; readonly errors: readonly LogLine[] }

export interface ToChild {
  readonly kind: 'prove' | 'stop'
}

export class NodeProcess {
  readonly ready: ChildReady
  readonly client: TestClient
  readonly #child: ChildProcess
  #stopped: Promise<readonly LogLine[]> | undefined

  private constructor(child: ChildProcess, ready: ChildReady) {
    this.#child = child
    this.ready = ready
    this.client = this.newClient()
  }

  static async start(limits: Partial<Limits> = {}): Promise<NodeProcess> {
    const entry = fileURLToPath(new URL('./node-child.js', import.meta.url))
    const child = fork(entry, [JSON.stringify(limits)], { serialization: 'advanced' })
    const ready = await answerOf(child, 'ready')
    return new NodeProcess(child, ready)
  }

  newClient(): TestClient {
    const { params, provider, token, endpoints, tls } = this.ready
    const time = (): bigint => BigInt(Math.floor(systemClock.now() / 1000))
    const { publisher } = ACCOUNTS
    return new TestClient({
      network: { params, publisher, config: { provider, token }, time },
      endpoints,
      tls,
    })
  }

  get isAlive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  get grpcPort(): number {
    return Number(this.ready.endpoints.grpc.split(':').at(-1))
  }

  get httpPort(): number {
    return Number(this.ready.endpoints.http.split(':').at(-1))
  }

  /** The most memory it ever held, in MiB; undefined where the system does not say. */
  async peakMiB(): Promise<number | undefined> {
    const status = await readFile(`/proc/${this.#child.pid}/status`, 'utf8').catch(() => '')
    const kib = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]
    return kib === undefined ? undefined : Number(kib) / 1024
  }

  /** Lets a period begin and waits until it is proven. */
  async prove(): Promise<void> {
    const proven = answerOf(this.#child, 'proven')
    this.#child.send({ kind: 'prove' })
    await proven
  }

  /** Ends it, once; returns the errors that it logged. */
  stop(): Promise<readonly LogLine[]> {
    this.#stopped ??= this.#stop()
    return this.#stopped
  }

  async #stop(): Promise<readonly LogLine[]> {
    this.client.close()
    if (!this.isAlive) return []
    const stopped = answerOf(this.#child, 'stopped')
    this.#child.send({ kind: 'stop' })
    return (await stopped).errors
  }
}

const answerOf = <K extends FromChild['kind']>(
  child: ChildProcess,
  kind: K,
): Promise<Extract<FromChild, { kind: K }>> =>
  new Promise((resolve, reject) => {
    const ended = (code: number | null): void => reject(new Error(`the node ended with ${code}`))
    const hear = (message: FromChild): void => {
      if (message.kind !== kind) return
      child.off('message', hear)
      child.off('exit', ended)
      resolve(message as Extract<FromChild, { kind: K }>)
    }
    child.on('message', hear)
    child.once('exit', ended)
  })
