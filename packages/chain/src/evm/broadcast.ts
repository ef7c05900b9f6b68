/**
 * Hands signed bytes to every endpoint. What endpoints say about it is a hint: whether a transaction
 * is on its way is known from the chain alone (`line-keeper.ts`).
 */
import type { CallOptions, Hash32, Hex } from '@holdfast/protocol'
import { BaseError } from 'viem'
import { abortable, type ChainClient, signalsOf } from './client.ts'
import { type Endpoint, isTransport } from './endpoints.ts'

export type Handed =
  | { readonly kind: 'taken' }
  /** The answers are lost, or speak of the nonce or the price: it may be on its way or not. */
  | { readonly kind: 'unsure' }
  /** Every endpoint answered that it will never take these bytes. */
  | { readonly kind: 'refused'; readonly cause: unknown }

const KNOWN = /already known|already imported|alreadyknown|known transaction/
/** Of the nonce, or of a price that another hour may accept. */
const PASSING = /nonce|underpriced|replacement transaction|base fee|basefee|fee cap|max fee/

/** @throws HoldfastError `ABORTED`. */
export const broadcast = async (
  client: ChainClient,
  raw: Hex,
  options?: CallOptions,
): Promise<Handed> => {
  const tries = client.endpoints.usable().map((endpoint) => handTo(endpoint, raw))
  const answers = await abortable(Promise.all(tries), signalsOf(client, options))
  const refused = answers.filter((answer) => answer.kind === 'refused')
  if (answers.some(({ kind }) => kind === 'taken')) return { kind: 'taken' }
  return refused.length === answers.length && refused[0] !== undefined
    ? refused[0]
    : { kind: 'unsure' }
}

/**
 * Tries twice: the same bytes may be handed over any number of times, and an endpoint that fails in
 * step with our looks at the chain would otherwise never get them.
 */
const handTo = async (endpoint: Endpoint, raw: Hex, tries = 2): Promise<Handed> => {
  try {
    await endpoint.rpc.request({ method: 'eth_sendRawTransaction', params: [raw] })
    return { kind: 'taken' }
  } catch (cause) {
    if (isTransport(cause) && tries > 1) return handTo(endpoint, raw, tries - 1)
    if (isTransport(cause) || !(cause instanceof BaseError)) return { kind: 'unsure' }
    const words = `${cause.message} ${cause.details}`.toLowerCase()
    if (KNOWN.test(words)) return { kind: 'taken' }
    return PASSING.test(words) ? { kind: 'unsure' } : { kind: 'refused', cause }
  }
}

/** Whether any endpoint has the transaction, mined or waiting; undefined when none can say. */
export const isKnown = async (
  client: ChainClient,
  hash: Hash32,
  options?: CallOptions,
): Promise<boolean | undefined> => {
  const looks = client.endpoints.usable().map(({ rpc }) =>
    rpc.request({ method: 'eth_getTransactionByHash', params: [hash] }).then(
      (found) => found !== null,
      () => undefined,
    ),
  )
  const answers = await abortable(Promise.all(looks), signalsOf(client, options))
  return answers.includes(true) ? true : answers.includes(false) ? false : undefined
}
