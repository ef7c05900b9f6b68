/**
 * The one map from what the contracts refuse to what Holdfast calls it. Every Solidity error, ours
 * and those we inherit, has an entry; a test fails for one without. Transport failures are not
 * this file's business (client.ts).
 */
import { type Hex, HoldfastError, type HoldfastErrorDetail } from '@holdfast/protocol'
import { BaseError, decodeErrorResult, RawContractError } from 'viem'
import { contractErrorsAbi } from '../generated/contracts.ts'

type Args = readonly unknown[]
type Entry = (args: Args) => HoldfastErrorDetail

const text = (value: unknown): string =>
  typeof value === 'string' && value.startsWith('0x') ? value.toLowerCase() : String(value)
const integer = (value: unknown): bigint =>
  typeof value === 'bigint' ? value : BigInt(Number(value))

const proof = (reason: string): Entry => {
  return (args) => ({
    code: 'PROOF_INVALID',
    reason: args.length === 0 ? reason : `${reason} (${args.map(text).join(', ')})`,
  })
}
const terms = (field: string, reason: string): Entry => {
  return (args) => ({
    code: 'TERMS_INVALID',
    field,
    reason: args.length === 0 ? reason : `${reason} (${args.map(text).join(', ')})`,
  })
}
/** Deal first, then what the reason speaks of. */
const deal = (reason: string): Entry => {
  return ([id, ...rest]) => ({
    code: 'DEAL_STATE',
    deal: text(id),
    reason: rest.length === 0 ? reason : `${reason} (${rest.map(text).join(', ')})`,
  })
}
const provider = (reason: string): Entry => {
  return ([id, ...rest]) => ({
    code: 'PROVIDER_STATE',
    provider: text(id),
    reason: rest.length === 0 ? reason : `${reason} (${rest.map(text).join(', ')})`,
  })
}
const caller = (who: string): Entry => {
  return (args) => ({ code: 'UNAUTHORIZED', reason: `${who} (${args.map(text).join(', ')})` })
}
const windowClosed: Entry = ([of, deadline]) => ({
  code: 'WINDOW_CLOSED',
  period: integer(of),
  deadline: integer(deadline),
})
const signature: Entry = ([expected, actual]) => ({
  code: 'SIGNATURE_INVALID',
  expected: text(expected),
  actual: text(actual ?? 'a signature that it did not make'),
})
const unsuitable = (reason: string): Entry => {
  return (args) => ({ code: 'CHAIN_UNSUITABLE', reason: [reason, ...args.map(text)].join(' ') })
}
/** Rules that our own calls cannot break: kept by name, so that the log says which it was. */
const named = (error: string): Entry => {
  return (args) => ({ code: 'TX_REVERTED', error, args: args.map(text) })
}

const ANSWERS: Readonly<Record<string, Entry>> = {
  AnswerLeaves: proof('an answer claims an impossible number of leaves'),
  AnswerLength: proof('an answer has the wrong length (expected, actual)'),
  AnswerPayloadMismatch: proof('a leaf does not open the payload root (expected, actual)'),
  AnswerPositionOutside: proof('an answer is not about the challenged position'),
  AnswerScheme: proof('an answer names an unknown scheme'),
  AnswerSlotOutside: proof('an answer names a slot outside the tree'),
  AnswerTreeMismatch: proof('a deal does not open the provider tree (expected, actual)'),
  TreeFull: proof('the provider tree is full'),
  TreePathLength: proof('the slot path has the wrong length (expected, actual)'),
  TreePathMismatch: proof('the slot path does not open the provider tree (expected, actual)'),
  TreeSlotOutside: proof('the slot is outside the tree (slot, slots)'),
  TreeWeightOverflow: proof('the weights of the slot path are too large'),
}

const PROOFS: Readonly<Record<string, Entry>> = {
  ProofsAlreadyProven: ([of]) => ({
    code: 'NOTHING_TO_DO',
    reason: `period ${text(of)} is proven already`,
  }),
  ProofsAnswerCount: proof('the number of answers is wrong (expected, actual)'),
  ProofsCallerNotMarket: caller('only the market may'),
  ProofsCallerNotOperator: caller('only the operator proves (operator, sender)'),
  ProofsChallengesInvalid: named('ProofsChallengesInvalid'),
  ProofsPeriodNotStarted: ([of]) => ({ code: 'SEED_MISSING', period: integer(of) }),
  ProofsSeedMissing: ([of]) => ({ code: 'SEED_MISSING', period: integer(of) }),
  ProofsSnapshotGone: provider('its tree of that period is no longer kept (period)'),
  ProofsTreeEmpty: provider('its tree of that period is empty (period)'),
  ProofsWindowClosed: windowClosed,
}

const MARKET: Readonly<Record<string, Entry>> = {
  MarketCallerNotClient: caller('only the client may (client, sender)'),
  MarketCallerNotVault: caller('only the vault may'),
  MarketCallerNotOperator: caller('only the operator may (operator, sender)'),
  MarketClientSignatureInvalid: signature,
  MarketDealClosed: deal('it is closed'),
  MarketDealEnded: deal('it has ended (end)'),
  MarketDealExists: ([id]) => ({ code: 'DEAL_EXISTS', deal: text(id) }),
  MarketDealFaulted: deal('it is faulty already'),
  MarketDealNotEnded: deal('it has not ended (end)'),
  MarketDealNotFinal: deal('its last period is not final (end, final before)'),
  MarketDealUnknown: ([id]) => ({ code: 'DEAL_NOT_FOUND', deal: text(id) }),
  MarketDepositTooSmall: terms('deposit', 'it does not pay for the notice (needed, actual)'),
  MarketFeeInvalid: named('MarketFeeInvalid'),
  MarketOpenTooLate: terms('openBefore', 'it is over (open before, block time)'),
  MarketOperatorSignatureInvalid: signature,
  MarketProviderNotAccepting: provider('it takes no new deals'),
  MarketSlotFree: deal('it is in no slot'),
  MarketTermsInvalid: ([field]) => ({
    code: 'TERMS_INVALID',
    field: text(field),
    reason: 'the market does not take it',
  }),
  MarketWiringInvalid: named('MarketWiringInvalid'),
  PayloadEmpty: () => ({ code: 'PAYLOAD_EMPTY' }),
  PayloadTooLarge: ([limit, actual]) => ({
    code: 'PAYLOAD_TOO_LARGE',
    limit: integer(limit),
    actual: integer(actual),
  }),
}

const REGISTRY: Readonly<Record<string, Entry>> = {
  RegistryOperatorTaken: ([operator, owner]) => ({
    code: 'PROVIDER_STATE',
    provider: text(owner),
    reason: `operator ${text(operator)} already works for it`,
  }),
  RegistryOperatorZero: terms('operator', 'the zero address cannot sign'),
  RegistryProviderExists: provider('it is registered already'),
  RegistryProviderUnknown: ([id]) => ({ code: 'PROVIDER_NOT_FOUND', provider: text(id) }),
  RegistryStakeLocked: provider('stake stays while it accepts or holds deals (accepting, weight)'),
  RegistryStakeTooLow: ([needed, available]) => ({
    code: 'FUNDS_INSUFFICIENT',
    needed: integer(needed),
    available: integer(available),
  }),
  RegistryTextLength: ([field, most, actual]) => ({
    code: 'TERMS_INVALID',
    field: text(field),
    reason: `it may have 1 to ${text(most)} bytes, not ${text(actual)}`,
  }),
}

const lacking: Entry = ([, available, needed]) => ({
  code: 'FUNDS_INSUFFICIENT',
  needed: integer(needed),
  available: integer(available),
})

const MONEY: Readonly<Record<string, Entry>> = {
  ERC20InsufficientAllowance: lacking,
  ERC20InsufficientBalance: lacking,
  ERC20InvalidApprover: named('ERC20InvalidApprover'),
  ERC20InvalidReceiver: named('ERC20InvalidReceiver'),
  ERC20InvalidSender: named('ERC20InvalidSender'),
  ERC20InvalidSpender: named('ERC20InvalidSpender'),
  ERC2612ExpiredSignature: named('ERC2612ExpiredSignature'),
  ERC2612InvalidSigner: ([actual, expected]) => signature([expected, actual]),
  SafeERC20FailedOperation: named('SafeERC20FailedOperation'),
  VaultAddressZero: named('VaultAddressZero'),
  VaultBalanceTooLow: ([, needed, available]) => ({
    code: 'FUNDS_INSUFFICIENT',
    needed: integer(needed),
    available: integer(available),
  }),
  VaultCallerNotFeeAccount: caller('only the fee account may'),
  VaultCallerNotMarket: caller('only the market may'),
  VaultCallerNotRegistry: caller('only the registry may'),
  VaultNothingReceived: ([token]) => ({
    code: 'TX_REVERTED',
    error: 'VaultNothingReceived',
    args: [text(token)],
  }),
  VaultPermitRefused: signature,
  VaultTokenListInvalid: named('VaultTokenListInvalid'),
  VaultTokenUnknown: terms('token', 'the vault does not take it'),
}

const REST: Readonly<Record<string, Entry>> = {
  BeaconKeyInvalid: named('BeaconKeyInvalid'),
  BeaconPeriodNotStarted: ([of]) => ({ code: 'SEED_MISSING', period: integer(of) }),
  BeaconPrecompileMissing: unsuitable('it lacks the precompile at'),
  BeaconScheduleInvalid: named('BeaconScheduleInvalid'),
  BeaconSeedExists: ([of]) => ({
    code: 'NOTHING_TO_DO',
    reason: `period ${text(of)} has its seed already`,
  }),
  BeaconSignatureInvalid: ([round]) => ({
    code: 'SIGNATURE_INVALID',
    expected: `the network's key over round ${text(round)}`,
    actual: 'another signature',
  }),
  BeaconWindowClosed: windowClosed,
  BlsPrecompileFailed: unsuitable('the precompile failed at'),
  ECDSAInvalidSignature: named('ECDSAInvalidSignature'),
  ECDSAInvalidSignatureLength: named('ECDSAInvalidSignatureLength'),
  ECDSAInvalidSignatureS: named('ECDSAInvalidSignatureS'),
  InvalidAccountNonce: named('InvalidAccountNonce'),
  InvalidShortString: named('InvalidShortString'),
  ReentrancyGuardReentrantCall: named('ReentrancyGuardReentrantCall'),
  ScheduleBeforeGenesis: named('ScheduleBeforeGenesis'),
  StringTooLong: named('StringTooLong'),
  // Solidity's own.
  Error: named('Error'),
  Panic: named('Panic'),
}

/** Solidity error name to our detail. */
export const REVERTS: Readonly<Record<string, Entry>> = {
  ...ANSWERS,
  ...PROOFS,
  ...MARKET,
  ...REGISTRY,
  ...MONEY,
  ...REST,
}

/** Revert data as our error. Data that no error of ours explains are `TX_REVERTED`, in hex. */
export const decodeRevert = (data: Hex): HoldfastErrorDetail => {
  if (data === '0x') return { code: 'TX_REVERTED', error: 'NoReason', args: [] }
  try {
    const { errorName, args = [] } = decodeErrorResult({ abi: contractErrorsAbi, data })
    const entry = REVERTS[errorName] ?? named(errorName)
    return entry(args as Args)
  } catch {
    return { code: 'TX_REVERTED', error: 'Unknown', args: [data.slice(0, 1024)] }
  }
}

/** The data a node attached to a refused call, wherever it put them. */
const revertDataIn = (error: BaseError): Hex | undefined => {
  const raw = error.walk((cause) => cause instanceof RawContractError)
  const candidates: unknown[] = raw instanceof RawContractError ? [raw.data] : []
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    candidates.push((cause as { data?: unknown }).data)
  }
  for (const candidate of candidates) {
    const data = (candidate as { data?: unknown } | undefined)?.data ?? candidate
    if (typeof data === 'string' && /^0x(?:[0-9a-fA-F]{2})*$/.test(data)) return data as Hex
  }
  return undefined
}

/**
 * What a call failed with, as our error; ours pass as they are. The client's own error is left
 * behind: it repeats the whole request, which may be a contract's code, and says nothing more.
 */
export const decodeFailure = (failure: unknown): HoldfastError => {
  if (HoldfastError.is(failure)) return failure
  if (!(failure instanceof BaseError)) {
    const args = [failure instanceof Error ? failure.message : String(failure)]
    return new HoldfastError({ code: 'TX_REVERTED', error: 'Unknown', args }, { cause: failure })
  }
  const data = revertDataIn(failure)
  if (data !== undefined) return new HoldfastError(decodeRevert(data))
  const words = [failure.shortMessage, failure.details].map((part) => part.slice(0, 500))
  const args = words.filter((part) => part !== '')
  return new HoldfastError({ code: 'TX_REVERTED', error: 'Refused', args })
}
