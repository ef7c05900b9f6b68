/**
 * Proof windows under mixed faults, on virtual time: in every window the seed chooses some of F19 to
 * F27 and when they happen. What must hold: every window is proven in time, no intent is executed
 * twice, nothing costs more than its budget. One number replays a run.
 */
import { type Hex, milliseconds } from '@holdfast/protocol'
import { parseTransaction, type TransactionSerialized } from 'viem'
import { signTransaction } from '../../src/evm/signing.ts'
import { signerFromPrivateKey } from '../../src/keys/signer.ts'
import { Seeded } from '../../src/simulation/seeded.ts'
import { VirtualClock } from '../../src/simulation/virtual-clock.ts'
import {
  BLOCK_SECONDS,
  CHAIN_ID,
  GWEI,
  type MinedTransaction,
  otherData,
  proveData,
  SimulatedChain,
} from './simulated-chain.ts'
import { type Lie, NO_FAULTS, SimulatedEndpoint } from './simulated-endpoint.ts'
import { type CrashPoint, PROOF_BUDGET, SimulatedNode } from './simulated-node.ts'

const PERIOD = 7200
const WINDOW = 5400
const GENESIS = 1_800_000_000
const COIN = 10n ** 18n

export interface WindowReport {
  readonly window: number
  readonly events: readonly string[]
}

export interface RunReport {
  readonly seed: number
  readonly windows: number
  readonly missed: readonly WindowReport[]
  readonly violations: readonly string[]
  readonly restarts: number
  readonly kinds: ReadonlySet<string>
  readonly refusals: ReadonlyMap<string, number>
}

const LIES: readonly Lie[] = [
  ...(['wrong-chain', 'stale-head', 'no-receipts'] as const),
  ...(['false-receipts', 'high-counts', 'rich'] as const),
]
const POINTS: readonly CrashPoint[] = ['recorded', 'handed', 'receipt']

/** A world with one node in it. */
class World {
  readonly random: Seeded
  readonly clock = new VirtualClock(GENESIS * 1000)
  readonly chain = new SimulatedChain({ genesis: GENESIS, period: PERIOD, window: WINDOW })
  readonly signer = signerFromPrivateKey(new Uint8Array(32).fill(77))
  readonly endpoints: readonly SimulatedEndpoint[]
  readonly node: SimulatedNode
  #foreign = 1_000_000

  constructor(seed: number) {
    this.random = new Seeded(seed)
    const { chain, clock, random, signer } = this
    this.endpoints = ['a', 'b', 'c'].map(
      (name) => new SimulatedEndpoint(name, chain, clock, random),
    )
    this.node = new SimulatedNode({ chain, clock, random, signer, endpoints: this.endpoints })
    chain.fund(signer.address, 1000n * COIN)
  }

  async mineForever(): Promise<void> {
    for (;;) {
      await this.clock.sleep(milliseconds(BLOCK_SECONDS * 1000))
      this.chain.mine(Math.floor(this.clock.now() / 1000))
    }
  }

  /** At `from` after now, for `length` seconds. */
  during(from: number, length: number, begin: () => void, end: () => void): void {
    const { clock } = this
    void clock.sleep(milliseconds(from * 1000)).then(async () => {
      begin()
      await clock.sleep(milliseconds(length * 1000))
      end()
    })
  }

  /** Somebody else with the key sends something. */
  async useKeyElsewhere(): Promise<void> {
    const { base, tip } = this.chain.conditions
    const { raw } = await signTransaction(this.signer, {
      ...{ chainId: CHAIN_ID, nonce: this.chain.nonce(this.signer.address), gas: 130_000n },
      ...{ to: `0x${'ee'.repeat(20)}`, data: otherData(this.#foreign++) },
      ...{ maxFeePerGas: base * 20n + tip * 80n, maxPriorityFeePerGas: tip * 80n },
    })
    await this.chain.submit(raw).catch(() => undefined)
  }
}

type Event = (world: World, random: Seeded) => void

/** When in a window something that makes proving impossible may begin and how long it may last. */
const spell = (random: Seeded): readonly [number, number] => {
  const from = random.between(0, WINDOW * 0.3)
  return [from, random.between(60, WINDOW / 3)]
}

const EVENTS: Readonly<Record<string, Event>> = {
  'F19 restart': ({ node, clock }, random) => {
    for (let times = 1 + Math.floor(random.between(0, 3)); times > 0; times--) {
      const at = random.between(0, WINDOW * 0.6)
      void clock.sleep(milliseconds(at * 1000)).then(() => node.crash())
    }
  },
  'F19 restart at a point': ({ node }, random) => {
    node.armed = random.pick(POINTS)
  },
  'F20 bad lines': ({ endpoints }, random) => {
    for (const { faults } of endpoints) {
      faults.lost = random.between(0, 0.3)
      faults.answerLost = random.between(0, 0.2)
      faults.limited = random.between(0, 0.1)
      faults.garbled = random.between(0, 0.1)
      faults.twice = random.between(0, 0.3)
      faults.slow = random.chance(0.3) ? 20 : 1
    }
  },
  'F21 a liar': ({ endpoints }, random) => {
    random.pick(endpoints).faults.lie = random.pick(LIES)
  },
  'F22 outage': (world, random) => {
    const set = (down: boolean) => (): void => {
      for (const { faults } of world.endpoints) faults.down = down
    }
    world.during(random.between(0, WINDOW * 0.3), 1800, set(true), set(false))
  },
  'F23 reorganisation': ({ clock, chain }, random) => {
    const at = random.between(100, WINDOW * 0.6)
    const depth = 1 + Math.floor(random.between(0, 64))
    const back = random.chance(0.5)
    void clock.sleep(milliseconds(at * 1000)).then(() => chain.reorganise(depth, back))
  },
  'F24 base fee': (world, random) => {
    const factor = BigInt(Math.floor(random.between(5, 80)))
    const length = factor > 30n ? WINDOW * 0.6 : WINDOW
    const set = (base: bigint) => (): void => {
      world.chain.conditions.base = base
    }
    world.during(random.between(0, 120), length, set(factor * 10n * GWEI), set(10n * GWEI))
  },
  // What waits was offered at the old price, and nothing but a dearer form of it is ever taken.
  'F24 base fee over what waits': (world, random) => {
    const { conditions } = world.chain
    const factor = BigInt(Math.floor(random.between(5, 25)))
    const takes = (on: boolean) => (): void => {
      conditions.takes = on
    }
    const costs = (base: bigint, tip: bigint) => (): void => {
      conditions.base = base
      conditions.tip = tip
    }
    const old = costs(10n * GWEI, GWEI / 10n)
    world.during(0, 300, takes(false), takes(true))
    world.during(200, WINDOW - 200, costs(factor * 10n * GWEI, 2n * GWEI), old)
  },
  'F24 tips': (world, random) => {
    const [from, length] = spell(random)
    const set = (tip: bigint) => (): void => {
      world.chain.conditions.tip = tip
    }
    world.during(from, length, set(GWEI * 4n), set(GWEI / 10n))
  },
  'F24 pool emptied': ({ clock, chain }, random) => {
    for (let times = 0; times < 5; times++) {
      const at = random.between(0, WINDOW * 0.7)
      void clock.sleep(milliseconds(at * 1000)).then(() => chain.pool.clear())
    }
  },
  'F24 empty blocks': (world, random) => {
    const [from, length] = spell(random)
    const set = (takes: boolean) => (): void => {
      world.chain.conditions.takes = takes
    }
    world.during(from, length, set(false), set(true))
  },
  'F25 empty wallet': (world, random) => {
    const { chain, signer } = world
    const account = signer.address
    const [from, length] = spell(random)
    const give = (balance: bigint) => (): void => {
      // What is there, counted from what was ever given.
      chain.fund(account, balance - chain.balance(account) + chain.given(account))
    }
    world.during(from, length, give(0n), give(1000n * COIN))
  },
  'F26 refused': (world, random) => {
    const [from, length] = spell(random)
    const set = (paused: boolean) => (): void => {
      world.chain.paused = paused
    }
    world.during(from, length, set(true), set(false))
  },
  'F27 key used elsewhere': (world, random) => {
    for (let times = 1 + Math.floor(random.between(0, 3)); times > 0; times--) {
      const at = random.between(0, WINDOW * 0.7)
      void world.clock.sleep(milliseconds(at * 1000)).then(() => world.useKeyElsewhere())
    }
  },
}

export const EVENT_NAMES: readonly string[] = Object.keys(EVENTS)

const calm = ({ endpoints, node }: World): void => {
  node.armed = undefined
  for (const { faults } of endpoints) Object.assign(faults, NO_FAULTS)
}

/** What the chain took for a period's proof, all its executions and what cleared its way apart. */
const costOf = (mined: readonly MinedTransaction[]): bigint =>
  mined.reduce((sum, { gasUsed, price }) => sum + gasUsed * price, 0n)

/** Runs so many windows. @param only the faults to choose from. */
export const runWindows = async (
  seed: number,
  windows: number,
  only: readonly string[] = EVENT_NAMES,
): Promise<RunReport> => {
  const world = new World(seed)
  const { random, clock, chain, node } = world
  const missed: WindowReport[] = []
  void world.mineForever()
  node.start()
  for (let window = 0; window < windows; window++) {
    const start = GENESIS + window * PERIOD
    await clock.runUntil(start * 1000)
    calm(world)
    const events = chosen(random, only)
    for (const name of events) EVENTS[name]?.(world, random)
    await clock.runUntil((start + WINDOW) * 1000)
    if (!chain.isProven(window)) missed.push({ window, events })
  }
  calm(world)
  node.stop()
  const { restarts, raised, refusals } = node
  const violations = [...node.violations, ...violationsOf(world, windows)]
  return { seed, windows, missed, violations, restarts, kinds: raised, refusals }
}

const chosen = (random: Seeded, only: readonly string[]): readonly string[] => {
  const count = Math.min(only.length, Math.floor(random.between(1, 5)))
  const names = new Set<string>()
  while (names.size < count) names.add(random.pick(only))
  return [...names]
}

const violationsOf = ({ chain, node }: World, windows: number): readonly string[] => {
  const found: string[] = []
  const check = (what: string, data: Hex): void => {
    const mined = chain.executed(data)
    if (mined.filter(({ ok }) => ok).length > 1) found.push(`${what} was executed twice`)
  }
  for (let window = 0; window < windows; window++) {
    check(`the proof of ${window}`, proveData(window))
    const cost = costOf(chain.executed(proveData(window)))
    if (cost > PROOF_BUDGET) found.push(`the proof of ${window} cost ${cost} wei`)
  }
  for (let id = 0; id <= node.others; id++) check(`settlement ${id}`, otherData(id))
  return [...found, ...overBudget(node)]
}

/** Everything that was ever signed, at the most it could have cost. */
const overBudget = ({ durable }: SimulatedNode): readonly string[] => {
  const budgets = new Map<string, bigint>()
  const found: string[] = []
  for (const entry of durable) {
    if (entry.kind === 'tx-intended' && entry.gasBudget !== undefined) {
      budgets.set(entry.intent, entry.gasBudget)
    }
    const budget = 'intent' in entry ? budgets.get(entry.intent) : undefined
    if (entry.kind !== 'tx-signed' || budget === undefined) continue
    const { gas = 0n, maxFeePerGas = 0n } = parseTransaction(
      entry.raw as TransactionSerialized<'eip1559'>,
    )
    const most = gas * maxFeePerGas
    if (most > budget) found.push(`nonce ${entry.nonce} may cost ${most}, its budget is ${budget}`)
  }
  return found
}
