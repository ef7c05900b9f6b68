/**
 * Collects from a chain what `ledger-state.ts` reads: the header of a block, proofs of the words about
 * a provider's committed period, and drand's signature that its seed was made from. Asks one endpoint;
 * whoever gets the evidence checks it, so does whoever makes it.
 */
import {
  type CallOptions,
  type Clock,
  fromHex,
  type Hash32,
  type Hex,
  HoldfastError,
  hash32,
  keccak,
  type Logger,
  type Period,
  type ProviderId,
  toHex,
} from '@holdfast/protocol'
import { decodeFunctionData, encodeEventTopics, toRlp } from 'viem'
import { getTransaction } from 'viem/actions'
import { getHead } from '../evm/blocks.ts'
import { type ChainClient, openChain, reach } from '../evm/client.ts'
import { getLogsBetween } from '../evm/logs.ts'
import { drandBeaconAbi } from '../generated/contracts.ts'
import type { NetworkFile } from '../network-file.ts'
import { committedStateOf, readHeader, type StorageProof } from './ledger-state.ts'

export interface PeriodEvidence {
  /** RLP; its keccak is the block's hash. */
  readonly header: Uint8Array
  readonly storage: StorageProof
  /** Of the period's round, a G1 point of 128 bytes. */
  readonly signature: Uint8Array
}

/** Fields of a header in the order of its RLP; later forks append. */
const FIELDS = [
  ...['parentHash', 'sha3Uncles', 'miner', 'stateRoot', 'transactionsRoot', 'receiptsRoot'],
  ...['logsBloom', 'difficulty', 'number', 'gasLimit', 'gasUsed', 'timestamp', 'extraData'],
  ...['mixHash', 'nonce', 'baseFeePerGas', 'withdrawalsRoot', 'blobGasUsed', 'excessBlobGas'],
  ...['parentBeaconBlockRoot', 'requestsHash'],
] as const
const NUMBERS: ReadonlySet<string> = new Set([
  ...['difficulty', 'number', 'gasLimit', 'gasUsed', 'timestamp', 'baseFeePerGas'],
  ...['blobGasUsed', 'excessBlobGas'],
])

const unsuitable = (reason: string): HoldfastError =>
  new HoldfastError({ code: 'CHAIN_UNSUITABLE', reason })

type Raw = Readonly<Record<string, unknown>>

/** A quantity as RLP has it: no leading zeros, nothing for zero. */
const quantity = (value: string): Hex => {
  const digits = BigInt(value).toString(16)
  if (digits === '0') return '0x'
  return `0x${digits.length % 2 === 0 ? digits : `0${digits}`}`
}

const encodeHeader = (block: Raw): Uint8Array => {
  const parts: Hex[] = []
  for (const name of FIELDS) {
    const value = block[name]
    if (typeof value !== 'string') break
    parts.push(NUMBERS.has(name) ? quantity(value) : (value as Hex))
  }
  const header = fromHex(toRlp(parts) as Hex)
  if (toHex(keccak(header)) === block['hash']) return header
  throw unsuitable('the endpoint’s header has fields that this version does not know')
}

interface Source {
  readonly client: ChainClient
  readonly network: NetworkFile
  readonly options: CallOptions
}

const ask = (
  { client, options }: Source,
  method: string,
  params: readonly unknown[],
): Promise<unknown> => reach(client, (rpc) => rpc.request({ method, params } as never), options)

/** Words of the ledger's storage at a block, as asked for by slot. */
const proofOf = async (
  source: Source,
  slots: readonly Hash32[],
  block: string,
): Promise<StorageProof> => {
  const { proofs } = source.network.contracts
  const found = (await ask(source, 'eth_getProof', [proofs, slots, block])) as {
    readonly accountProof: readonly Hex[]
    readonly storageProof: readonly { readonly proof: readonly Hex[] }[]
  }
  const words = new Map<Hash32, readonly Uint8Array[]>()
  for (const [i, slot] of slots.entries()) {
    const one = found.storageProof[i]
    if (one === undefined) throw unsuitable('the endpoint leaves proofs out')
    words.set(slot, one.proof.map(fromHex))
  }
  return { account: found.accountProof.map(fromHex), words }
}

/** Asks for words until the reader needs no other: which tree counts depends on what they say. */
const storageOf = async (
  source: Source,
  { provider, period }: { readonly provider: ProviderId; readonly period: Period },
  block: string,
): Promise<StorageProof> => {
  const known = new Map<Hash32, bigint>()
  for (;;) {
    const missing: Hash32[] = []
    try {
      committedStateOf(
        (slot) => {
          const value = known.get(slot)
          if (value === undefined) missing.push(slot)
          return value ?? 2n ** 144n
        },
        provider,
        period,
      )
    } catch (error) {
      // With words still missing it reads nonsense; what it asked for is what is wanted.
      if (missing.length === 0) throw error
    }
    if (missing.length === 0) return proofOf(source, [...known.keys()], block)
    for (const slot of missing) {
      const value = await ask(source, 'eth_getStorageAt', [
        source.network.contracts.proofs,
        slot,
        block,
      ])
      known.set(slot, BigInt(String(value)))
    }
  }
}

/** From the transaction that posted the seed. */
const signatureOf = async (source: Source, period: Period): Promise<Uint8Array> => {
  const { client, network, options } = source
  const { beacon } = network.contracts
  const topics = encodeEventTopics({
    abi: drandBeaconAbi,
    eventName: 'SeedPosted',
    args: { period },
  })
  const { number: to } = await getHead(client, options)
  const query = { from: network.deployedAt, to, addresses: [beacon], topics }
  const [log] = await getLogsBetween(client, query, options)
  if (log === undefined) throw new HoldfastError({ code: 'SEED_MISSING', period })
  const hash = hash32(log.transactionHash)
  const { input } = await reach(client, (rpc) => getTransaction(rpc, { hash }), options)
  try {
    const { functionName, args } = decodeFunctionData({ abi: drandBeaconAbi, data: input })
    if (functionName !== 'postSeed') throw new Error(functionName)
    return fromHex(args[1])
  } catch (cause) {
    const reason = `the seed of period ${period} was posted through another contract, its signature is not in the transaction ${hash}`
    throw new HoldfastError({ code: 'CHAIN_UNSUITABLE', reason }, { cause })
  }
}

/**
 * What a third party needs from the chain about a committed period of the last 8.
 * @throws HoldfastError `LEDGER_UNREACHABLE`, `CHAIN_UNSUITABLE` (no `eth_getProof`, unknown headers),
 *   `PROOF_INVALID` when the state does not hold the period, `SEED_MISSING`.
 */
export const readPeriodEvidence = async (
  network: NetworkFile,
  about: { readonly provider: ProviderId; readonly period: Period },
  { clock, logger, ...options }: CallOptions & { readonly clock: Clock; readonly logger: Logger },
): Promise<PeriodEvidence> => {
  const stop = new AbortController()
  const ambient = { clock, logger, stop: stop.signal, expectedChainId: network.chainId }
  try {
    const client = await openChain({ rpc: network.rpc, ...ambient })
    const source = { client, network, options }
    const block = (await ask(source, 'eth_getBlockByNumber', ['latest', false])) as Raw
    const header = encodeHeader(block)
    const { number } = readHeader(header)
    const storage = await storageOf(source, about, `0x${number.toString(16)}`)
    const signature = await signatureOf(source, about.period)
    return { header, storage, signature }
  } finally {
    stop.abort()
  }
}
