/**
 * What each write says to which contract: encoding only. Sending is transactor.ts, composing
 * evm-ledger.ts.
 */
import {
  type Address,
  type Amount,
  concatBytes,
  type DealId,
  type DealTerms,
  fromHex,
  type Hex,
  type Period,
  type ProviderId,
  type SlotPath,
  toHex,
  toNumber,
  uintBytes,
} from '@holdfast/protocol'
import { type ContractFunctionArgs, erc20Abi, zeroAddress } from 'viem'
import {
  dealMarketAbi,
  drandBeaconAbi,
  proofLedgerAbi,
  providerRegistryAbi,
  vaultAbi,
} from '../generated/contracts.ts'
import type {
  NetworkParams,
  OpenDealParameters,
  ProvePeriodParameters,
  ProviderSettings,
} from '../ledger.ts'
import { callOf } from './call.ts'
import type { Transaction } from './transactor.ts'

type Contracts = NetworkParams['contracts']

/** Deal terms as the ABI takes them. */
type RawTerms = ContractFunctionArgs<typeof dealMarketAbi, 'nonpayable', 'closeDeal'>[0]

export const rawTerms = (terms: DealTerms): RawTerms => ({
  ...terms,
  periods: toNumber(terms.periods),
  notice: toNumber(terms.notice),
})

export const pathBytes = ({ siblings }: SlotPath): Hex =>
  toHex(
    concatBytes(...siblings.flatMap(({ hash, weight }) => [fromHex(hash), uintBytes(weight, 8)])),
  )

const rawSettings = (settings: ProviderSettings) => ({
  operator: settings.operator,
  beneficiary: settings.beneficiary ?? zeroAddress,
  tlsKeyHash: settings.tlsKeyHash,
  endpoint: settings.endpoint,
  region: settings.region,
  token: settings.token,
  pricePerTibMonth: settings.pricePerTibMonth,
  provingFeeMonth: settings.provingFeeMonth,
  egressPerTib: settings.egressPerTib,
  accepting: settings.accepting,
})

export interface PermitSignature {
  readonly deadline: bigint
  readonly signature: Hex
}

export const approveCall = (contracts: Contracts, token: Address, amount: Amount): Transaction =>
  callOf(token, {
    abi: erc20Abi,
    functionName: 'approve',
    args: [contracts.vault, amount],
  })

export const depositCall = (
  contracts: Contracts,
  of: { readonly token: Address; readonly owner: Address; readonly amount: Amount },
): Transaction =>
  callOf(contracts.vault, {
    abi: vaultAbi,
    functionName: 'deposit',
    args: [of.token, of.owner, of.amount],
  })

export const depositWithPermitCall = (
  contracts: Contracts,
  of: { readonly token: Address; readonly owner: Address; readonly amount: Amount },
  permit: PermitSignature,
): Transaction => {
  const raw = fromHex(permit.signature)
  const [r, s] = [toHex(raw.subarray(0, 32)), toHex(raw.subarray(32, 64))]
  return callOf(contracts.vault, {
    abi: vaultAbi,
    functionName: 'depositWithPermit',
    args: [of.token, of.owner, of.amount, permit.deadline, raw[64] ?? 0, r, s],
  })
}

export const withdrawCall = (
  contracts: Contracts,
  of: { readonly token: Address; readonly owner: Address; readonly amount: Amount },
): Transaction =>
  callOf(contracts.vault, {
    abi: vaultAbi,
    functionName: 'withdraw',
    args: [of.token, of.amount, of.owner],
  })

export const claimCall = (
  contracts: Contracts,
  token: Address,
  provider: ProviderId,
): Transaction =>
  callOf(contracts.vault, { abi: vaultAbi, functionName: 'claim', args: [token, provider] })

/** A deal with nothing to pay when estimated may have a first payment to book when mined. */
const SETTLE_GAS_ROOM = 80_000n

/** One deal has a cheaper call of its own. */
export const settleCall = (contracts: Contracts, deals: readonly DealId[]): Transaction => {
  const [only] = deals
  const call =
    deals.length === 1 && only !== undefined
      ? callOf(contracts.market, { abi: dealMarketAbi, functionName: 'settle', args: [only] })
      : callOf(contracts.market, { abi: dealMarketAbi, functionName: 'settleMany', args: [deals] })
  return { ...call, gasRoom: SETTLE_GAS_ROOM * BigInt(deals.length) }
}

export const closeDealCall = (contracts: Contracts, terms: DealTerms): Transaction =>
  callOf(contracts.market, {
    abi: dealMarketAbi,
    functionName: 'closeDeal',
    args: [rawTerms(terms)],
  })

export const terminateDealCall = (contracts: Contracts, terms: DealTerms): Transaction =>
  callOf(contracts.market, {
    abi: dealMarketAbi,
    functionName: 'terminateDeal',
    args: [rawTerms(terms)],
  })

export const openDealCall = (contracts: Contracts, open: OpenDealParameters): Transaction =>
  callOf(contracts.market, {
    abi: dealMarketAbi,
    functionName: 'openDeal',
    args: [
      rawTerms(open.terms),
      open.clientSignature,
      open.providerSignature,
      toNumber(open.path.slot),
      pathBytes(open.path),
    ],
  })

export const declareFaultCall = (
  contracts: Contracts,
  terms: DealTerms,
  path: SlotPath,
): Transaction =>
  callOf(contracts.market, {
    abi: dealMarketAbi,
    functionName: 'declareFault',
    args: [rawTerms(terms), pathBytes(path)],
  })

export const releaseSlotCall = (
  contracts: Contracts,
  terms: DealTerms,
  path: SlotPath,
): Transaction =>
  callOf(contracts.market, {
    abi: dealMarketAbi,
    functionName: 'releaseSlot',
    args: [rawTerms(terms), pathBytes(path)],
  })

export const provePeriodCall = (
  contracts: Contracts,
  { provider, period, answers }: ProvePeriodParameters,
): Transaction =>
  callOf(contracts.proofs, {
    abi: proofLedgerAbi,
    functionName: 'provePeriod',
    args: [provider, period, answers.map(toHex)],
  })

export const registerCall = (
  contracts: Contracts,
  settings: ProviderSettings,
  stake: Amount,
): Transaction =>
  callOf(contracts.registry, {
    abi: providerRegistryAbi,
    functionName: 'register',
    args: [rawSettings(settings), stake],
  })

export const updateCall = (contracts: Contracts, settings: ProviderSettings): Transaction =>
  callOf(contracts.registry, {
    abi: providerRegistryAbi,
    functionName: 'update',
    args: [rawSettings(settings)],
  })

export const addStakeCall = (contracts: Contracts, amount: Amount): Transaction =>
  callOf(contracts.registry, {
    abi: providerRegistryAbi,
    functionName: 'addStake',
    args: [amount],
  })

export const withdrawStakeCall = (contracts: Contracts, amount: Amount): Transaction =>
  callOf(contracts.registry, {
    abi: providerRegistryAbi,
    functionName: 'withdrawStake',
    args: [amount],
  })

/** @param point the signature as a 128-byte EIP-2537 G1 point. */
export const postSeedCall = (contracts: Contracts, of: Period, point: Uint8Array): Transaction =>
  callOf(contracts.beacon, {
    abi: drandBeaconAbi,
    functionName: 'postSeed',
    args: [of, toHex(point)],
  })
