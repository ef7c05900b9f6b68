/**
 * A process of its own: forwards TCP connections to a port on loopback and holds every chunk for a
 * fixed time in each direction, as a long line does; its rate is not limited. Up to 64 MiB are on the
 * line at once. Arguments: port, delay of one direction in milliseconds.
 */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

const [port = '0', delay = '0'] = process.argv.slice(2)
const ON_LINE_MAX = 64 << 20

const now = (): number => performance.now()

/** One direction: chunks leave in order, each `delay` after it came. */
const line = (from: Socket, to: Socket): void => {
  const held: { readonly chunk: Buffer; readonly due: number }[] = []
  let bytesHeld = 0
  let isTimed = false
  const wait = (ms: number): void => {
    if (!isTimed) setTimeout(release, ms)
    isTimed = true
  }
  const release = (): void => {
    isTimed = false
    for (let first = held[0]; first !== undefined && first.due <= now(); first = held[0]) {
      held.shift()
      bytesHeld -= first.chunk.length
      to.write(first.chunk)
    }
    if (from.isPaused() && bytesHeld < ON_LINE_MAX) from.resume()
    const [next] = held
    if (next !== undefined) wait(Math.max(1, next.due - now()))
  }
  from.on('data', (chunk: Buffer) => {
    held.push({ chunk, due: now() + Number(delay) })
    bytesHeld += chunk.length
    if (bytesHeld >= ON_LINE_MAX) from.pause()
    wait(Number(delay))
  })
  from.on('error', () => to.destroy())
  from.on('close', () => setTimeout(() => to.end(), Number(delay) + 5))
}

const server = createServer({ noDelay: true, highWaterMark: 1 << 20 }, (near) => {
  const far = connect({ port: Number(port), host: '127.0.0.1', noDelay: true })
  line(near, far)
  line(far, near)
})
server.listen(0, '127.0.0.1', () => {
  process.send?.({ port: (server.address() as AddressInfo).port })
})
process.on('disconnect', () => process.exit())
