/**
 * The body of a request in bunches of about a mebibyte. Chunks come from TLS in records of 16 KiB; one
 * turn of a loop for each would cost more than all that is done with them.
 *
 * Invariant: at most two bunches and what the socket holds are in memory; while the second is full the
 * sender waits.
 */
import type { IncomingMessage } from 'node:http'
import { addAbortSignal } from 'node:stream'

const BUNCH_BYTES = 2 ** 20
const HELD_BYTES = 2 * BUNCH_BYTES

/**
 * `onChunk` hears of every chunk as it arrives. A signal that fires destroys the request; a reader that
 * stops early leaves it paused, for whoever throws the rest away.
 * @throws what breaks the request.
 */
export async function* bunchesOf(
  request: IncomingMessage,
  stop: AbortSignal,
  onChunk: (chunk: Buffer) => void,
): AsyncGenerator<readonly Buffer[]> {
  let held: Buffer[] = []
  let length = 0
  let wake = (): void => undefined
  let isOver = request.readableEnded
  const onData = (chunk: Buffer): void => {
    onChunk(chunk)
    held.push(chunk)
    length += chunk.length
    if (length >= HELD_BYTES) request.pause()
    if (length >= BUNCH_BYTES) wake()
  }
  const onOver = (): void => {
    isOver = true
    wake()
  }
  addAbortSignal(stop, request)
  request.on('error', onOver)
  request.on('end', onOver)
  request.on('close', onOver)
  request.on('data', onData)
  try {
    while (true) {
      if (length < BUNCH_BYTES && !isOver && !request.destroyed) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      if (request.destroyed && !request.readableEnded) throw brokenBy(request)
      if (length === 0) return
      const bunch = held
      held = []
      length = 0
      if (request.isPaused()) request.resume()
      yield bunch
    }
  } finally {
    request.off('data', onData)
    request.off('end', onOver)
    request.off('close', onOver)
    if (!request.readableEnded) request.pause()
  }
}

const brokenBy = (request: IncomingMessage): Error =>
  request.errored ?? new Error('the connection was closed before the body was whole')
