/** A network's constants: where its contracts are and how its clock runs. */
import type { Address, Amount, Hex, Seconds, SigningDomain, Timestamp } from '@holdfast/protocol'

/** What a network file and the contracts say about one network. Never changes after deployment. */
export interface NetworkParams {
  readonly chainId: bigint
  readonly contracts: {
    readonly vault: Address
    readonly registry: Address
    readonly market: Address
    readonly proofs: Address
    readonly disputes: Address
    readonly beacon: Address
  }
  /** Tokens the vault accepts, the default first. */
  readonly tokens: readonly TokenInfo[]
  /** The block the contracts were deployed in; events before it do not matter. */
  readonly deployedAt: bigint
  readonly genesis: Timestamp
  readonly period: Seconds
  /** An answer must be on chain before start(p) + window. */
  readonly window: Seconds
  readonly seedDelay: Seconds
  /** D: how long after its deadline a period can still change. */
  readonly disputeTime: Seconds
  /** T: how long a provider has for the answer to a dispute. */
  readonly answerTime: Seconds
  /** One period in this many is audited by chance. */
  readonly auditChance: number
  /** What opening a dispute puts at stake while no other is open; in the first token. */
  readonly disputeBond: Amount
  /** What one lost dispute or audit takes from the stake; in the first token. */
  readonly disputeSlash: Amount
  /** Global answers shown in direct mode and in an audit. */
  readonly directChallenges: number
  readonly feeBps: number
  /** drand: the chain's genesis, its round time, its public key (96-byte compressed G2). */
  readonly drand: { readonly genesis: Timestamp; readonly period: Seconds; readonly publicKey: Hex }
}

export interface TokenInfo {
  readonly address: Address
  readonly symbol: string
  readonly decimals: number
}

export const signingDomain = (network: NetworkParams): SigningDomain => ({
  chainId: network.chainId,
  verifyingContract: network.contracts.market,
})
