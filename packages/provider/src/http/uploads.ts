/**
 * `PUT` and `GET /v1/uploads/{session}`: parts of a payload into an open session, and which of them
 * are durable. The body is streamed to the intake; nothing of it is kept here.
 */

import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Clock, HoldfastError, type SessionRequest } from '@holdfast/protocol'
import type { Checksum } from '@holdfast/prover'
import type { Intake } from '../intake/intake.ts'
import type { Admission } from '../limits/admission.ts'
import type { ByteRange } from '../store/ranges.ts'
import { sendJson } from './answers.ts'
import { parseContentRange } from './byte-ranges.ts'
import { parseContentDigest } from './content-digest.ts'
import { type ProgressRule, watchProgress } from './progress-watch.ts'
import { bunchesOf } from './request-body.ts'

export interface UploadDependencies {
  readonly intake: Intake
  readonly clock: Clock
  readonly progress: () => ProgressRule
  readonly checksum: Checksum
  readonly admission: Admission
}

const sessionRequest = (session: string, request: IncomingMessage): SessionRequest => {
  const match = /^Bearer ([A-Za-z0-9._~+/=-]{1,256})$/.exec(request.headers.authorization ?? '')
  const token = match?.[1]
  if (token === undefined) {
    const reason = 'the Authorization header carries no bearer token'
    throw new HoldfastError({ code: 'UNAUTHORIZED', reason })
  }
  return { session, token }
}

/** Answers with the durable ranges. */
export const getUpload = (
  { intake }: UploadDependencies,
  session: string,
  { request, response }: { request: IncomingMessage; response: ServerResponse },
): void => sendRanges(response, intake.durable(sessionRequest(session, request)))

/** Takes one part. */
export const putUpload = async (
  { intake, clock, progress, checksum, admission }: UploadDependencies,
  session: string,
  { request, response }: { request: IncomingMessage; response: ServerResponse },
): Promise<void> => {
  const authority = sessionRequest(session, request)
  const part = parseContentRange(request.headers['content-range'])
  checkBody(request, part)
  const digest = parseContentDigest(headerOf(request, 'content-digest'), checksum)
  admission.part(intake.partsInFlight)
  const done = new AbortController()
  let moved = 0
  const onChunk = (chunk: Uint8Array): void => {
    moved += chunk.length
    digest?.add(chunk)
  }
  const checked = async function* (stop: AbortSignal): AsyncGenerator<readonly Uint8Array[]> {
    yield* bunchesOf(request, stop, onChunk)
    digest?.check()
  }
  const watching = watchProgress(clock, progress(), {
    moved: () => moved,
    isHeld: () => request.isPaused(),
    stalled: () => request.destroy(stalled(progress())),
    done: done.signal,
  })
  try {
    const body = { bunches: checked, checkedAtEnd: digest !== undefined }
    sendRanges(response, await intake.putPart(authority, part, body))
  } finally {
    done.abort()
    await watching
  }
}

/** The announced length must be that of the range, and the bytes must be as they are. */
const checkBody = (request: IncomingMessage, part: ByteRange): void => {
  const length = request.headers['content-length']
  const expected = part.end - part.start
  if (length === undefined || !/^\d{1,16}$/.test(length) || BigInt(length) !== expected) {
    const reason = `Content-Length is ${length ?? 'missing'}, the range has ${expected} bytes`
    throw new HoldfastError({ code: 'RANGE_INVALID', reason })
  }
  const encoding = request.headers['content-encoding'] ?? 'identity'
  if (encoding !== 'identity') {
    throw new HoldfastError({ code: 'ENCODING_REFUSED', encoding: encoding.slice(0, 64) })
  }
}

/** A header that may be there once. */
const headerOf = (request: IncomingMessage, name: string): string | undefined => {
  const value = request.headers[name]
  return Array.isArray(value) ? value.join(', ') : value
}

const stalled = ({ stretchMs, bytesMin }: ProgressRule): HoldfastError =>
  new HoldfastError({
    code: 'TIMED_OUT',
    what: `a part that sends less than ${bytesMin} bytes in a stretch`,
    afterMs: stretchMs,
  })

const sendRanges = (response: ServerResponse, durable: readonly ByteRange[]): void =>
  sendJson(response, 200, { durable: durable.map(({ start, end }) => [`${start}`, `${end}`]) })
