/** Receipts with the block they are in; one whose block is not canonical any more is none. */
import { type CallOptions, type Hash32, hash32 } from '@holdfast/protocol'
import { type TransactionReceipt, TransactionReceiptNotFoundError } from 'viem'
import { getBlock, getTransactionReceipt } from 'viem/actions'
import type { BlockRef, LedgerEvent, NetworkParams, TxReceipt } from '../ledger.ts'
import { getHeaderOf, headerOf, refOf } from './blocks.ts'
import { abortable, type ChainClient, reach, signalsOf } from './client.ts'
import type { Endpoint } from './endpoints.ts'
import { decodeEvent } from './events.ts'

export interface Mined {
  readonly receipt: TransactionReceipt
  readonly block: BlockRef
}

/** As the port says it. */
export const receiptOf = (network: NetworkParams, { receipt, block }: Mined): TxReceipt => {
  const events: LedgerEvent[] = []
  for (const log of receipt.logs) {
    const event = decodeEvent(network, log)
    if (event !== undefined) events.push(event)
  }
  return {
    transaction: hash32(receipt.transactionHash),
    block,
    gasUsed: receipt.gasUsed,
    gasPrice: receipt.effectiveGasPrice,
    events,
  }
}

const orUndefined = async (
  receipt: Promise<TransactionReceipt>,
): Promise<TransactionReceipt | undefined> => {
  try {
    return await receipt
  } catch (cause) {
    if (cause instanceof TransactionReceiptNotFoundError) return undefined
    throw cause
  }
}

/** Undefined while it is not mined, or when its block was reorganised away just now. */
export const findMined = async (
  client: ChainClient,
  hash: Hash32,
  options?: CallOptions,
): Promise<Mined | undefined> => {
  const receipt = await reach(
    client,
    (rpc) => orUndefined(getTransactionReceipt(rpc, { hash })),
    options,
  )
  if (receipt === undefined) return undefined
  const header = await getHeaderOf(client, hash32(receipt.blockHash), options)
  return header === undefined ? undefined : { receipt, block: refOf(header) }
}

/**
 * The same, asked of every endpoint: the preferred one may be late, or deny it.
 * @returns what any of them has; compare with `isCorroborated` before it is believed.
 */
export const findAnywhere = async (
  client: ChainClient,
  hash: Hash32,
  options?: CallOptions,
): Promise<Mined | undefined> => {
  const asked = client.endpoints
    .usable()
    .map(({ rpc }) => minedAt(rpc, hash).catch(() => undefined))
  const found = await abortable(Promise.all(asked), signalsOf(client, options))
  return found.find((mined) => mined !== undefined)
}

const minedAt = async (rpc: Endpoint['rpc'], hash: Hash32): Promise<Mined | undefined> => {
  const receipt = await orUndefined(getTransactionReceipt(rpc, { hash }))
  if (receipt === undefined) return undefined
  const block = await getBlock(rpc, { blockHash: receipt.blockHash })
  return { receipt, block: refOf(headerOf(block)) }
}

type Opinion = 'same' | 'other' | 'none'

const opinionOf = async ({ rpc }: Endpoint, { receipt }: Mined, hash: Hash32): Promise<Opinion> => {
  const theirs = await orUndefined(getTransactionReceipt(rpc, { hash })).catch(() => null)
  if (theirs === null) return 'none'
  return theirs?.blockHash === receipt.blockHash && theirs.status === receipt.status
    ? 'same'
    : 'other'
}

/**
 * False while another endpoint that answers says otherwise: then it is asked again later. Each of the
 * two is held against its own block: one that shows a receipt of a transaction its block does not
 * list, or denies one that its block lists, is set aside. Where nobody else answers, one endpoint is
 * believed: what was sent is looked at again until it is final.
 */
export const isCorroborated = async (
  client: ChainClient,
  mined: Mined,
  hash: Hash32,
): Promise<boolean> => {
  const endpoints = client.endpoints.usable()
  if (endpoints.length < 2) return true
  const opinions = await Promise.all(endpoints.map((endpoint) => opinionOf(endpoint, mined, hash)))
  if (!opinions.includes('other')) return true
  let [shown, denied] = [0, 0]
  for (const [i, endpoint] of endpoints.entries()) {
    const opinion = opinions[i]
    if (opinion === undefined || opinion === 'none') continue
    const listed = await isListed(endpoint, mined, hash)
    if (listed === undefined) continue
    if (listed === (opinion === 'same')) {
      if (listed) shown += 1
      else denied += 1
      continue
    }
    const what = listed ? 'has no receipt of' : 'shows a receipt of'
    const where = `, which its block ${mined.block.number} ${listed ? 'lists' : 'does not list'}`
    client.endpoints.setAside(endpoint, `it ${what} transaction ${hash}${where}`)
  }
  return shown > 0 && denied === 0
}

/** Undefined when the endpoint has no such block (yet) or does not answer. */
const isListed = async (
  { rpc }: Endpoint,
  { block }: Mined,
  hash: Hash32,
): Promise<boolean | undefined> => {
  try {
    const { transactions } = await getBlock(rpc, { blockNumber: block.number })
    return transactions.includes(hash)
  } catch {
    return undefined
  }
}
