/** A watch of one person over an arena, with what it said. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@holdfast/chain'
import { WatchBook, type WatchBudget, type WatchEvent, Watcher } from '@holdfast/client'
import { amount, milliseconds } from '@holdfast/protocol'
import type { Arena, Person } from './arena.ts'
import type { ArenaProvider } from './arena-provider.ts'

export const BUDGET: WatchBudget = { gas: 10n ** 17n, bonds: amount(100_000_000n) }

export class Watch {
  readonly events: WatchEvent[] = []
  readonly person: Person
  readonly #arena: Arena
  readonly #providers: readonly ArenaProvider[]
  readonly #home: string

  private constructor(
    parts: { readonly arena: Arena; readonly person: Person; readonly home: string },
    providers: readonly ArenaProvider[],
  ) {
    this.#arena = parts.arena
    this.person = parts.person
    this.#home = parts.home
    this.#providers = providers
  }

  static async of(
    arena: Arena,
    person: Person,
    providers: readonly ArenaProvider[],
  ): Promise<Watch> {
    const home = await mkdtemp(join(tmpdir(), 'holdfast-watching-'))
    return new Watch({ arena, person, home }, providers)
  }

  /** One look, as `holdfast watch --once` does: every one is a restart. Returns what it said. */
  async look({
    budget = BUDGET,
    globals = false,
  }: {
    budget?: WatchBudget
    globals?: boolean
  } = {}): Promise<readonly WatchEvent[]> {
    const { ledger } = this.person
    const before = this.events.length
    const book = await WatchBook.open(this.#home, this.#arena.network, ledger.account)
    try {
      const connect = async ({ provider }: { readonly provider: string }) => {
        const found = this.#providers.find((one) => one.provider === provider)
        if (found === undefined) throw new Error(`no provider ${provider}`)
        return found.peer
      }
      const tell = (event: WatchEvent): void => {
        this.events.push(event)
      }
      const parts = { ledger, connect, clock: systemClock, book, tell }
      const bounds = { dataset: undefined, checkTimeoutMs: milliseconds(60_000) }
      await new Watcher(parts, { budget, globals, disputes: true, ...bounds }).once()
    } finally {
      await book.close()
    }
    return this.events.slice(before)
  }

  /** What it said about one provider, by kind. */
  about({ provider }: ArenaProvider): readonly string[] {
    return this.events.flatMap((event) =>
      'provider' in event && event.provider === provider
        ? [event.event === 'checked' ? event.state : event.event]
        : [],
    )
  }

  async close(): Promise<void> {
    await rm(this.#home, { recursive: true, force: true })
  }
}
