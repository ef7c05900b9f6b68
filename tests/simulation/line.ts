/**
 * The way to the ledger, which takes time and can be out: a call may fail before it did anything, or
 * after, with the answer lost. Nothing comes through to a run that has ended.
 */
import type { Ledger, LedgerUpdate, Seeded } from '@holdfast/chain'
import { type Clock, HoldfastError, milliseconds } from '@holdfast/protocol'
import type { SimulatedRun } from '@holdfast/provider'

/** How a line is; changed while it is in use. */
export interface LineFaults {
  /** Nothing comes through. */
  isOut(): boolean
  /** Share of writes whose answer is lost. */
  lostAnswers(): number
  /** The program at this end. */
  readonly run: Pick<SimulatedRun, 'alive'>
}

export interface LineOptions {
  readonly clock: Clock
  readonly random: Seeded
  readonly faults: LineFaults
  readonly beforeWrite: () => void
}

const WRITES: ReadonlySet<string | symbol> = new Set<keyof Ledger>([
  ...(['deposit', 'withdraw', 'settle', 'closeDeal', 'terminateDeal', 'claim'] as const),
  ...(['registerProvider', 'updateProvider', 'addStake', 'withdrawStake', 'openDeal'] as const),
  ...(['provePeriod', 'declareFault', 'releaseSlot', 'commitPeriod', 'answerAudit'] as const),
  ...(['recoverDeal', 'resignDeal', 'openDispute', 'answerDispute', 'slashTimeout'] as const),
  ...(['slashAudit', 'reportMissed', 'terminateProvider', 'topUp', 'closeByConsent'] as const),
  'declareShownLost',
])

const unreachable = (reason: string): HoldfastError =>
  new HoldfastError({ code: 'LEDGER_UNREACHABLE', endpoint: 'simulated', reason })

const never = <T>(): Promise<T> => new Promise<T>(() => undefined)

class Line {
  readonly #options: LineOptions

  constructor(options: LineOptions) {
    this.#options = options
  }

  async pass(): Promise<void> {
    const { clock, random, faults } = this.#options
    if (!faults.run.alive) return never()
    await clock.sleep(milliseconds(Math.round(random.between(5, 400))))
    if (!faults.run.alive) return never()
    if (faults.isOut()) throw unreachable('the endpoint is out')
  }

  async call(name: string | symbol, act: () => Promise<unknown>): Promise<unknown> {
    await this.pass()
    const { random, faults, beforeWrite } = this.#options
    const isWrite = WRITES.has(name)
    if (isWrite) beforeWrite()
    const answer = await act()
    await this.pass()
    if (isWrite && random.chance(faults.lostAnswers())) throw unreachable('the answer was lost')
    return answer
  }

  async *follow(source: AsyncIterable<LedgerUpdate>): AsyncGenerator<LedgerUpdate> {
    await this.pass()
    for await (const update of source) {
      await this.pass()
      yield update
    }
  }
}

/** A ledger at the far end of such a line. */
export const ledgerLine = (ledger: Ledger, options: LineOptions): Ledger => {
  const line = new Line(options)
  return new Proxy(ledger, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name, target)
      if (typeof value !== 'function') return value
      if (name === 'follow') {
        return (...given: Parameters<Ledger['follow']>) => line.follow(target.follow(...given))
      }
      return (...given: unknown[]) =>
        line.call(name, () => Reflect.apply(value, target, given) as Promise<unknown>)
    },
  })
}
