/** Writing to somebody who may read slowly, or be gone. */
import type { ServerResponse } from 'node:http'

/** Resolves when the response can take more, or when it is closed. */
export const writeOut = (
  response: ServerResponse,
  piece: Uint8Array,
  gone: AbortSignal,
): Promise<void> =>
  new Promise((resolve) => {
    if (response.write(piece) || gone.aborted) return resolve()
    const done = (): void => {
      response.off('drain', done)
      gone.removeEventListener('abort', done)
      resolve()
    }
    response.once('drain', done)
    gone.addEventListener('abort', done, { once: true })
  })
