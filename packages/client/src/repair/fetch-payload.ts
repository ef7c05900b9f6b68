/**
 * A whole payload from a replica, into a file of the home directory: ranges in parallel, then the
 * root over all of it on the prover's threads. What has another root is no payload: the file is
 * emptied, the replica named, the next one asked.
 *
 * Memory: `PARALLEL` ranges of `RANGE_BYTES`.
 */
import { type FileHandle, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Deal, LedgerReader } from '@holdfast/chain'
import {
  type Bytes,
  bytes,
  type CallOptions,
  type Commitment,
  HoldfastError,
  smaller,
  toNumber,
} from '@holdfast/protocol'
import type { Prover } from '@holdfast/prover'
import type { CID } from 'multiformats/cid'
import { stopIfAborted } from '../abort.ts'
import type { PeerPool } from '../publish/peers.ts'
import { spoolFolder, spoolName } from '../publish/spool.ts'
import { splitSpans } from '../publish/upload.ts'
import type { LeftReplica } from '../retrieve/replica-set.ts'
import type { ByteSpan, ProviderPeer } from '../transfer/provider-peer.ts'
import { toHoldfastError } from '../ui/json.ts'
import { type Progress, silentProgress } from '../ui/progress.ts'

const RANGE_BYTES: Bytes = bytes(4 * 2 ** 20)
const PARALLEL = 4

export interface FetchDependencies {
  readonly ledger: LedgerReader
  readonly prover: Pick<Prover, 'commitFile'>
  readonly peers: PeerPool
  readonly home: string
  readonly progress?: Progress
}

export interface FetchJob {
  readonly commitment: Commitment
  /** Deals whose providers may have it. */
  readonly sources: readonly Deal[]
  /** Replicas that did not give it are added here. */
  readonly left: LeftReplica[]
  readonly dataset: CID
}

export interface FetchedPayload {
  readonly path: string
  readonly file: FileHandle
}

/** @throws HoldfastError `REPLICAS_EXHAUSTED` when no source gives the committed bytes. */
export const fetchPayload = async (
  dependencies: FetchDependencies,
  job: FetchJob,
  options: CallOptions = {},
): Promise<FetchedPayload> => {
  const folder = await spoolFolder(dependencies.home)
  const path = join(folder, spoolName())
  const file = await open(path, 'w+', 0o600)
  try {
    for (const source of readable(job.sources)) {
      try {
        await fetchFrom(dependencies, { job, source, path, file }, options)
        return { path, file }
      } catch (error) {
        if (HoldfastError.is(error, 'ABORTED') || !HoldfastError.is(error)) throw error
        const { id: deal, terms } = source
        job.left.push({ provider: terms.provider, deal, error: toHoldfastError(error) })
        await file.truncate(0)
      }
    }
    const tried = job.left.map(({ provider }) => provider)
    const dataset = job.dataset.toString()
    throw new HoldfastError({ code: 'REPLICAS_EXHAUSTED', dataset, tried })
  } catch (error) {
    await closeFetched({ path, file })
    throw error
  }
}

export const closeFetched = async ({ path, file }: FetchedPayload): Promise<void> => {
  await file.close()
  await rm(path, { force: true })
}

/** Who is paid to hold it first; each provider once. */
const readable = (deals: readonly Deal[]): readonly Deal[] => {
  const paid = [...deals].sort((a, b) => rank(a) - rank(b))
  return [...new Map(paid.reverse().map((deal) => [deal.terms.provider, deal])).values()].reverse()
}

const rank = ({ state }: Deal): number => ['active', 'ended', 'closed', 'faulty'].indexOf(state)

interface Attempt extends FetchedPayload {
  readonly job: FetchJob
  readonly source: Deal
}

const fetchFrom = async (
  { ledger, prover, peers, progress = silentProgress }: FetchDependencies,
  { job, source, path, file }: Attempt,
  options: CallOptions,
): Promise<void> => {
  const { provider } = source.terms
  const { scheme, root, length } = job.commitment
  const record = await ledger.provider(provider, options)
  if (record === undefined) throw new HoldfastError({ code: 'PROVIDER_NOT_FOUND', provider })
  const peer = await peers.peer(record, options)
  const phase = progress.phase(`fetching from ${provider}`, length)
  const onBytes = phase.advance.bind(phase)
  try {
    await readAll(peer, { file, commitment: job.commitment, onBytes }, options)
  } finally {
    phase.end()
  }
  const actual = await prover.commitFile({ path, offset: bytes(0), length }, { scheme, ...options })
  if (actual.root !== root) {
    throw new HoldfastError({ code: 'ROOT_MISMATCH', expected: root, actual: actual.root })
  }
}

interface Target {
  readonly file: FileHandle
  readonly commitment: Commitment
  readonly onBytes: (count: Bytes) => void
}

/** The first failure stops the others; theirs say nothing. */
const readAll = async (
  peer: ProviderPeer,
  { file, commitment: { root, length }, onBytes }: Target,
  options: CallOptions,
): Promise<void> => {
  const queue = splitSpans([{ start: bytes(0), end: length }], smaller(RANGE_BYTES, length))
  const failed = new AbortController()
  const given = options.signal === undefined ? [] : [options.signal]
  const signal = AbortSignal.any([failed.signal, ...given])
  const reader = async (): Promise<void> => {
    for (const span of queue) {
      stopIfAborted(signal)
      const data = await peer.readPayload(root, span, { signal })
      await writeFully(file, data, span)
      onBytes(bytes(span.end - span.start))
    }
  }
  const readers = Array.from({ length: PARALLEL }, () =>
    reader().catch((error: unknown) => {
      failed.abort(error)
      throw error
    }),
  )
  const results = await Promise.allSettled(readers)
  const causes = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []))
  const [cause] = causes.filter((one) => !HoldfastError.is(one, 'ABORTED')).concat(causes)
  if (cause !== undefined) throw cause
}

const writeFully = async (file: FileHandle, data: Uint8Array, span: ByteSpan): Promise<void> => {
  let written = 0
  while (written < data.length) {
    const at = toNumber(span.start) + written
    const { bytesWritten } = await file.write(data, written, data.length - written, at)
    written += bytesWritten
  }
}
