/** The rules of ProviderRegistry.sol on the in-memory state, in the contract's order. */
import {
  type Address,
  type Amount,
  amount,
  HoldfastError,
  minus,
  type ProviderId,
  slashSplit,
  ZERO_ADDRESS,
} from '@holdfast/protocol'
import type { ProviderRecord, ProviderSettings } from '../ledger.ts'
import { finalBefore, owedAudit } from './marks.ts'
import { openDisputes, stateOf, treeOf } from './trees.ts'
import { checkToken, credit, debit, payFee, stakeToken, type World } from './world.ts'

const ENDPOINT_BYTES_MAX = 255
const REGION_BYTES_MAX = 64

const state = (provider: ProviderId, reason: string): HoldfastError =>
  new HoldfastError({ code: 'PROVIDER_STATE', provider, reason })

/** @throws HoldfastError `PROVIDER_NOT_FOUND`. */
export const knownProvider = (world: World, id: ProviderId): ProviderRecord => {
  const record = world.providers.get(id)
  if (record === undefined) throw new HoldfastError({ code: 'PROVIDER_NOT_FOUND', provider: id })
  return record
}

const checkText = (field: string, text: string, bounds: { min: number; max: number }): void => {
  const size = new TextEncoder().encode(text).length
  if (size >= bounds.min && size <= bounds.max) return
  const reason = `it may have 1 to ${bounds.max} bytes, not ${size}`
  throw new HoldfastError({ code: 'TERMS_INVALID', field, reason })
}

const checkSettings = (world: World, settings: ProviderSettings): void => {
  const { operator, endpoint, region, token } = settings
  if (operator === ZERO_ADDRESS) {
    const reason = 'the zero address cannot sign'
    throw new HoldfastError({ code: 'TERMS_INVALID', field: 'operator', reason })
  }
  const taken = world.operators.get(operator)
  if (taken !== undefined) throw state(taken, `operator ${operator} already works for it`)
  checkText('endpoint', endpoint, { min: 1, max: ENDPOINT_BYTES_MAX })
  checkText('region', region, { min: 0, max: REGION_BYTES_MAX })
  checkToken(world, token)
}

/** On chain the zero address stands for none named. */
const named = (settings: ProviderSettings): ProviderSettings =>
  settings.beneficiary === ZERO_ADDRESS ? { ...settings, beneficiary: undefined } : settings

const checkStake = (world: World, stake: Amount): void => {
  if (stake >= world.minimumStake) return
  throw new HoldfastError({
    code: 'FUNDS_INSUFFICIENT',
    needed: world.minimumStake,
    available: stake,
  })
}

export const register = (
  world: World,
  sender: Address,
  settings: ProviderSettings,
  stake: Amount,
): void => {
  if (world.providers.has(sender)) throw state(sender, 'it is registered already')
  checkStake(world, stake)
  checkSettings(world, settings)
  world.operators.set(settings.operator, sender)
  world.providers.set(sender, { ...named(settings), provider: sender, stake })
  const { operator, endpoint } = settings
  world.emit({ kind: 'provider-registered', provider: sender, operator, endpoint })
  world.emit({ kind: 'stake-changed', provider: sender, stake })
  debit(world, stakeToken(world), sender, stake)
}

export const update = (world: World, sender: Address, settings: ProviderSettings): void => {
  const record = knownProvider(world, sender)
  if (settings.accepting) checkStake(world, record.stake)
  if (settings.accepting && stateOf(world, sender).terminatedAt !== undefined) {
    throw state(sender, 'it is terminated')
  }
  world.operators.delete(record.operator)
  checkSettings(world, settings)
  world.operators.set(settings.operator, sender)
  world.providers.set(sender, { ...record, ...named(settings) })
  world.emit({ kind: 'provider-updated', provider: sender })
}

export const addStake = (world: World, sender: Address, value: Amount): void => {
  const record = knownProvider(world, sender)
  const stake = amount(record.stake + value)
  world.providers.set(sender, { ...record, stake })
  world.emit({ kind: 'stake-changed', provider: sender, stake })
  debit(world, stakeToken(world), sender, value)
}

/** Nothing can be asked of it any more. */
const isIdle = (world: World, provider: ProviderId): boolean => {
  const { weight, inForceFrom } = treeOf(world, provider)
  return (
    weight === 0n &&
    openDisputes(world, provider).length === 0 &&
    owedAudit(world, provider) === undefined &&
    finalBefore(world, provider) >= inForceFrom
  )
}

export const withdrawStake = (world: World, sender: Address, value: Amount): void => {
  const record = knownProvider(world, sender)
  if (record.accepting || !isIdle(world, sender)) {
    throw state(sender, 'stake stays while it accepts, holds or owes something')
  }
  if (value > record.stake) {
    throw new HoldfastError({ code: 'FUNDS_INSUFFICIENT', needed: value, available: record.stake })
  }
  const stake = amount(record.stake - value)
  world.providers.set(sender, { ...record, stake })
  world.emit({ kind: 'stake-changed', provider: sender, stake })
  credit(world, stakeToken(world), sender, value)
}

/** No deal opens with it until its owner accepts again. */
export const stop = (world: World, provider: ProviderId): void => {
  const record = knownProvider(world, provider)
  if (!record.accepting) return
  world.providers.set(provider, { ...record, accepting: false })
  world.emit({ kind: 'provider-stopped', provider })
}

/** Takes what a lost dispute or audit costs: half to `reporter`, the rest to the fee account. */
export const slash = (world: World, provider: ProviderId, reporter: Address): Amount => {
  const record = knownProvider(world, provider)
  const { slashed, reward, forfeited } = slashSplit(record.stake, world.network.disputeSlash)
  const stake = minus(record.stake, slashed)
  world.providers.set(provider, { ...record, stake })
  world.emit({ kind: 'stake-changed', provider, stake })
  if (stake < world.minimumStake) stop(world, provider)
  credit(world, stakeToken(world), reporter, reward)
  payFee(world, stakeToken(world), forfeited)
  return slashed
}
