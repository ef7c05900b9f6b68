/** Blocks as references: number, hash, time, and the parent's hash where chains are followed. */
import { type CallOptions, type Hash32, HoldfastError, hash32, timestamp } from '@holdfast/protocol'
import { type Block, BlockNotFoundError } from 'viem'
import { getBlock } from 'viem/actions'
import type { BlockRef } from '../ledger.ts'
import { type ChainClient, reach } from './client.ts'

export interface Header extends BlockRef {
  readonly parent: Hash32
}

/** @throws HoldfastError `CHAIN_UNSUITABLE` for a block that is not mined. */
export const headerOf = (block: Block): Header => {
  if (block.hash === null || block.number === null) {
    throw new HoldfastError({
      code: 'CHAIN_UNSUITABLE',
      reason: 'the endpoint answered with a block that is not mined',
    })
  }
  return {
    number: block.number,
    hash: hash32(block.hash),
    timestamp: timestamp(block.timestamp),
    parent: hash32(block.parentHash),
  }
}

export const refOf = ({ number, hash, timestamp }: BlockRef): BlockRef => ({
  number,
  hash,
  timestamp,
})

/** The newest block, as one endpoint sees it; what decides something takes `sharedHead`. */
export const getHead = async (client: ChainClient, options?: CallOptions): Promise<Header> =>
  headerOf(await reach(client, (rpc) => getBlock(rpc, { blockTag: 'latest' }), options))

const orUndefined = async (block: Promise<Block>): Promise<Block | undefined> => {
  try {
    return await block
  } catch (cause) {
    if (cause instanceof BlockNotFoundError) return undefined
    throw cause
  }
}

/** The block of a number, or undefined when the chain is not that long. */
export const getHeaderAt = async (
  client: ChainClient,
  blockNumber: bigint,
  options?: CallOptions,
): Promise<Header | undefined> => {
  const block = await reach(client, (rpc) => orUndefined(getBlock(rpc, { blockNumber })), options)
  return block === undefined ? undefined : headerOf(block)
}

/** The block of a hash, canonical or not, or undefined when the endpoint does not know it. */
export const getHeaderOf = async (
  client: ChainClient,
  blockHash: Hash32,
  options?: CallOptions,
): Promise<Header | undefined> => {
  const block = await reach(client, (rpc) => orUndefined(getBlock(rpc, { blockHash })), options)
  return block === undefined ? undefined : headerOf(block)
}
