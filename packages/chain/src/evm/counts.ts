/**
 * How far an account's nonces are spent, as two endpoints say: the second highest of all answers, so
 * that a single endpoint cannot invent nonces, and one that lags does not hold anything up for long.
 */
import type { Address, CallOptions } from '@holdfast/protocol'
import { getTransactionCount } from 'viem/actions'
import { abortable, type ChainClient, reach, signalsOf } from './client.ts'

export interface Counts {
  /** Nonces below are spent by mined transactions. */
  readonly spent: number
  /** Nonces below are spent or have a transaction in a pool. */
  readonly pooled: number
}

type Tag = 'latest' | 'pending'

const countOf = async (
  client: ChainClient,
  address: Address,
  blockTag: Tag,
  options?: CallOptions,
): Promise<number> => {
  const endpoints = client.endpoints.usable()
  if (endpoints.length > 1) {
    const asked = endpoints.map(({ rpc }) => getTransactionCount(rpc, { address, blockTag }))
    const answers = await abortable(secondHighest(asked), signalsOf(client, options))
    if (answers !== undefined) return answers
  }
  return reach(client, (rpc) => getTransactionCount(rpc, { address, blockTag }), options)
}

/** Of those that answer; undefined when fewer than two do. */
const secondHighest = async (asked: readonly Promise<number>[]): Promise<number | undefined> => {
  const settled = await Promise.allSettled(asked)
  const counts = settled.flatMap((one) => (one.status === 'fulfilled' ? one.value : []))
  return counts.sort((a, b) => b - a)[1]
}

/** @throws HoldfastError `LEDGER_UNREACHABLE`, `ABORTED`. */
export const readCounts = async (
  client: ChainClient,
  account: Address,
  options?: CallOptions,
): Promise<Counts> => {
  const [spent, pooled] = await Promise.all([
    countOf(client, account, 'latest', options),
    countOf(client, account, 'pending', options),
  ])
  return { spent, pooled: Math.max(spent, pooled) }
}
