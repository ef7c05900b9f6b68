/**
 * A provider whose commitment nobody can ever show, on the real chain with real processes: it was
 * killed, somebody with its operator's key committed to nonsense, and it comes back owing an audit. It
 * ends the audit itself, loses one slash of which half comes back, and is proven again.
 */
import { mkdirSync } from 'node:fs'
import type { Ledger } from '@holdfast/chain'
import {
  type Hash32,
  HoldfastError,
  hash32,
  type Period,
  period,
  periodAt,
} from '@holdfast/protocol'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { writeSmallTree } from '../support/corpus.ts'
import { HOLDFAST_PROVIDER, Network, type ProviderProcess } from '../support/network.ts'
import { Running } from '../support/process.ts'
import { dealOnChain, type PublishedDeal, publish, untilProven } from '../support/publishing.ts'
import { until } from '../support/wait.ts'

const NONSENSE: Hash32 = hash32(`0x${'c0'.repeat(32)}`)

let network: Network
let deal: PublishedDeal
let node: ProviderProcess
let operator: Ledger
let publisher: Ledger
let again: Running | undefined
/** The period whose commitment is nonsense. */
let lost: Period
let stake: bigint

/** The devnet's name for the operator of a provider. */
const operatorOf = async ({ provider }: PublishedDeal): Promise<Ledger> => {
  const record = await network.ledger.provider(provider)
  for (const name of ['provider-1-operator', 'provider-2-operator']) {
    const ledger = await network.writer(name)
    if (ledger.account === record?.operator) return ledger
  }
  throw new Error(`no operator of ${provider}`)
}

/** Before the seed, after the window, or not mined before its end. */
const TRIED_AGAIN = ['SEED_MISSING', 'WINDOW_CLOSED', 'TIMED_OUT'] as const

/**
 * One period in thirty is audited by chance: it may be the last one before the node was killed, and
 * then nothing is committed until somebody ends that audit.
 */
const endDrawnAudit = async (): Promise<void> => {
  const { audit } = await network.ledger.standing(deal.provider)
  if (audit === undefined) return
  try {
    await publisher.slashAudit(deal.provider, period(audit.period + 1n))
  } catch (error) {
    // Its time is not over.
    if (!HoldfastError.is(error, 'PROVIDER_STATE')) throw error
  }
}

/** Commits in the first period that follows an unmarked one: that one is shown by all means. */
const commitToNonsense = async (): Promise<Period> => {
  const { ledger } = network
  const { newest } = await ledger.standing(deal.provider)
  return until('the nonsense is committed to', async () => {
    const of = periodAt(ledger.network, (await ledger.tip()).timestamp)
    if (newest !== undefined && of < newest + 2n) return undefined
    try {
      await operator.commitPeriod({ provider: deal.provider, period: of, root: NONSENSE })
      return of
    } catch (error) {
      if (HoldfastError.is(error, 'PROVIDER_STATE')) await endDrawnAudit()
      else if (!TRIED_AGAIN.some((code) => HoldfastError.is(error, code))) throw error
      return undefined
    }
  })
}

beforeAll(async () => {
  network = await Network.start({ period: '8s' })
  mkdirSync(network.path('dataset'))
  writeSmallTree(network.path('dataset'))
  const { deals } = await publish(network, network.path('dataset'))
  const [first] = deals
  if (first === undefined) throw new Error('there is a deal')
  deal = first
  await untilProven(network, deal.id, 1)
  await until('its first audit is shown', async () => {
    const { audit } = await network.ledger.standing(deal.provider)
    return audit === undefined ? true : undefined
  })
  node = await network.process(deal.provider)
  operator = await operatorOf(deal)
  publisher = await network.writer('publisher')
  await network.kill(deal.provider)
  lost = await commitToNonsense()
  stake = (await network.ledger.provider(deal.provider))?.stake ?? 0n
  again = new Running([HOLDFAST_PROVIDER, 'run', '--home', node.home], process.env)
})

afterAll(async () => {
  await again?.stop()
  await network?.close()
})

test('it ends its audit itself: one slash, half of it to its operator', async () => {
  const { ledger } = network
  await until('the nonsense is missed', async () => {
    const missed = await ledger.missed(deal.provider, lost, period(lost + 1n))
    return missed.length === 1 ? true : undefined
  })
  const { disputeSlash, tokens } = ledger.network
  expect((await ledger.provider(deal.provider))?.stake).toBe(stake - disputeSlash)
  const [token] = tokens
  if (token === undefined) throw new Error('a devnet has a token')
  expect(await ledger.balance(operator.account, token.address)).toBe(disputeSlash / 2n)
  // It says so once it has seen the block.
  await until('it says so', () => (again?.stderr.includes('end-audit') ? true : undefined))
})

test('it is proven again, and paid, as if nothing had been', async () => {
  const { ledger } = network
  const { end } = await dealOnChain(network, deal.id)
  await until('two later periods are proven', async () => {
    const proven = await ledger.proven(deal.provider, period(lost + 1n), end)
    return proven.length >= 2 ? true : undefined
  })
  expect(await ledger.proven(deal.provider, lost, period(lost + 1n))).toEqual([])
  await until('a period after the lost one is paid', async () => {
    await publisher.settle([deal.id])
    const { settledThrough, paid } = await dealOnChain(network, deal.id)
    return settledThrough > lost + 2n && paid > 0n ? true : undefined
  })
  expect((await ledger.provider(deal.provider))?.stake).toBe(stake - ledger.network.disputeSlash)
})
