/**
 * A file of the simulated disk: its bytes as they are, its bytes as they are durable, and the changes
 * between.
 */

/** A whole number from 0 to `below` - 1, from a seed. */
export type Chance = (below: number) => number

export const chanceFrom = (seed: number): Chance => {
  let state = (seed * 2654435761 + 12345) >>> 0
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

const PIECE = 512

type Change =
  | { readonly kind: 'write'; readonly at: number; readonly data: Uint8Array }
  | { readonly kind: 'length'; readonly length: number }

/** Bytes of a file, in room that grows ahead of them; what lies behind the end is zero. */
export class Content {
  #room = new Uint8Array(0)
  length = 0

  get bytes(): Uint8Array {
    return this.#room.subarray(0, this.length)
  }

  apply(change: Change): void {
    if (change.kind === 'length') {
      this.#grow(change.length)
      this.#room.fill(0, change.length, Math.max(change.length, this.length))
      this.length = change.length
      return
    }
    const end = change.at + change.data.length
    this.#grow(end)
    this.#room.set(change.data, change.at)
    this.length = Math.max(this.length, end)
  }

  copy(): Content {
    const content = new Content()
    content.#room = this.bytes.slice()
    content.length = this.length
    return content
  }

  #grow(length: number): void {
    if (length <= this.#room.length) return
    const room = new Uint8Array(Math.max(length, 2 * this.#room.length, 1024))
    room.set(this.bytes)
    this.#room = room
  }
}

export class SimulatedFile {
  now: Content = new Content()
  durable: Content = new Content()
  changes: Change[] = []

  change(change: Change): void {
    this.changes.push(change)
    this.now.apply(change)
  }

  sync(): void {
    for (const change of this.changes) this.durable.apply(change)
    this.changes = []
  }

  /** One byte is another one now, and nobody wrote it. */
  rot(at: number, byte: number): void {
    const change: Change = { kind: 'write', at, data: Uint8Array.of(byte) }
    this.now.apply(change)
    if (at < this.durable.length) this.durable.apply(change)
  }

  /** What is left after power loss. */
  lose(chance: Chance): void {
    const keeps = [0, 50, 90, 100][chance(4)] ?? 0
    for (const change of this.changes) {
      for (const piece of piecesOf(change)) {
        if (chance(100) < keeps) this.durable.apply(piece)
      }
    }
    this.changes = []
    this.now = this.durable.copy()
  }
}

function* piecesOf(change: Change): Iterable<Change> {
  if (change.kind === 'length') {
    yield change
    return
  }
  const { at, data } = change
  for (let from = at; from < at + data.length; ) {
    const to = Math.min(at + data.length, (Math.floor(from / PIECE) + 1) * PIECE)
    yield { kind: 'write', at: from, data: data.subarray(from - at, to - at) }
    from = to
  }
}

/** An error as the system gives it. */
export const failure = (code: string, path: string): Error =>
  Object.assign(new Error(`${code}: ${path}`), { code })
