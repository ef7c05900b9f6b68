/** A network's constants: where its contracts are and how its clock runs. */
import type { Address, Hex, Seconds, SigningDomain, Timestamp } from '@holdfast/protocol'

/** What a network file and the contracts say about one network. Never changes after deployment. */
export interface NetworkParams {
  readonly chainId: bigint
  readonly contracts: {
    readonly vault: Address
    readonly registry: Address
    readonly market: Address
    readonly proofs: Address
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
  /** Global answers shown in direct mode. */
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
