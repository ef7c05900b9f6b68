/**
 * What no single endpoint decides. Deleting data and signing money rest on answers that two endpoints
 * give alike; where only one is configured, that one is trusted, and the operator was told so.
 *
 * Invariants: an answer that one endpoint gives alone is never returned while two are configured; an
 * endpoint that is outvoted two to one is set aside.
 */
import { type CallOptions, HoldfastError, milliseconds } from '@holdfast/protocol'
import type { Client, Transport } from 'viem'
import { getBlock } from 'viem/actions'
import type { BlockRef } from '../ledger.ts'
import { type Header, headerOf, refOf } from './blocks.ts'
import { abortable, type ChainClient, pause, reach, signalsOf } from './client.ts'
import type { Endpoint } from './endpoints.ts'

/** Endpoints may be a block apart for a moment: so often they are asked again. */
const TRIES = 4
const PAUSE_MS = 500

export type EndpointCall<T> = (rpc: Client<Transport>) => Promise<T>

interface Vote<T> {
  readonly endpoint: Endpoint
  readonly value: T
}

/** Answers of all endpoints that give one. */
const votesOn = async <T>(
  client: ChainClient,
  call: EndpointCall<T>,
  options?: CallOptions,
): Promise<readonly Vote<T>[]> => {
  const asked = client.endpoints.usable().map(async (endpoint): Promise<Vote<T> | undefined> => {
    try {
      return { endpoint, value: await call(endpoint.rpc) }
    } catch (reason) {
      client.logger.debug('an endpoint has no opinion', { endpoint: endpoint.shown, reason })
      return undefined
    }
  })
  const votes = await abortable(Promise.all(asked), signalsOf(client, options))
  return votes.filter((vote) => vote !== undefined)
}

const textOf = (value: unknown): string =>
  JSON.stringify(value, (_name, field: unknown) =>
    typeof field === 'bigint' ? `${field}n` : field,
  ) ?? 'undefined'

/**
 * The answer that two endpoints give alike.
 * @param what for people: "the balance of 0x…".
 * @param call must not depend on which block is newest, or endpoints a block apart disagree.
 * @throws HoldfastError `LEDGER_UNREACHABLE` when two do not agree; `ABORTED`.
 */
export const agreed = async <T>(
  client: ChainClient,
  what: string,
  call: EndpointCall<T>,
  options?: CallOptions,
): Promise<T> => {
  if (client.endpoints.count === 1) return reach(client, call, options)
  for (let round = 1; ; round++) {
    const votes = await votesOn(client, call, options)
    const winner = votes.find(({ value, endpoint }) =>
      votes.some((vote) => vote.endpoint !== endpoint && textOf(vote.value) === textOf(value)),
    )
    if (winner !== undefined) {
      for (const vote of votes) {
        if (textOf(vote.value) === textOf(winner.value)) continue
        client.endpoints.setAside(vote.endpoint, `it is alone with its answer about ${what}`)
      }
      return winner.value
    }
    if (round === TRIES) throw disagreement(client, what, votes.length)
    await pause(client, milliseconds(PAUSE_MS * round), options)
  }
}

const disagreement = (client: ChainClient, what: string, answers: number): HoldfastError => {
  const how = answers < 2 ? `only ${answers} of them answered` : 'they contradict each other'
  const reason = `two endpoints must agree on ${what}; ${how}`
  return new HoldfastError({ code: 'LEDGER_UNREACHABLE', endpoint: client.endpoint, reason })
}

const headOf: EndpointCall<Header> = async (rpc) =>
  headerOf(await getBlock(rpc, { blockTag: 'latest' }))

/** An endpoint this far from the others, in blocks and in seconds, is not telling the truth. */
const APART_BLOCKS = 5n
const APART_SECONDS = 60n

/**
 * The newest block that two endpoints have reached; the newest at all where one is configured or
 * answers. One that is far behind or ahead of the others is set aside.
 */
export const sharedHead = async (client: ChainClient, options?: CallOptions): Promise<Header> => {
  if (client.endpoints.usable().length === 1) return headerOf(await newest(client, options))
  const votes = [...(await votesOn(client, headOf, options))]
  votes.sort((a, b) => (a.value.number > b.value.number ? -1 : 1))
  const second = votes[1]
  if (second === undefined) return votes[0]?.value ?? headerOf(await newest(client, options))
  const reference = votes.length > 2 ? second : plausible(client, votes)
  for (const vote of votes) {
    if (!isApart(vote.value, reference.value)) continue
    const where = vote.value.number < reference.value.number ? 'behind' : 'ahead of'
    const others = `block ${vote.value.number} ${where} the others at ${reference.value.number}`
    client.endpoints.setAside(vote.endpoint, `its newest is ${others}`)
  }
  return votes.length > 2 || !isApart(second.value, reference.value)
    ? second.value
    : reference.value
}

const newest = (client: ChainClient, options?: CallOptions) =>
  reach(client, (rpc) => getBlock(rpc, { blockTag: 'latest' }), options)

const isApart = (a: BlockRef, b: BlockRef): boolean => {
  const [blocks, seconds] = [a.number - b.number, a.timestamp - b.timestamp]
  const apart = (value: bigint): bigint => (value < 0n ? -value : value)
  return apart(blocks) > APART_BLOCKS && apart(seconds) > APART_SECONDS
}

/** Of two that differ, the one whose time is nearer to this machine's. */
const plausible = (client: ChainClient, votes: readonly Vote<Header>[]): Vote<Header> => {
  const now = client.clock.now() / 1000
  const off = ({ value }: Vote<Header>): number => Math.abs(Number(value.timestamp) - now)
  const [first, ...rest] = votes
  if (first === undefined) throw new HoldfastError({ code: 'INVARIANT', sentence: 'two votes' })
  return rest.reduce((best, vote) => (off(vote) < off(best) ? vote : best), first)
}

/**
 * The block `depth` below the shared head, on whose hash two endpoints agree: what is in it or below
 * is final for everything that cannot be undone.
 * @throws HoldfastError `LEDGER_UNREACHABLE` when two do not agree.
 */
export const finalBlock = async (
  client: ChainClient,
  depth: number,
  options?: CallOptions,
): Promise<BlockRef> => {
  const head = await sharedHead(client, options)
  const number = head.number > BigInt(depth) ? head.number - BigInt(depth) : 0n
  const call: EndpointCall<BlockRef> = async (rpc) =>
    refOf(headerOf(await getBlock(rpc, { blockNumber: number })))
  return agreed(client, `block ${number}`, call, options)
}
