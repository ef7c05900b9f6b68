/**
 * Retrieve, top to bottom: a dataset's CID → its deals on the ledger → a replica's payload by ranged
 * reads → blocks, each checked against its CID → files. Works from any machine with a network file;
 * no local record is needed, and no byte leaves that was not checked.
 */
import type { Deal, DealState, LedgerReader } from '@holdfast/chain'
import {
  bytes,
  type CallOptions,
  type Clock,
  HoldfastError,
  type Root,
  toNumber,
} from '@holdfast/protocol'
import { CID } from 'multiformats/cid'
import { PeerPool } from './publish/peers.ts'
import { datasetDigest } from './publish/terms.ts'
import type { ReplicaCandidate } from './retrieve/first-to-open.ts'
import type { RangeSource } from './retrieve/range-source.ts'
import { type BlockGetter, ReplicaReader } from './retrieve/replica-reader.ts'
import { type LeftReplica, ReplicaSet } from './retrieve/replica-set.ts'
import { type OpenNode, resolvePath } from './retrieve/unixfs-reader.ts'
import type { ConnectPeer, ProviderPeer } from './transfer/provider-peer.ts'

export interface RetrieveDependencies {
  readonly ledger: LedgerReader
  readonly connect: ConnectPeer
  readonly clock: Clock
  /** Told about each replica that failed; reading goes on with the next. */
  readonly onLeft?: (left: LeftReplica) => void
}

/** A dataset that can be read. Close it. */
export interface OpenDataset {
  readonly root: CID
  readonly blocks: BlockGetter
  /** Replicas that failed so far. */
  readonly left: readonly LeftReplica[]
  /** The provider that serves now. */
  readonly serving: string | undefined
  /** @throws HoldfastError `PATH_NOT_FOUND`. */
  resolve(path: readonly string[]): Promise<OpenNode>
  close(): Promise<void>
}

/** `<cid>` or `<cid>/path/inside`. @throws HoldfastError `ID_INVALID`. */
export const parseAddress = (
  text: string,
): { readonly root: CID; readonly path: readonly string[] } => {
  const [cid = '', ...path] = text.replace(/^ipfs:\/\//, '').split('/')
  try {
    return { root: CID.parse(cid), path: path.filter((part) => part !== '') }
  } catch (cause) {
    const kind = 'dataset CID'
    throw new HoldfastError({ code: 'ID_INVALID', kind, value: cid.slice(0, 140) }, { cause })
  }
}

/**
 * Finds the replicas of a dataset. No provider is asked yet.
 * @throws HoldfastError `DATASET_NOT_FOUND`, `LEDGER_UNREACHABLE`.
 */
export const openDataset = async (
  { ledger, connect, clock, onLeft = () => undefined }: RetrieveDependencies,
  root: CID,
  options: CallOptions = {},
): Promise<OpenDataset> => {
  const dataset = root.toString()
  const deals = readableDeals(await ledger.deals({ dataset: datasetDigest(root) }, options))
  if (deals.length === 0) throw new HoldfastError({ code: 'DATASET_NOT_FOUND', dataset })
  const peers = new PeerPool(connect)
  const candidates = deals.map((deal) => candidateOf(deal, { ledger, peers }, options))
  const blocks = new ReplicaSet(candidates, { dataset, clock, onLeft })
  return {
    root,
    blocks,
    get left() {
      return blocks.left
    },
    get serving() {
      return blocks.serving
    },
    resolve: (path) => resolvePath(blocks, root, path),
    close: () => peers.close(),
  }
}

/** Who is paid to hold it comes first; ended deals may still be served, closed ones last. */
const READ_ORDER: readonly DealState[] = ['active', 'ended', 'faulty', 'closed']

const readableDeals = (deals: readonly Deal[]): readonly Deal[] => {
  const ordered = [...deals].sort(
    (a, b) => READ_ORDER.indexOf(a.state) - READ_ORDER.indexOf(b.state),
  )
  const distinct = new Map<string, Deal>()
  for (const deal of ordered) {
    const key = `${deal.terms.provider} ${deal.terms.root}`
    if (!distinct.has(key)) distinct.set(key, deal)
  }
  return [...distinct.values()]
}

const candidateOf = (
  { id, terms }: Deal,
  { ledger, peers }: { readonly ledger: LedgerReader; readonly peers: PeerPool },
  outer: CallOptions,
): ReplicaCandidate => ({
  name: terms.provider,
  deal: id,
  open: async ({ signal }) => {
    const signals = [signal, outer.signal].filter((one) => one !== undefined)
    const options = { ...outer, signal: AbortSignal.any(signals) }
    const record = await ledger.provider(terms.provider, options)
    if (record === undefined) {
      throw new HoldfastError({ code: 'PROVIDER_NOT_FOUND', provider: terms.provider })
    }
    const peer = await peers.peer(record, options)
    return ReplicaReader.open(new PeerPayload(peer, terms.root, toNumber(terms.length)), options)
  },
})

/** A payload at a provider as a source of byte ranges. */
class PeerPayload implements RangeSource {
  readonly length: number
  readonly #peer: ProviderPeer
  readonly #root: Root

  constructor(peer: ProviderPeer, root: Root, length: number) {
    this.#peer = peer
    this.#root = root
    this.length = length
  }

  read(start: number, end: number, options: CallOptions = {}): Promise<Uint8Array> {
    return this.#peer.readPayload(this.#root, { start: bytes(start), end: bytes(end) }, options)
  }
}
