/**
 * `GET` and `HEAD /v1/payloads/{root}`: stored bytes, whole or by range, every frame checked before
 * it leaves. When damage shows in the middle of an answer the connection is cut: a short answer is
 * noticed, a wrong byte might not be.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { bytes, type Clock, HoldfastError, type Root, root } from '@holdfast/protocol'
import type { CarCatalogue } from '../car/car-catalogue.ts'
import type { Holdings } from '../holdings.ts'
import type { Admission } from '../limits/admission.ts'
import type { ByteRange } from '../store/ranges.ts'
import type { StoredPayload } from '../store/sector-store.ts'
import { SAFE_HEADERS, sendJson } from './answers.ts'
import { parseRange } from './byte-ranges.ts'
import type { Denylist } from './denylist.ts'
import { type ProgressRule, watchProgress } from './progress-watch.ts'
import { writeOut } from './write-out.ts'

export interface PayloadDependencies {
  readonly holdings: Holdings
  readonly clock: Clock
  readonly progress: () => ProgressRule
  readonly admission: Admission
  readonly denylist: Denylist
  readonly catalogue: CarCatalogue
  /** Told how many bytes of a payload were served. */
  readonly onServed: (root: Root, count: number) => void
}

interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

/**
 * Serves a payload.
 * @throws HoldfastError `PAYLOAD_NOT_FOUND`, `PAYLOAD_CORRUPT`, `DENIED` before any byte.
 */
export const getPayload = async (
  dependencies: PayloadDependencies,
  name: string,
  exchange: Exchange,
): Promise<void> => {
  const { denylist, catalogue, holdings } = dependencies
  await denylist.refresh()
  denylist.checkPayload(name, await catalogue.rootsOf(root(name)))
  const stored = storedPayload(holdings, root(name))
  const { length } = stored.commitment
  const { request, response } = exchange
  const etag = `"${stored.commitment.root}"`
  if (request.headers['if-none-match'] === etag) {
    response.writeHead(304, { ...SAFE_HEADERS, etag }).end()
    return
  }
  const conditional = request.headers['if-range']
  const range =
    conditional === undefined || conditional === etag ? request.headers.range : undefined
  const asked = parseRange(range, length)
  if (asked.kind === 'unsatisfiable') {
    response.setHeader('content-range', `bytes */${length}`)
    const detail = { code: 'RANGE_INVALID', reason: `the payload has ${length} bytes` } as const
    const { message, hint } = new HoldfastError(detail)
    sendJson(response, 416, { error: { ...detail, message, hint } })
    return
  }
  const part = asked.kind === 'part' ? asked.range : undefined
  await sendBytes(dependencies, stored, part, exchange)
}

const storedPayload = (holdings: Holdings, wanted: Root): StoredPayload => {
  const stored = holdings.find(wanted)
  if (stored !== undefined) return stored
  const damage = holdings.damageOf(wanted)
  if (damage === undefined) throw new HoldfastError({ code: 'PAYLOAD_NOT_FOUND', root: wanted })
  throw new HoldfastError({ code: 'PAYLOAD_CORRUPT', ...damage })
}

const sendBytes = async (
  dependencies: PayloadDependencies,
  { commitment }: StoredPayload,
  part: ByteRange | undefined,
  { request, response }: Exchange,
): Promise<void> => {
  const range = part ?? { start: bytes(0), end: commitment.length }
  const headers = headersFor(commitment, range, part !== undefined)
  if (request.method === 'HEAD') {
    response.writeHead(part === undefined ? 200 : 206, headers).end()
    return
  }
  const leave = dependencies.admission.read()
  const gone = new AbortController()
  response.once('close', () => {
    gone.abort()
    leave()
  })
  const reader = dependencies.holdings.read(commitment.root, range, { signal: gone.signal })
  const first = await reader.next()
  response.writeHead(part === undefined ? 200 : 206, headers)
  let moved = 0
  const watching = watchProgress(dependencies.clock, dependencies.progress(), {
    moved: () => moved,
    stalled: () => response.destroy(),
    done: gone.signal,
  })
  try {
    for (let piece = first; !piece.done; piece = await reader.next()) {
      if (gone.signal.aborted) break
      await writeOut(response, piece.value, gone.signal)
      moved += piece.value.length
      dependencies.onServed(commitment.root, piece.value.length)
    }
    response.end()
  } catch (error) {
    response.destroy()
    if (!gone.signal.aborted) throw error
  } finally {
    gone.abort()
    await watching
  }
}

const headersFor = (
  { root: name, length }: StoredPayload['commitment'],
  { start, end }: ByteRange,
  partial: boolean,
): Readonly<Record<string, string>> => ({
  ...SAFE_HEADERS,
  'content-type': 'application/octet-stream',
  'content-disposition': `attachment; filename="${name}.car"`,
  'content-length': `${end - start}`,
  'accept-ranges': 'bytes',
  etag: `"${name}"`,
  'cache-control': 'public, max-age=31536000, immutable, no-transform',
  ...(partial ? { 'content-range': `bytes ${start}-${end - 1n}/${length}` } : {}),
})
