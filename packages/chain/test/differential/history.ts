/**
 * A random history: periods pass, some with a seed and some without, providers do their duty as
 * diligently and honestly as the seed decides, and between that anybody does anything.
 */
import {
  amount,
  type Period,
  period,
  periodStart,
  type Timestamp,
  timestamp,
} from '@holdfast/protocol'
import { Seeded } from '../simulation/seeded.ts'
import { type Keeper, OTHERS } from './cast.ts'
import { type Stage, WEALTH } from './stage.ts'
import type { MakeStep } from './steps-deals.ts'
import * as deals from './steps-deals.ts'
import * as disputes from './steps-disputes.ts'
import * as proofs from './steps-proofs.ts'
import { type Step, Twins } from './twins.ts'

/** How often each kind of step is tried, relative to the others. */
const KINDS: readonly (readonly [number, MakeStep])[] = [
  [5, deals.openDeal],
  [4, deals.settle],
  [1, deals.settleAll],
  [5, deals.close],
  [2, deals.terminate],
  [2, deals.resign],
  [2, deals.consent],
  [3, deals.topUp],
  [3, deals.release],
  [3, deals.declareFault],
  [4, deals.recover],
  [3, deals.moveMoney],
  [1, proofs.commit],
  [1, proofs.prove],
  [2, proofs.audit],
  [2, proofs.slashAudit],
  [4, proofs.report],
  [2, proofs.end],
  [1, proofs.register],
  [2, proofs.update],
  [2, proofs.stake],
  [6, disputes.openDispute],
  [5, disputes.answerDispute],
  [4, disputes.slashTimeout],
]

const TOTAL = KINDS.reduce((sum, [weight]) => sum + weight, 0)

const someKind = (random: Seeded): MakeStep => {
  let rest = random.unit() * TOTAL
  for (const [weight, kind] of KINDS) {
    rest -= weight
    if (rest < 0) return kind
  }
  return deals.settleAll
}

export interface HistoryReport {
  readonly seed: number
  /** Blocks and refusals, by kind of step and what became of it. */
  readonly counts: ReadonlyMap<string, number>
  readonly periods: Period
}

class History {
  readonly #twins: Twins
  readonly #random: Seeded

  constructor(twins: Twins, seed: number) {
    this.#twins = twins
    this.#random = new Seeded(seed)
  }

  async run(steps: number): Promise<void> {
    await this.#prepare()
    const { counts } = this.#twins
    const told = (): number => [...counts.values()].reduce((sum, n) => sum + n, 0)
    while (told() < steps) await this.#nextPeriod()
    await this.#twins.look()
  }

  /** Money in the vault, both registered, a few deals. */
  async #prepare(): Promise<void> {
    const [twins, random] = [this.#twins, this.#random]
    for (const { owner } of twins.cast.keepers) await this.#fund(owner.address)
    for (const { address } of OTHERS) await this.#fund(address)
    for (const keeper of twins.cast.keepers) {
      keeper.diligence = random.pick([1, 0.95, 0.8, 0.4, 0])
      keeper.dishonesty = random.pick([0, 0, 0.2, 0.9])
      await this.#tell(proofs.registerBy(twins, random, keeper))
    }
    for (let count = 0; count < 6; count++) await this.#tell(await deals.openDeal(twins, random))
  }

  async #fund(by: Step['by']): Promise<void> {
    for (const token of this.#twins.cast.tokens) {
      const value = amount(WEALTH / 2n)
      const run: Step['run'] = (writes) => writes.deposit(token, value)
      await this.#tell({ name: `deposit of ${deals.short(by)}`, by, run })
    }
  }

  /** Passes a little time, then tells it. */
  async #tell(step: Step | undefined, by = 1n + deals.below(this.#random, 40n)): Promise<void> {
    if (step === undefined) return
    await this.#twins.tell(step)
    this.#twins.passTo(timestamp(this.#twins.time + by))
  }

  async #nextPeriod(): Promise<void> {
    const [twins, random] = [this.#twins, this.#random]
    if (random.chance(0.07)) this.#changeMoods()
    const skipped = random.chance(0.04) ? deals.below(random, 34n) : 0n
    const next = period(twins.now + 1n + skipped)
    const start = periodStart(twins.cast.network, next)
    twins.passTo(timestamp(start + deals.below(random, 3n)))
    if (random.chance(0.3)) await this.#anything(2)
    if (random.chance(0.92)) await this.#seed(next)
    for (const keeper of twins.cast.keepers) await this.#duty(keeper, next)
    await this.#anything(3)
    if (random.chance(0.5)) {
      twins.passTo(this.#later(start))
      await this.#anything(2)
    }
  }

  /** Somewhere in the period, often just around its deadline. */
  #later(start: Timestamp): Timestamp {
    const { window } = this.#twins.cast.network
    const at = this.#random.chance(0.5)
      ? window - 1n + deals.below(this.#random, 3n)
      : deals.below(this.#random, 900n)
    return timestamp(start + at)
  }

  #changeMoods(): void {
    for (const keeper of this.#twins.cast.keepers) {
      keeper.diligence = this.#random.pick([1, 0.95, 0.8, 0.4, 0])
      keeper.dishonesty = this.#random.pick([0, 0, 0.2, 0.9])
    }
  }

  async #seed(of: Period): Promise<void> {
    await this.#twins.postSeed(of)
    this.#twins.passTo(timestamp(this.#twins.time + 1n))
  }

  async #duty(keeper: Keeper, of: Period): Promise<void> {
    const [twins, random] = [this.#twins, this.#random]
    if (random.chance(keeper.diligence))
      await this.#tell(await proofs.auditBy(twins, random, keeper))
    if (!random.chance(keeper.diligence)) return
    if (keeper.treeAt(of).weight === 0n && !random.chance(0.05)) return
    const make = random.chance(0.85) ? proofs.commitBy : proofs.proveBy
    await this.#tell(await make(twins, random, keeper, of))
    if (random.chance(keeper.diligence))
      await this.#tell(await proofs.auditBy(twins, random, keeper))
  }

  async #anything(most: number): Promise<void> {
    const count = Math.floor(this.#random.between(0, most + 1))
    for (let i = 0; i < count; i++) {
      await this.#tell(await someKind(this.#random)(this.#twins, this.#random))
    }
  }
}

/** Tells one history of at least so many steps. @throws Error with the whole story at a difference. */
export const tellHistory = async (
  stage: Stage,
  seed: number,
  steps: number,
): Promise<HistoryReport> => {
  const twins = await Twins.begin(stage)
  try {
    await new History(twins, seed).run(steps)
  } catch (failure) {
    const reason = failure instanceof Error ? failure.message : String(failure)
    throw new Error(`HOLDFAST_SEED=${seed}\n${twins.story}\n${reason}`, { cause: failure })
  }
  return { seed, counts: twins.counts, periods: twins.now }
}
