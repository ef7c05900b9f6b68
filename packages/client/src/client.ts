/**
 * The library face: what the `holdfast` command does, as functions for programs. Opens a network and
 * a key, publishes paths, reads datasets, tells their state. One client, one account, one network.
 */
import { type Ledger, openEvmLedger, readNetwork, systemClock, systemRandom } from '@holdfast/chain'
import {
  type CallOptions,
  HoldfastError,
  type Logger,
  type Signer,
  silentLogger,
  type Timestamp,
  timestamp,
} from '@holdfast/protocol'
import { openProver, type Prover } from '@holdfast/prover'
import { CID } from 'multiformats/cid'
import { makePlan, type Plan, type PlanRequest } from './plan.ts'
import { GrantBook, type KeptGrant } from './publish/grant-book.ts'
import { type Published, type PublishRequest, publish } from './publish.ts'
import type { LeftReplica } from './retrieve/replica-set.ts'
import { type OpenDataset, openDataset } from './retrieve.ts'
import { type RevocableGrant, revokeGrant, type Told } from './revoke-grant.ts'
import { type DatasetStatus, datasetStatus, waitForStatus } from './status.ts'
import { networkConnector } from './transfer/network-peer.ts'
import type { ConnectPeer } from './transfer/provider-peer.ts'
import { type Progress, silentProgress } from './ui/progress.ts'

export interface ClientOptions {
  /** The network file. */
  readonly network: string
  /** Where records and packed payloads are kept. */
  readonly home: string
  /** Needed to publish; reading works without. */
  readonly signer?: Signer
  readonly progress?: Progress
  readonly logger?: Logger
}

export class Client {
  readonly ledger: Ledger
  readonly #prover: Prover
  readonly #connect: ConnectPeer
  readonly #options: ClientOptions

  private constructor(ledger: Ledger, prover: Prover, options: ClientOptions) {
    this.ledger = ledger
    this.#prover = prover
    this.#connect = networkConnector(systemClock)
    this.#options = options
  }

  /** @throws HoldfastError `CONFIG_INVALID`, `LEDGER_UNREACHABLE`, `CHAIN_UNSUITABLE`. */
  static async open(options: ClientOptions): Promise<Client> {
    const network = await readNetwork(options.network)
    const { signer, logger = silentLogger } = options
    const key = signer === undefined ? {} : { signer }
    const ambient = { clock: systemClock, logger }
    const ledger = await openEvmLedger({ network, rpc: network.rpc, ...ambient, ...key })
    try {
      return new Client(ledger, await openProver({ logger }), options)
    } catch (error) {
      await ledger.close()
      throw error
    }
  }

  plan(request: PlanRequest, options: CallOptions = {}): Promise<Plan> {
    const { ledger } = this
    return makePlan({ ledger, connect: this.#connect, clock: systemClock }, request, options)
  }

  /** @throws HoldfastError `UNAUTHORIZED` without a signer, and as `publish`. */
  publish(request: PublishRequest, options: CallOptions = {}): Promise<Published> {
    const { signer, home, progress = silentProgress } = this.#options
    const ambient = { clock: systemClock, random: systemRandom, progress }
    const parts = { ledger: this.ledger, prover: this.#prover, connect: this.#connect }
    return publish({ ...parts, ...ambient, home, signer: required(signer) }, request, options)
  }

  /** Opens a published dataset for reading; close it. */
  dataset(
    cid: string | CID,
    { onLeft, ...options }: CallOptions & { onLeft?: (left: LeftReplica) => void } = {},
  ): Promise<OpenDataset> {
    const root = typeof cid === 'string' ? CID.parse(cid) : cid
    const parts = { ledger: this.ledger, connect: this.#connect, clock: systemClock }
    return openDataset({ ...parts, ...(onLeft === undefined ? {} : { onLeft }) }, root, options)
  }

  status(cid: string | CID, options: CallOptions = {}): Promise<DatasetStatus> {
    const root = typeof cid === 'string' ? CID.parse(cid) : cid
    const request = { root, account: this.#options.signer?.address }
    return datasetStatus(this.ledger, request, { clock: systemClock, ...options })
  }

  /** Waits until every active replica has proven a period. @throws HoldfastError `TIMED_OUT`. */
  untilProven(
    cid: string | CID,
    { timeoutMs, ...options }: CallOptions & { readonly timeoutMs: number },
  ): Promise<DatasetStatus> {
    const root = typeof cid === 'string' ? CID.parse(cid) : cid
    const request = { root, account: this.#options.signer?.address, goal: 'proven' as const }
    return waitForStatus(this.ledger, request, { clock: systemClock, timeoutMs, ...options })
  }

  /** Grants of session keys that were signed with this home and have not expired. */
  grants(): Promise<readonly KeptGrant[]> {
    return this.#grants().list(wallTime())
  }

  /**
   * Takes a grant back: tells every provider that it counts at. Again for those that were away.
   * @throws HoldfastError `UNAUTHORIZED` without a signer, and as `revokeGrant`.
   */
  async revokeGrant(grant: RevocableGrant, options: CallOptions = {}): Promise<readonly Told[]> {
    const signer = required(this.#options.signer)
    const connect = this.#connect
    const told = await revokeGrant({ ledger: this.ledger, signer, connect }, grant, options)
    await this.#grants().noteRevoked(grant, told, wallTime())
    return told
  }

  #grants(): GrantBook {
    return new GrantBook(this.#options.home, this.ledger.network)
  }

  async close(): Promise<void> {
    await this.#prover.close()
    await this.ledger.close()
  }
}

const wallTime = (): Timestamp => timestamp(Math.floor(systemClock.now() / 1000))

const required = (signer: Signer | undefined): Signer => {
  if (signer !== undefined) return signer
  throw new HoldfastError({
    code: 'UNAUTHORIZED',
    reason: 'the client was opened without a signer',
  })
}
