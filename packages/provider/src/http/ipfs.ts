/**
 * `GET` and `HEAD /ipfs/{cid}`: single blocks and CARs of DAGs as a trustless gateway gives them (IPFS
 * specification of 2026-03), out of payloads that are CARs. `format` or `Accept` says which; whoever
 * asks checks every block against its CID. Paths below a CID are not resolved here.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { bytes, type Clock, HoldfastError, type Root } from '@holdfast/protocol'
import type { CID } from 'multiformats/cid'
import type { CarCatalogue, FoundBlock } from '../car/car-catalogue.ts'
import { IDENTITY, parseCid } from '../car/cids.ts'
import { walkDag } from '../car/dag-walk.ts'
import { writeHeader } from '../car/header.ts'
import type { DagScope } from '../car/links.ts'
import type { Holdings } from '../holdings.ts'
import type { Admission } from '../limits/admission.ts'
import { SAFE_HEADERS } from './answers.ts'
import { parseRange } from './byte-ranges.ts'
import type { Denylist } from './denylist.ts'
import { type ProgressRule, watchProgress } from './progress-watch.ts'
import { writeOut } from './write-out.ts'

export interface GatewayDependencies {
  readonly catalogue: CarCatalogue
  readonly holdings: Holdings
  readonly denylist: Denylist
  readonly admission: Admission
  readonly clock: Clock
  readonly progress: () => ProgressRule
  /** Told how many bytes of a payload were served. */
  readonly onServed: (root: Root, count: number) => void
}

interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

type Format = 'raw' | 'car'

const TYPES: Readonly<Record<Format, string>> = {
  raw: 'application/vnd.ipld.raw',
  car: 'application/vnd.ipld.car',
}
const CACHE = 'public, max-age=29030400, immutable, no-transform'
const SCOPES: ReadonlySet<string> = new Set(['block', 'entity', 'all'])
/** Parameters that change what a CAR holds and are not served. */
const NOT_SERVED = ['entity-bytes'] as const

interface Asked {
  readonly cid: CID
  readonly format: Format
  readonly scope: DagScope
}

const refuse = (field: string, reason: string): HoldfastError =>
  new HoldfastError({ code: 'MESSAGE_INVALID', field, reason })

/** @throws HoldfastError `MESSAGE_INVALID`, naming what is wrong with the request. */
export const parseAsked = (path: string, query: URLSearchParams, accept: string): Asked => {
  const cid = parseCid(path)
  if (cid === undefined) throw refuse('path', 'not /ipfs/ and a CID; paths below are not resolved')
  const format = query.get('format') ?? formatOf(accept)
  if (format !== 'raw' && format !== 'car') {
    throw refuse('format', 'ask for format=raw or format=car, or so in Accept')
  }
  for (const name of NOT_SERVED) if (query.has(name)) throw refuse(name, 'is not served here')
  const scope = query.get('dag-scope') ?? 'all'
  if (!SCOPES.has(scope)) throw refuse('dag-scope', 'is none of block, entity, all')
  const version = query.get('car-version') ?? /vnd\.ipld\.car;[^,]*version=(\d+)/.exec(accept)?.[1]
  if (format === 'car' && (version ?? '1') !== '1') throw refuse('car-version', 'only 1 is served')
  return { cid, format, scope: scope as DagScope }
}

const formatOf = (accept: string): Format | undefined =>
  (['raw', 'car'] as const).find((format) => accept.includes(TYPES[format]))

/** Answers one request. @throws HoldfastError before any byte has left. */
export const getIpfs = async (
  dependencies: GatewayDependencies,
  url: URL,
  exchange: Exchange,
): Promise<void> => {
  const { request, response } = exchange
  const path = url.pathname.slice('/ipfs/'.length)
  const asked = parseAsked(path, url.searchParams, request.headers.accept ?? '')
  await dependencies.denylist.refresh()
  dependencies.denylist.check(asked.cid)
  const etag = etagOf(asked)
  const headers = headersOf(asked, etag)
  if (isKnown(request.headers['if-none-match'], etag)) {
    response.writeHead(304, { ...SAFE_HEADERS, etag, 'cache-control': CACHE }).end()
    return
  }
  if (asked.cid.multihash.code === IDENTITY) return sendIdentity(asked, headers, exchange)
  const found = await dependencies.catalogue.find(asked.cid)
  if (found === undefined) {
    if (/only-if-cached/.test(request.headers['cache-control'] ?? '')) response.statusCode = 412
    throw new HoldfastError({ code: 'BLOCK_NOT_FOUND', cid: String(asked.cid) })
  }
  const send = asked.format === 'raw' ? sendRaw : sendCar
  await send(dependencies, { asked, found, headers }, exchange)
}

const etagOf = ({ cid, format, scope }: Asked): string =>
  format === 'raw' ? `"${cid}.raw"` : `W/"${cid}.car.${scope}.dfs.n"`

const isKnown = (header: string | undefined, etag: string): boolean => {
  const plain = etag.replace(/^W\//, '')
  const known = (header ?? '').split(',').map((tag) => tag.trim().replace(/^W\//, ''))
  return known.includes(plain) || known.includes('*')
}

type Headers = Readonly<Record<string, string>>

const headersOf = ({ cid, format }: Asked, etag: string): Headers => ({
  ...SAFE_HEADERS,
  'content-type': format === 'raw' ? TYPES.raw : `${TYPES.car}; version=1; order=dfs; dups=n`,
  'content-disposition': `attachment; filename="${cid}.${format === 'raw' ? 'bin' : 'car'}"`,
  'cache-control': CACHE,
  'x-ipfs-path': `/ipfs/${cid}`,
  'x-ipfs-roots': String(cid),
  vary: 'Accept',
  etag,
  ...(format === 'raw' ? { 'accept-ranges': 'bytes' } : { 'accept-ranges': 'none' }),
})

/** The block is in the CID itself; a CAR never holds it. */
const sendIdentity = (
  { cid, format }: Asked,
  headers: Headers,
  { request, response }: Exchange,
): void => {
  const body = format === 'raw' ? Buffer.from(cid.multihash.digest) : writeHeader(cid)
  response.writeHead(200, { ...headers, 'content-length': body.length })
  response.end(request.method === 'HEAD' ? undefined : body)
}

interface Answer {
  readonly asked: Asked
  readonly found: FoundBlock
  readonly headers: Headers
}

const sendRaw = async (
  dependencies: GatewayDependencies,
  { found, headers }: Answer,
  exchange: Exchange,
): Promise<void> => {
  const { request, response } = exchange
  const { length, offset, payload } = found
  const asked = parseRange(request.headers.range, bytes(length))
  if (asked.kind === 'unsatisfiable') {
    response.setHeader('content-range', `bytes */${length}`)
    response.statusCode = 416
    throw new HoldfastError({ code: 'RANGE_INVALID', reason: `the block has ${length} bytes` })
  }
  const whole = { start: bytes(0), end: bytes(length) }
  const { start, end } = asked.kind === 'part' ? asked.range : whole
  const part = asked.kind === 'part'
  const range = part ? { 'content-range': `bytes ${start}-${end - 1n}/${length}` } : {}
  const status = part ? 206 : 200
  const all = { ...headers, ...range, 'content-length': `${end - start}` }
  if (request.method === 'HEAD') return void response.writeHead(status, all).end()
  const at = { start: bytes(BigInt(offset) + start), end: bytes(BigInt(offset) + end) }
  await stream(dependencies, exchange, { status, headers: all, payload }, (signal) =>
    dependencies.holdings.read(payload, at, { signal }),
  )
}

const sendCar = async (
  dependencies: GatewayDependencies,
  { asked, found, headers }: Answer,
  exchange: Exchange,
): Promise<void> => {
  const { request, response } = exchange
  if (request.method === 'HEAD') return void response.writeHead(200, headers).end()
  const { catalogue, holdings, denylist } = dependencies
  const allow = (cid: CID): void => denylist.check(cid)
  const pieces = async function* (): AsyncGenerator<Uint8Array> {
    yield writeHeader(asked.cid)
    const root = { ...found, cid: asked.cid }
    for await (const { section } of walkDag({ catalogue, holdings, allow }, root, asked.scope)) {
      yield section
    }
  }
  await stream(dependencies, exchange, { status: 200, headers, payload: found.payload }, pieces)
}

interface Opened {
  readonly status: number
  readonly headers: Headers
  /** Whose bytes these are, mostly. */
  readonly payload: Root
}

/** Sends pieces under limits; whatever goes wrong after the first one cuts the connection. */
const stream = async (
  { admission, clock, progress, onServed }: GatewayDependencies,
  { response }: Exchange,
  { status, headers, payload }: Opened,
  open: (signal: AbortSignal) => AsyncGenerator<Uint8Array>,
): Promise<void> => {
  const leave = admission.read()
  const gone = new AbortController()
  response.once('close', () => gone.abort())
  let moved = 0
  const pieces = open(gone.signal)
  const watching = watchProgress(clock, progress(), {
    moved: () => moved,
    stalled: () => response.destroy(),
    done: gone.signal,
  })
  try {
    let piece = await pieces.next()
    response.writeHead(status, headers)
    for (; !piece.done && !gone.signal.aborted; piece = await pieces.next()) {
      await writeOut(response, piece.value, gone.signal)
      moved += piece.value.length
      onServed(payload, piece.value.length)
    }
    response.end()
  } catch (error) {
    if (response.headersSent) response.destroy()
    if (!gone.signal.aborted) throw error
  } finally {
    gone.abort()
    leave()
    await watching
  }
}
