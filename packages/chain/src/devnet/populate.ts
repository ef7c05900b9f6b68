/**
 * What a fresh embedded chain is given: coin for gas, a test token, the contracts, and money in the
 * accounts. The deployment itself is that of any chain (deploy/deploy.ts).
 */
import {
  type Address,
  amount,
  divUp,
  type Hex,
  HoldfastError,
  larger,
  type Seconds,
  seconds,
} from '@holdfast/protocol'
import { encodeFunctionData } from 'viem'
import { createContract, deployContracts } from '../deploy/deploy.ts'
import type { ChainClient } from '../evm/client.ts'
import { Transactor } from '../evm/transactor.ts'
import { testStablecoinAbi, testStablecoinBytecode } from '../generated/contracts.ts'
import type { NetworkParams } from '../ledger.ts'
import { accountIn, type DevnetKeys, holdsTokens } from './accounts.ts'
import type { ChainControl } from './chain-rpc.ts'

const DEFAULT_PERIOD = seconds(20)
const DEFAULT_DELAY = seconds(1)
const DRAND_PERIOD = seconds(1)
const DIRECT_CHALLENGES = 10
const FEE_BPS = 500
const AUDIT_CHANCE = 30
/** 10,000 coins each. */
const GAS_MONEY = 10_000n * 10n ** 18n
/** A million test dollars each. */
const TOKENS = 1_000_000_000_000n
/** One test dollar. */
const MINIMUM_STAKE = amount(1_000_000)
/** One test dollar, for whoever disputes. */
const DISPUTE_BOND = amount(1_000_000)
/** A tenth of the minimum stake. */
const DISPUTE_SLASH = amount(100_000)

/** What the caller of the devnet may choose about the network. */
export interface NetworkChoices {
  /** Length of a proof period; 20 s unless given. */
  readonly period?: Seconds
  /** 3/4 of the period, rounded up, unless given; but enough for seed and proof. */
  readonly window?: Seconds
  /** 1 s unless given. */
  readonly seedDelay?: Seconds
  /** 10 unless given. */
  readonly directChallenges?: number
  /** How long after its deadline a period can still change; two periods unless given. */
  readonly disputeTime?: Seconds
  /** How long a provider has for the answer to a dispute; a period unless given. */
  readonly answerTime?: Seconds
  /** One period in this many is audited by chance; 30 unless given. */
  readonly auditChance?: number
}

/** The choices with their defaults. @throws HoldfastError `CONFIG_INVALID` for a period too short. */
const scheduleOf = (
  choices: NetworkChoices,
): { readonly period: Seconds; readonly window: Seconds; readonly seedDelay: Seconds } => {
  const period = choices.period ?? DEFAULT_PERIOD
  const seedDelay = choices.seedDelay ?? DEFAULT_DELAY
  // The seed takes its delay and a drand period; then a second must be left to prove in.
  const least = seconds(seedDelay + DRAND_PERIOD + 1n)
  const window = choices.window ?? larger(seconds(divUp(period * 3n, 4n)), least)
  if (window >= least && window <= period) return { period, window, seedDelay }
  const reason = `${period} s with a window of ${window} s: a window has at least ${least} s, a period at least its window`
  throw new HoldfastError({ code: 'CONFIG_INVALID', path: 'period', reason })
}

/** What the network says about disputes and audits. */
const rulesOf = (choices: NetworkChoices, period: Seconds) => ({
  disputeTime: choices.disputeTime ?? seconds(2n * period),
  answerTime: choices.answerTime ?? period,
  auditChance: choices.auditChance ?? AUDIT_CHANCE,
  disputeBond: DISPUTE_BOND,
  disputeSlash: DISPUTE_SLASH,
})

/** The call that makes test tokens out of nothing. */
export const mintData = (owner: Address, units: bigint): Hex =>
  encodeFunctionData({ abi: testStablecoinAbi, functionName: 'mint', args: [owner, units] })

/** Fills a fresh chain. */
export const populate = async (
  target: { readonly chain: ChainClient; readonly control: ChainControl },
  keys: DevnetKeys,
  choices: NetworkChoices,
): Promise<NetworkParams> => {
  const { chain, control } = target
  const all = [...keys.accounts.values()]
  await Promise.all(all.map(({ address }) => control.give(address, GAS_MONEY)))
  const deployer = accountIn(keys, 'deployer')
  const token = await createContract(chain, deployer.signer, testStablecoinBytecode)
  const schedule = scheduleOf(choices)
  const params = await deployContracts(chain, deployer.signer, {
    tokens: [token],
    feeAccount: deployer.address,
    minimumStake: MINIMUM_STAKE,
    ...schedule,
    ...rulesOf(choices, schedule.period),
    directChallenges: choices.directChallenges ?? DIRECT_CHALLENGES,
    feeBps: FEE_BPS,
    drand: { period: DRAND_PERIOD, publicKey: keys.drand.publicKey },
  })
  const transactor = new Transactor(chain, deployer.signer)
  const holders = all.filter(({ name }) => holdsTokens(name))
  await Promise.all(
    holders.map(({ address }) => transactor.send({ to: token, data: mintData(address, TOKENS) })),
  )
  return params
}
