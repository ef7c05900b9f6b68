/** The record of when a provider could not have done its work: times in seconds. */
import type { Root } from '@holdfast/protocol'

export type TroubleKind = 'down' | 'line' | 'full'

export interface Trouble {
  readonly kind: TroubleKind
  readonly from: number
  to: number
}

/** A payload in which bits have flipped, from then until a whole copy came. */
export interface Rot {
  readonly root: Root
  readonly from: number
  to: number
}

export class Troubles {
  readonly list: Trouble[] = []
  readonly rots: Rot[] = []
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  begin(kind: TroubleKind): void {
    if (this.list.some((one) => one.kind === kind && one.to === Number.POSITIVE_INFINITY)) return
    this.list.push({ kind, from: this.#now(), to: Number.POSITIVE_INFINITY })
  }

  end(kind: TroubleKind): void {
    for (const one of this.list) {
      if (one.kind === kind && one.to === Number.POSITIVE_INFINITY) one.to = this.#now()
    }
  }

  rot(root: Root): void {
    this.rots.push({ root, from: this.#now(), to: Number.POSITIVE_INFINITY })
  }

  /** A whole copy was stored at that time. */
  mended(root: Root, at: number): void {
    for (const rot of this.rots) {
      if (rot.root === root && rot.from < at) rot.to = Math.min(rot.to, at)
    }
  }
}
