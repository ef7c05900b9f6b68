/**
 * `exit`: leaves the network in good order. Each run does what can be done now and says what it waits
 * for; running it again goes on from there, whatever happened in between. Nothing is given up: deals
 * are proven to their end and closed, then the stake and the vault's money come home.
 *
 * Not here: proving, releasing slots. That is the node's, which must run until the last deal is over.
 */
import { type Deal, systemClock } from '@holdfast/chain'
import {
  amount,
  HoldfastError,
  milliseconds,
  type Period,
  periodAt,
  periodStart,
} from '@holdfast/protocol'
import { holderOf } from '@holdfast/prover'
import { recordOf } from './money.ts'
import type { CommandResult } from './output.ts'
import { asOwner, type Owner, type OwnerFlags } from './owner.ts'

export interface ExitFlags extends OwnerFlags {
  readonly wait?: boolean
}

/** Where the exit stands. */
interface Progress {
  readonly done: boolean
  /** Deals that are not over. */
  readonly running: number
  /** Deals that are over and wait for their last settlement. */
  readonly closing: number
  /** The first period in which no deal runs any more. */
  readonly lastEnd: Period | undefined
  /** What stands in the way now; undefined when it is done. */
  readonly waitsFor: string | undefined
  readonly stakeReturned: bigint
  readonly withdrawn: bigint
}

const LOOK_EVERY_MS = 2000

export const exit = (flags: ExitFlags): Promise<CommandResult> =>
  asOwner(flags, async (owner) => {
    let progress = await goOn(owner)
    while (flags.wait === true && !progress.done) {
      await systemClock.sleep(milliseconds(LOOK_EVERY_MS))
      const { stakeReturned, withdrawn } = progress
      const next = await goOn(owner)
      progress = {
        ...next,
        stakeReturned: stakeReturned + next.stakeReturned,
        withdrawn: withdrawn + next.withdrawn,
      }
    }
    const { provider, say } = owner
    const money = `${say(progress.stakeReturned)} of stake returned, ${say(progress.withdrawn)} withdrawn`
    const lines = progress.done
      ? [`provider ${provider} has left: ${money}`]
      : [
          'notice given: no new deals are taken',
          `waits for: ${progress.waitsFor}`,
          'keep the node running, and run exit again then (or with --wait)',
        ]
    return { json: { provider, accepting: false, ...progress }, lines }
  })

/** Does all that can be done now. */
const goOn = async (owner: Owner): Promise<Progress> => {
  const { ledger, provider } = owner
  const { provider: _id, stake: _stake, ...settings } = await recordOf(owner)
  if (settings.accepting) {
    await ledger.updateProvider(provider, { ...settings, accepting: false })
  }
  const deals = await ledger.deals({ provider })
  const running = deals.filter(({ state }) => state === 'active' || state === 'faulty')
  const closing = deals.filter(({ state }) => state === 'ended')
  const lastEnd = running.map(({ end }) => end).sort((a, b) => Number(b - a))[0]
  const nothing = { stakeReturned: 0n, withdrawn: 0n }
  const counts = { running: running.length, closing: closing.length, lastEnd }
  const waitsFor = await obstacle(owner, { running, closing, lastEnd })
  if (waitsFor !== undefined) return { done: false, ...counts, waitsFor, ...nothing }
  return { ...counts, ...(await takeHome(owner)) }
}

/** Why the stake cannot come home yet; ended deals are closed here when no node does it. */
const obstacle = async (
  { ledger, lock }: Owner,
  found: {
    readonly running: readonly Deal[]
    readonly closing: readonly Deal[]
    readonly lastEnd: Period | undefined
  },
): Promise<string | undefined> => {
  const { running, closing, lastEnd } = found
  const isNodeUp = (await holderOf(lock)) !== undefined
  const down = isNodeUp ? '' : '; the node is down, and nobody proves them'
  if (running.length > 0 && lastEnd !== undefined) {
    const at = new Date(Number(periodStart(ledger.network, lastEnd)) * 1000).toISOString()
    const { timestamp } = await ledger.tip()
    const now = periodAt(ledger.network, timestamp)
    return `${running.length} deals, the last until period ${lastEnd} (now ${now}), ${at}${down}`
  }
  if (closing.length === 0) return undefined
  if (isNodeUp) return `${closing.length} deals that are over: the node closes them`
  let closed = 0
  for (const { id } of closing) {
    const problem = await ledger.closeDeal(id).then(
      () => undefined,
      (error: unknown) => asRefusal(error),
    )
    if (problem === undefined) closed++
    else return `deal ${id} to be closed: ${problem}`
  }
  return closed === closing.length ? undefined : 'deals to be closed'
}

/** The stake, then everything free in the vault, to the owner's account. */
const takeHome = async (
  owner: Owner,
): Promise<Pick<Progress, 'done' | 'waitsFor' | 'stakeReturned' | 'withdrawn'>> => {
  const { ledger, provider, token } = owner
  const { stake, beneficiary } = await recordOf(owner)
  if (beneficiary !== undefined) await ledger.claim(token, provider)
  if (stake > 0n) {
    const problem = await ledger.withdrawStake(stake).then(
      () => undefined,
      (error: unknown) => asRefusal(error),
    )
    if (problem !== undefined) {
      const waitsFor = `the stake to be free: ${problem}`
      return { done: false, waitsFor, stakeReturned: 0n, withdrawn: 0n }
    }
  }
  const free = await ledger.balance(provider, token)
  if (free > 0n) await ledger.withdraw(token, amount(free))
  return { done: true, waitsFor: undefined, stakeReturned: stake, withdrawn: free }
}

const NOT_FINAL = 'the last periods are not final: until then they can be disputed'

/** Words of a refusal by the contracts, which time will lift. Anything else is thrown again. */
const asRefusal = (error: unknown): string => {
  const waits = ['DEAL_STATE', 'DISPUTE_STATE', 'TX_REVERTED']
  if (HoldfastError.is(error, 'PROVIDER_STATE')) return NOT_FINAL
  if (HoldfastError.is(error) && waits.includes(error.code)) return error.message
  throw error
}
