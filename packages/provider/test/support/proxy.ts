/**
 * A TCP proxy on loopback that behaves like a bad line: it delays, cuts, or goes silent while both
 * sides believe the connection stands.
 */
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

export class BadLine {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  /** Of one direction. */
  delayMs = 0
  /** Nothing is forwarded any more, nothing is closed. */
  isSilent = false

  private constructor(target: number) {
    this.#server = createServer({ noDelay: true }, (near) => {
      const far = connect({ port: target, host: '127.0.0.1', noDelay: true })
      this.#forward(near, far)
      this.#forward(far, near)
    })
  }

  static async open(target: number): Promise<BadLine> {
    const line = new BadLine(target)
    await new Promise<void>((resolve) => line.#server.listen(0, '127.0.0.1', resolve))
    return line
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** Breaks every connection. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy()
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #forward(from: Socket, to: Socket): void {
    this.#sockets.add(from)
    from.on('error', () => undefined)
    from.on('data', (chunk) => {
      if (this.isSilent) return
      if (this.delayMs === 0) to.write(chunk)
      else setTimeout(() => to.write(chunk), this.delayMs)
    })
    from.on('close', () => {
      this.#sockets.delete(from)
      if (!this.isSilent) setTimeout(() => to.destroy(), this.delayMs)
    })
  }
}
