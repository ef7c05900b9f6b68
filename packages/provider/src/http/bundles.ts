/**
 * `GET` and `HEAD /v1/bundles/…`: a committed bundle and its entries as JSON, for whoever checks a
 * provider. Bytes are hex, integers decimal strings.
 */
import type { ServerResponse } from 'node:http'
import {
  BUNDLE_ENTRIES_MAX,
  type BundleOpening,
  dealId,
  HoldfastError,
  type Period,
  period,
  toHex,
} from '@holdfast/protocol'
import type { BundleDesk } from '../bundles/bundle-desk.ts'
import { sendJson } from './answers.ts'

const ROUTE = /^\/v1\/bundles\/(\d{1,20})(?:\/deals\/(0x[0-9a-f]{64})|\/entries\/(\d{1,12}))?$/

/** What a path asks of a bundle. */
interface BundleRoute {
  readonly period: Period
  readonly deal: string | undefined
  readonly index: string | undefined
}

/** Undefined for a path that is not about bundles. @throws HoldfastError `RANGE_INVALID`. */
export const bundleRoute = (pathname: string): BundleRoute | undefined => {
  const match = ROUTE.exec(pathname)
  if (match === null) return undefined
  const [, of = '', deal, index] = match
  const number = BigInt(of)
  if (number >= 1n << 64n || BigInt(index ?? 0) >= BUNDLE_ENTRIES_MAX) {
    throw new HoldfastError({ code: 'RANGE_INVALID', reason: `there is no ${pathname}` })
  }
  return { period: period(number), deal, index }
}

/** @throws HoldfastError `BUNDLE_NOT_FOUND`, `DEAL_NOT_FOUND`, `RANGE_INVALID`, `RATE_LIMITED`. */
export const getBundle = async (
  desk: BundleDesk,
  { period: of, deal, index }: BundleRoute,
  response: ServerResponse,
): Promise<void> => {
  const { signal } = abortedWith(response)
  if (deal === undefined && index === undefined) {
    return sendJson(response, 200, await desk.describe(of, { signal }))
  }
  const request =
    deal === undefined
      ? { period: of, indices: [BigInt(index ?? 0)] }
      : { period: of, deal: dealId(deal) }
  const { entries } = await desk.entries(request, { signal })
  sendJson(response, 200, { count: entries[0]?.count, entries: entries.map(entryJson) })
}

/** Fires when the peer goes away. */
const abortedWith = (response: ServerResponse): { readonly signal: AbortSignal } => {
  const gone = new AbortController()
  response.once('close', () => gone.abort())
  return gone
}

const entryJson = ({ index, answer, path }: BundleOpening): object => ({
  index,
  answer: toHex(answer),
  path: toHex(path),
})
