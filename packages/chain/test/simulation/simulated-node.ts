/**
 * A provider as far as transactions are concerned: one process after the other over one durable
 * outbox and one key. It proves every period and sends something else now and then; it may be killed
 * at any moment, also exactly between writing down and handing over.
 *
 * It checks what must hold of every process: nothing is handed over that is not written down.
 */
import {
  HoldfastError,
  milliseconds,
  type Signer,
  silentLogger,
  timestamp,
} from '@holdfast/protocol'
import type { Alarms } from '../../src/alarms.ts'
import { openChainOver } from '../../src/evm/client.ts'
import { watchEndpoints } from '../../src/evm/endpoint-watch.ts'
import type { EndpointSource } from '../../src/evm/endpoints.ts'
import type { RpcRequest } from '../../src/evm/json-rpc.ts'
import { Transactor } from '../../src/evm/transactor.ts'
import type { Outbox, OutboxEntry } from '../../src/outbox/outbox.ts'
import type { Seeded } from '../../src/simulation/seeded.ts'
import type { VirtualClock } from '../../src/simulation/virtual-clock.ts'
import { CHAIN_ID, GWEI, otherData, proveData, type SimulatedChain } from './simulated-chain.ts'
import type { SimulatedEndpoint } from './simulated-endpoint.ts'

export type CrashPoint = 'recorded' | 'handed' | 'receipt'

const CONTRACT = `0x${'c0'.repeat(20)}` as const
/** Gas of a proof with all margins is about 255,000. */
const PROOF_GAS_MOST = 260_000n
export const PROOF_BUDGET: bigint = PROOF_GAS_MOST * 400n * GWEI

export interface NodeWorld {
  readonly chain: SimulatedChain
  readonly clock: VirtualClock
  readonly random: Seeded
  readonly signer: Signer
  readonly endpoints: readonly SimulatedEndpoint[]
}

interface Life {
  alive: boolean
  readonly stop: AbortController
}

const never = <T>(): Promise<T> => new Promise<T>(() => undefined)

export class SimulatedNode {
  readonly durable: OutboxEntry[] = []
  readonly alarms = new Map<string, string>()
  /** Every alarm kind that was ever raised, since this was cleared. */
  readonly raised = new Set<string>()
  /** What must never happen and did. */
  readonly violations: string[] = []
  /** Refusals of tries, by code: a hot loop shows here. */
  readonly refusals = new Map<string, number>()
  armed: CrashPoint | undefined
  restarts = 0
  #other = 0
  #life: Life | undefined
  readonly #world: NodeWorld

  constructor(world: NodeWorld) {
    this.#world = world
  }

  get others(): number {
    return this.#other
  }

  start(): void {
    const life: Life = { alive: true, stop: new AbortController() }
    this.#life = life
    void this.#live(life)
  }

  /** Ends the process here and now; a new one starts after some seconds. */
  crash(): void {
    const life = this.#life
    if (life === undefined || !life.alive) return
    life.alive = false
    life.stop.abort()
    this.restarts += 1
    const { clock, random } = this.#world
    void clock.sleep(milliseconds(random.between(1, 30) * 1000)).then(() => this.start())
  }

  stop(): void {
    if (this.#life === undefined) return
    this.#life.alive = false
    this.#life.stop.abort()
  }

  async #live(life: Life): Promise<void> {
    const { clock, endpoints, random, signer } = this.#world
    const sources = endpoints.map((endpoint) => this.#guarded(endpoint, life))
    const ambient = { clock, logger: silentLogger, stop: life.stop.signal, alarms: this.#board() }
    while (life.alive) {
      try {
        const client = await openChainOver(sources, {
          ...{ ...ambient, pollMs: 2000, expectedChainId: CHAIN_ID },
        })
        void watchEndpoints(client)
        const outbox = this.#outbox(life)
        const transactor = new Transactor(client, signer, { outbox, random })
        await transactor.resume()
        await Promise.all([this.#prove(life, transactor), this.#settle(life, transactor)])
      } catch (error) {
        this.#note(life, error)
        await this.#pause(5, life)
      }
    }
  }

  /** Follows the chain as an honest follower would, and tries again what is still due. */
  async #prove(life: Life, transactor: Transactor): Promise<void> {
    const { chain, clock } = this.#world
    const { genesis, period: length, window } = chain.schedule
    while (life.alive) {
      await this.#pause(6, life)
      const now = chain.head.timestamp
      const period = Math.floor((now - genesis) / length)
      const start = genesis + period * length
      const deadline = timestamp(BigInt(start + window))
      if (now < start + 60 || now >= start + window || chain.isProven(period)) continue
      const options = { deadline, gasBudget: PROOF_BUDGET, lane: 'proofs' } as const
      await transactor
        .send({ to: CONTRACT, data: proveData(period) }, options, `prove ${period}`)
        .catch(async (error: unknown) => {
          this.#note(life, error)
          await clock.sleep(milliseconds(4000))
        })
    }
  }

  /** One settlement after the other, each wanted until it is on the chain. */
  async #settle(life: Life, transactor: Transactor): Promise<void> {
    const { chain, random } = this.#world
    while (life.alive) {
      await this.#pause(random.between(60, 1500), life)
      const data = otherData(this.#other)
      if (chain.executed(data).some(({ ok }) => ok)) {
        this.#other += 1
        continue
      }
      await transactor
        .send({ to: CONTRACT, data }, {}, `settle ${this.#other}`)
        .catch((error: unknown) => this.#note(life, error))
    }
  }

  #note(life: Life, error: unknown): void {
    if (!life.alive) return
    if (!HoldfastError.is(error)) this.violations.push(`not our error: ${String(error)}`)
    else this.refusals.set(error.code, (this.refusals.get(error.code) ?? 0) + 1)
    if (HoldfastError.is(error, 'INVARIANT')) this.violations.push(error.message)
  }

  async #pause(seconds: number, life: Life): Promise<void> {
    await this.#world.clock.sleep(milliseconds(seconds * 1000))
    if (!life.alive) await never()
  }

  #board(): Alarms {
    return {
      raise: (kind, subject, message) => {
        this.raised.add(kind)
        this.alarms.set(`${kind} ${subject}`, message)
      },
      clear: (kind, subject) => {
        this.alarms.delete(`${kind} ${subject}`)
      },
    }
  }

  #outbox(life: Life): Outbox {
    const { clock } = this.#world
    return {
      load: async () => [...this.durable],
      record: async (entries) => {
        await clock.sleep(milliseconds(2))
        // A crash during the sync: the entries are on disk or not; here they are not.
        if (!life.alive) return never()
        this.durable.push(...entries)
        if (
          this.#dies(
            life,
            'recorded',
            entries.some(({ kind }) => kind === 'tx-signed'),
          )
        ) {
          return never()
        }
      },
    }
  }

  #guarded(endpoint: SimulatedEndpoint, life: Life): EndpointSource {
    const request: RpcRequest = async (call) => {
      if (!life.alive) return never()
      const isSending = call.method === 'eth_sendRawTransaction'
      if (isSending) this.#checkRecorded((call.params as readonly string[])[0])
      const answer = await endpoint.request(call)
      const isReceipt = call.method === 'eth_getTransactionReceipt' && answer !== null
      if (this.#dies(life, 'handed', isSending) || this.#dies(life, 'receipt', isReceipt)) {
        return never()
      }
      return life.alive ? answer : never()
    }
    return { shown: endpoint.shown, request }
  }

  #dies(life: Life, point: CrashPoint, here: boolean): boolean {
    if (!here || this.armed !== point || !life.alive) return false
    this.armed = undefined
    this.crash()
    return true
  }

  #checkRecorded(raw: string | undefined): void {
    const known = this.durable.some((entry) => entry.kind === 'tx-signed' && entry.raw === raw)
    if (!known) this.violations.push('handed over before it was written down')
  }
}
