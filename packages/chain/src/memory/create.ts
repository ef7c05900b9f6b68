/** A simulated network from a few figures and a seed: everything else follows from those. */
import {
  type Address,
  type Amount,
  address,
  amount,
  brokenTiming,
  type Hash32,
  HoldfastError,
  keccak,
  type Period,
  type Seconds,
  seconds,
  type Timestamp,
  toHex,
} from '@holdfast/protocol'
import type { Ledger, NetworkParams } from '../ledger.ts'
import { Blocks } from './memory-chain.ts'
import { MemoryLedger } from './memory-ledger.ts'
import { World } from './world.ts'

export interface MemoryChainParameters {
  /** Block time of the first block; period 0 starts here. */
  readonly genesis: Timestamp
  readonly period: Seconds
  /** 3/4 of the period unless given. */
  readonly window?: Seconds
  /** 1 s unless given. */
  readonly seedDelay?: Seconds
  /** 2 periods unless given. */
  readonly disputeTime?: Seconds
  /** 1 period unless given. */
  readonly answerTime?: Seconds
  /** 30 unless given. */
  readonly auditChance?: number
  /** One token unit unless given. */
  readonly disputeBond?: Amount
  /** A tenth of the minimum stake unless given. */
  readonly disputeSlash?: Amount
  /** 10 unless given. */
  readonly directChallenges?: number
  /** 500 unless given. */
  readonly feeBps?: number
  /** One token unit unless given. */
  readonly minimumStake?: Amount
  /** Hashes, addresses and the periods' seeds follow from it. */
  readonly randomSeed: Uint8Array
}

/** One simulated network; time moves only when told. */
export interface MemoryChain {
  readonly network: NetworkParams
  /** Block time of the next block. */
  readonly time: Timestamp
  /** The ledger as `account` sees and writes it. */
  ledger(account: Address): Ledger
  /** The time of the next blocks; never back. */
  setTime(at: Timestamp): void
  /** Moves block time forward and mines a block. */
  advance(by: Seconds): void
  /** Posts the seed of a period. @throws HoldfastError `SEED_MISSING`, `WINDOW_CLOSED`. */
  postSeed(period: Period): void
  /** Gives test tokens. */
  mint(token: Address, owner: Address, amount: Amount): void
  /** Replaces the newest `depth` blocks by as many empty ones; what they held is undone. */
  reorg(depth: number): void
}

const CHAIN_ID = 31337n
const DECIMALS = 6

const UNIT = amount(1_000_000n)

const networkOf = (parameters: MemoryChainParameters, minimumStake: Amount): NetworkParams => {
  const { genesis, period, randomSeed } = parameters
  const at = (name: string): Address =>
    address(toHex(keccak(randomSeed, new TextEncoder().encode(name)).subarray(12)))
  return {
    chainId: CHAIN_ID,
    contracts: {
      ...{ vault: at('vault'), registry: at('registry'), market: at('market') },
      ...{ proofs: at('proofs'), disputes: at('disputes'), beacon: at('beacon') },
    },
    tokens: [{ address: at('token'), symbol: 'tUSD', decimals: DECIMALS }],
    deployedAt: 0n,
    genesis,
    period,
    window: parameters.window ?? seconds((period * 3n) / 4n),
    seedDelay: parameters.seedDelay ?? seconds(1n),
    disputeTime: parameters.disputeTime ?? seconds(2n * period),
    answerTime: parameters.answerTime ?? period,
    auditChance: parameters.auditChance ?? 30,
    disputeBond: parameters.disputeBond ?? UNIT,
    disputeSlash: parameters.disputeSlash ?? amount(minimumStake / 10n),
    directChallenges: parameters.directChallenges ?? 10,
    feeBps: parameters.feeBps ?? 500,
    // No key signs in memory: seeds follow from `randomSeed`.
    drand: { genesis, period: seconds(1n), publicKey: `0x${'00'.repeat(96)}` },
  }
}

/** What ProofLedger's constructor refuses. */
const checked = (network: NetworkParams): NetworkParams => {
  const reason = brokenTiming(network)
  if (reason === undefined) return network
  throw new HoldfastError({ code: 'CONFIG_INVALID', path: 'memory chain', reason })
}

const chainOf = (blocks: Blocks): MemoryChain => {
  const { network } = blocks.world
  return {
    network,
    get time() {
      return blocks.time
    },
    ledger: (account) => new MemoryLedger(blocks, account),
    setTime: (at) => blocks.setTime(at),
    advance: (by) => blocks.advance(by),
    postSeed: (period) => blocks.postSeed(period),
    mint: (token, owner, value) => blocks.mint(token, owner, value),
    reorg: (depth) => blocks.reorg(depth),
  }
}

/**
 * A network of its own, empty but for its contracts.
 * @throws HoldfastError `CONFIG_INVALID` when its times do not fit together.
 */
export const createMemoryChain = (parameters: MemoryChainParameters): MemoryChain => {
  const minimumStake = parameters.minimumStake ?? UNIT
  const world = new World(checked(networkOf(parameters, minimumStake)), minimumStake)
  return chainOf(new Blocks(world, parameters.randomSeed))
}

/** A real network's constants and seeds. */
export interface MemoryTwinParameters {
  readonly network: NetworkParams
  readonly minimumStake: Amount
  /** Block hashes follow from it. */
  readonly randomSeed: Uint8Array
  /** The seed that a period gets when it is posted. */
  readonly seedFor: (period: Period) => Hash32
}

/**
 * A simulated network, empty, that differs from a real one in nothing that its rules see: told the
 * same, both must say the same.
 */
export const createMemoryTwin = (parameters: MemoryTwinParameters): MemoryChain => {
  const { network, minimumStake, randomSeed, seedFor } = parameters
  return chainOf(new Blocks(new World(network, minimumStake), randomSeed, seedFor))
}
