/**
 * What publish remembers on disk, so that running it again after a crash at any point continues:
 * every signature is written down before it is sent. The ledger is asked first all the same; the
 * record only knows what the ledger cannot: vouchers, receipts, and proposals still under way.
 *
 * One file per account, network and payload, replaced atomically. Messages are kept in their wire
 * form and checked by the protocol's codecs when they are read.
 */
import { createHash } from 'node:crypto'
import { mkdir, open, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import type { NetworkParams } from '@holdfast/chain'
import {
  type Address,
  address,
  type Codec,
  type Commitment,
  type CommitUploadResponse,
  commitUploadResponse,
  fromHex,
  HoldfastError,
  type OpenUploadRequest,
  openUploadRequest,
  type ProposeDealRequest,
  type ProviderId,
  proposeDealRequest,
  type QuoteResponse,
  quoteResponse,
  toHex,
} from '@holdfast/protocol'
import { lockPath, type PathLock } from '@holdfast/prover'
import { errorCode, errorMessage } from '../system-error.ts'

/** How far one replica has come; every step is kept until the deal is open. */
export interface ReplicaRecord {
  readonly provider: ProviderId
  readonly offer?: QuoteResponse
  readonly upload?: OpenUploadRequest
  readonly receipt?: CommitUploadResponse
  readonly proposal?: ProposeDealRequest
}

/** What is remembered of the replicas of one payload; every change is durable when it resolves. */
export interface ReplicaBook {
  readonly replicas: readonly ReplicaRecord[]
  replica(provider: ProviderId): ReplicaRecord
  save(replica: ReplicaRecord): Promise<void>
  forget(provider: ProviderId): Promise<void>
}

type Step = 'offer' | 'upload' | 'receipt' | 'proposal'

const FORMAT = 'holdfast-publish/1'

export interface RecordKey {
  readonly home: string
  readonly network: NetworkParams
  readonly account: Address
  readonly dataset: string
  readonly commitment: Commitment
}

export class PublishRecord implements ReplicaBook {
  readonly #path: string
  readonly #dataset: string
  readonly #replicas: Map<ProviderId, ReplicaRecord>
  readonly #lock: PathLock
  #saving: Promise<void> = Promise.resolve()

  private constructor(
    { path, lock }: { readonly path: string; readonly lock: PathLock },
    dataset: string,
    replicas: readonly ReplicaRecord[],
  ) {
    this.#path = path
    this.#lock = lock
    this.#dataset = dataset
    this.#replicas = new Map(replicas.map((replica) => [replica.provider, replica]))
  }

  /**
   * One run per payload and home at a time: two at once would each buy what the other is about to.
   * @throws HoldfastError `HOME_IN_USE`, `CONFIG_INVALID` for a record that cannot be understood.
   */
  static async open(key: RecordKey): Promise<PublishRecord> {
    const folder = join(key.home, 'publish')
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const { chainId, contracts } = key.network
    const { root, length } = key.commitment
    const parts = [chainId, contracts.market, key.account, key.dataset, root, length]
    const name = createHash('sha256').update(parts.join('|')).digest('hex').slice(0, 32)
    const path = join(folder, `${name}.json`)
    const lock = await lockPath({ path: `${path}.lock`, of: path, stays: false })
    try {
      return new PublishRecord({ path, lock }, key.dataset, await readReplicas(path))
    } catch (error) {
      await lock.release()
      throw error
    }
  }

  /** Waits for writes under way and lets the next run in. */
  async close(): Promise<void> {
    await this.#saving
    await this.#lock.release()
  }

  get replicas(): readonly ReplicaRecord[] {
    return [...this.#replicas.values()]
  }

  replica(provider: ProviderId): ReplicaRecord {
    return this.#replicas.get(provider) ?? { provider }
  }

  /** Durable when it resolves. */
  async save(replica: ReplicaRecord): Promise<void> {
    this.#replicas.set(replica.provider, replica)
    await this.#write()
  }

  async forget(provider: ProviderId): Promise<void> {
    if (this.#replicas.delete(provider)) await this.#write()
  }

  /** One write at a time: replicas are stored in parallel. */
  #write(): Promise<void> {
    const write = async (): Promise<void> => {
      const replicas = this.replicas.map(encodeReplica)
      const body = { format: FORMAT, dataset: this.#dataset, replicas }
      const file = await open(`${this.#path}.new`, 'w', 0o600)
      try {
        await file.writeFile(`${JSON.stringify(body, undefined, 2)}\n`)
        await file.datasync()
      } finally {
        await file.close()
      }
      await rename(`${this.#path}.new`, this.#path)
    }
    const next = this.#saving.then(write, write)
    this.#saving = next.catch(() => undefined)
    return next
  }
}

const encodeReplica = (replica: ReplicaRecord): Record<string, string> => {
  const { provider, offer, upload, receipt, proposal } = replica
  return {
    provider,
    ...(offer === undefined ? {} : { offer: toHex(quoteResponse.encode(offer)) }),
    ...(upload === undefined ? {} : { upload: toHex(openUploadRequest.encode(upload)) }),
    ...(receipt === undefined ? {} : { receipt: toHex(commitUploadResponse.encode(receipt)) }),
    ...(proposal === undefined ? {} : { proposal: toHex(proposeDealRequest.encode(proposal)) }),
  }
}

const readReplicas = async (path: string): Promise<readonly ReplicaRecord[]> => {
  const invalid = (cause: unknown): HoldfastError => {
    const reason = `${errorMessage(cause)}; if it is damaged, remove it`
    return new HoldfastError({ code: 'CONFIG_INVALID', path, reason }, { cause })
  }
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return []
    throw invalid(error)
  }
  try {
    const body: unknown = JSON.parse(text)
    const { format, replicas } = body as { format?: unknown; replicas?: unknown }
    if (format !== FORMAT || !Array.isArray(replicas)) throw new Error(`it is no ${FORMAT}`)
    return replicas.map(decodeReplica)
  } catch (error) {
    throw invalid(error)
  }
}

const decodeReplica = (value: unknown): ReplicaRecord => {
  const entry = value as Readonly<Record<string, unknown>>
  const step = <T>(name: Step, codec: Codec<T>): { readonly [key in Step]?: T } => {
    const hex = entry[name]
    return typeof hex === 'string' ? { [name]: codec.decode(fromHex(hex)) } : {}
  }
  return {
    provider: address(String(entry['provider'])),
    ...step('offer', quoteResponse),
    ...step('upload', openUploadRequest),
    ...step('receipt', commitUploadResponse),
    ...step('proposal', proposeDealRequest),
  } as ReplicaRecord
}
