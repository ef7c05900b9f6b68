/**
 * Where log lines go: a stream that may be slow, stopped or gone. Node never blocks on a full pipe but
 * keeps what does not fit in memory without end; here that is bounded. Lines that find no room are
 * dropped and counted, and the count is the first thing said when there is room again.
 *
 * Not bounded: a terminal, which Node writes to synchronously; stopping a terminal stops the node.
 */
import { type Clock, milliseconds } from '@holdfast/protocol'

export interface SinkStream {
  readonly writableLength: number
  write(text: string): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
}

export interface LogSink {
  write(line: string): void
  /** Lines that were dropped since the start. */
  readonly dropped: number
}

const WAITING_BYTES_MAX: number = 4 * 2 ** 20
const DRAIN_STEP_MS = 10

/** Waits until everything is written, and no longer than `limitMs`: nobody may be reading. */
export const drained = async (
  stream: Pick<SinkStream, 'writableLength'>,
  clock: Clock,
  limitMs: number,
): Promise<void> => {
  const end = clock.now() + limitMs
  while (stream.writableLength > 0 && clock.now() < end) {
    await clock.sleep(milliseconds(DRAIN_STEP_MS))
  }
}

export const boundedSink = (
  stream: SinkStream,
  clock: Clock,
  waitingMax: number = WAITING_BYTES_MAX,
): LogSink => {
  let all = 0
  let unsaid = 0
  // A reader that went away must not end the node; what it missed is counted like the rest.
  stream.on('error', () => undefined)
  return {
    get dropped() {
      return all
    },
    write(line) {
      if (stream.writableLength + line.length > waitingMax) {
        all++
        unsaid++
        return
      }
      if (unsaid > 0) {
        const time = new Date(clock.now()).toISOString()
        const said = { time, level: 'warn', event: 'log lines dropped', count: unsaid }
        unsaid = 0
        stream.write(`${JSON.stringify(said)}\n`)
      }
      stream.write(line)
    },
  }
}
