/** The implementation against every file of `vectors/`, which hold the Solidity side as well. */
import { describe, expect, test } from '@jest/globals'
import { verifyAnswer } from '../src/answer.ts'
import { challengeBase, dealChallenges, globalChallenges, seedOf } from '../src/challenge.ts'
import { closeSplit, dealSpan, paidTotal, payable } from '../src/deal/accounting.ts'
import { depthFor, leavesFor } from '../src/geometry.ts'
import { address, dealId, fromHex, hash32, root, toHex } from '../src/ids.ts'
import { RootAccumulator } from '../src/merkle/accumulator.ts'
import { plainHasher } from '../src/merkle/hash.ts'
import { leafRoot, verifyLeaf } from '../src/merkle/proof.ts'
import { costOf, defaultCollateral, feeOf, fundedPeriods, rateFor } from '../src/pricing.ts'
import { ProviderTree } from '../src/provider-tree.ts'
import { periodAt, periodDeadline, periodStart, roundFor, roundTime } from '../src/schedule.ts'
import { emptyNode, pathRoot, type SlotPath, slotNode, slotPathBytes } from '../src/sum-node.ts'
import * as units from '../src/units.ts'
import { payloadBytes } from './reference/bytes.ts'
import { cryptoHasher } from './support/crypto-hasher.ts'
import { expectCode } from './support/failures.ts'
import { vectors } from './support/vectors.ts'

type Row = Readonly<Record<string, string>>

const contextOf = (row: Row) => ({
  chainId: BigInt(row['chainId'] ?? ''),
  proofs: address(row['proofs'] ?? ''),
  provider: address(row['provider'] ?? ''),
  period: units.period(BigInt(row['period'] ?? '')),
  seed: hash32(row['seed'] ?? ''),
})

describe('commitments.json', () => {
  interface Row {
    readonly content: 'stream' | 'zeros' | 'ones'
    readonly seed: number
    readonly length: number
    readonly leaves: number
    readonly depth: number
    readonly root: string
  }
  const CONTENT = {
    stream: ({ seed, length }: Row): Uint8Array => payloadBytes(seed, length),
    zeros: ({ length }: Row): Uint8Array => new Uint8Array(length),
    ones: ({ length }: Row): Uint8Array => new Uint8Array(length).fill(0xff),
  }
  test('roots, leaves and depths', () => {
    for (const row of vectors<Row>('commitments')) {
      const accumulator = new RootAccumulator(row.length > 70_000 ? cryptoHasher : plainHasher)
      accumulator.update(CONTENT[row.content](row))
      expect(accumulator.finish()).toEqual({
        scheme: 1,
        root: row.root,
        length: BigInt(row.length),
      })
      const leaves = leavesFor(units.bytes(row.length))
      expect([leaves, depthFor(leaves)]).toEqual([BigInt(row.leaves), row.depth])
    }
  })
})

describe('leaf-proofs.json', () => {
  interface Row {
    readonly length: number
    readonly leaves: number
    readonly root: string
    readonly index: number
    readonly leaf: string
    readonly path: string
    readonly valid: boolean
    readonly reason: string
  }
  test('good ones verify, spoilt ones are refused', () => {
    for (const row of vectors<Row>('leaf-proofs')) {
      const commitment = {
        scheme: 1,
        root: root(row.root),
        length: units.bytes(row.length),
      } as const
      const opening = {
        index: units.leafIndex(row.index),
        leaf: fromHex(row.leaf),
        path: fromHex(row.path),
      }
      if (row.valid) {
        verifyLeaf(commitment, opening)
        expect(toHex(leafRoot(opening, BigInt(row.leaves), plainHasher))).toBe(row.root)
      } else expectCode('PROOF_INVALID', () => verifyLeaf(commitment, opening))
    }
  })
})

describe('provider-trees.json', () => {
  interface Row {
    readonly tree: string
    readonly step: number
    readonly op: 'fill' | 'free'
    readonly slot: number
    readonly deal: string
    readonly payloadRoot: string
    readonly leaves: string
    readonly slotHash: string
    readonly path: string
    readonly siblingHashes: readonly string[]
    readonly siblingWeights: readonly string[]
    readonly rootBefore: string
    readonly root: string
    readonly weight: string
    readonly depth: number
    readonly slots: number
  }
  const pathOf = (row: Row): SlotPath => ({
    slot: units.slotIndex(row.slot),
    siblings: row.siblingHashes.map((hash, level) => ({
      hash: hash32(hash),
      weight: units.leaves(BigInt(row.siblingWeights[level] ?? '')),
    })),
  })

  test('every step, with its path before and after', () => {
    let tree = new ProviderTree()
    for (const row of vectors<Row>('provider-trees')) {
      if (row.step === 0) tree = new ProviderTree()
      const slot = units.slotIndex(row.slot)
      const leaf = {
        deal: dealId(row.deal),
        scheme: 1,
        root: root(row.payloadRoot),
        leaves: units.leaves(BigInt(row.leaves)),
      } as const
      expect(slotNode(leaf).hash).toBe(row.slotHash)
      expect(tree.root).toBe(row.rootBefore)
      expect(tree.path(slot)).toEqual(pathOf(row))
      expect(toHex(slotPathBytes(tree.path(slot)))).toBe(row.path)
      tree.set(slot, row.op === 'fill' ? leaf : undefined)
      const after = pathRoot(slotNode(tree.get(slot)), pathOf(row))
      expect([row.tree, row.step, after.hash]).toEqual([row.tree, row.step, row.root])
      expect([tree.root, tree.weight, tree.depth, tree.slots]).toEqual([
        row.root,
        BigInt(row.weight),
        row.depth,
        row.slots,
      ])
    }
  })
})

test('empty-nodes.json', () => {
  for (const { level, hash } of vectors<{ level: number; hash: string }>('empty-nodes')) {
    expect(emptyNode(level)).toEqual({ hash, weight: 0n })
  }
})

test('challenges.json', () => {
  interface Drawn {
    readonly base: string
    readonly weight: string
    readonly positions: readonly string[]
    readonly deal: string
    readonly leaves: string
    readonly indices: readonly string[]
  }
  for (const row of vectors<Drawn>('challenges')) {
    const context = contextOf(row as unknown as Row)
    expect(challengeBase(context)).toBe(row.base)
    const weight = units.leaves(BigInt(row.weight))
    expect(globalChallenges(context, row.positions.length, weight).map(String)).toEqual(
      row.positions,
    )
    const leaves = units.leaves(BigInt(row.leaves))
    const indices = dealChallenges(context, dealId(row.deal), row.indices.length, leaves)
    expect(indices.map(String)).toEqual(row.indices)
  }
})

test('seeds.json', () => {
  for (const row of vectors<Record<'chainId' | 'beacon' | 'round' | 'signature' | 'seed', string>>(
    'seeds',
  )) {
    const input = {
      chainId: BigInt(row.chainId),
      beacon: address(row.beacon),
      round: BigInt(row.round),
      signature: fromHex(row.signature),
    }
    expect(seedOf(input)).toBe(row.seed)
  }
})

test('answers.json', () => {
  interface Row {
    readonly treeRoot: string
    readonly treeWeight: string
    readonly treeDepth: number
    readonly position: string
    readonly answer: string
    readonly valid: boolean
    readonly reason: string
  }
  for (const row of vectors<Row>('answers')) {
    const snapshot = {
      root: hash32(row.treeRoot),
      weight: units.leaves(BigInt(row.treeWeight)),
      depth: row.treeDepth,
    }
    const verify = () => verifyAnswer(snapshot, BigInt(row.position), fromHex(row.answer))
    if (row.valid) expect(verify().leaf.scheme).toBe(1)
    else expectCode('PROOF_INVALID', verify)
  }
})

test('pricing.json', () => {
  for (const row of vectors<Row>('pricing')) {
    const of = (name: string): bigint => BigInt(row[name] ?? '')
    const rate = rateFor({
      length: units.bytes(of('length')),
      pricePerTibMonth: units.amount(of('pricePerTibMonth')),
      provingFeeMonth: units.amount(of('provingFeeMonth')),
    })
    expect(rate).toBe(of('rate'))
    const period = units.seconds(of('period'))
    const cost = (n: bigint): bigint => costOf({ rate, period, periods: units.periods(n) })
    expect(cost(of('periods'))).toBe(of('cost'))
    expect(cost(2n * of('periods'))).toBe(of('costTwice'))
    expect(defaultCollateral(rate, period)).toBe(of('collateral'))
    expect(feeOf(units.amount(of('cost')), Number(of('feeBps')))).toBe(of('fee'))
  }
})

test('funding.json', () => {
  for (const row of vectors<Row>('funding')) {
    const of = (name: string): bigint => BigInt(row[name] ?? '')
    const funded = fundedPeriods({
      deposit: units.amount(of('deposit')),
      rate: units.rate(of('rate')),
      period: units.seconds(of('period')),
    })
    expect(funded).toBe(of('funded'))
  }
})

test('accounting.json', () => {
  for (const row of vectors<Row>('accounting')) {
    const of = (name: string): bigint => BigInt(row[name] ?? '')
    const deal = {
      rate: units.rate(of('rate')),
      periods: units.periods(of('periods')),
      deposit: units.amount(of('deposit')),
      collateral: units.amount(of('collateral')),
      period: units.seconds(of('period')),
      feeBps: Number(of('feeBps')),
    }
    const count = { proven: units.periods(of('proven')), settled: units.periods(of('settled')) }
    const step = { paid: of('paid'), fee: of('fee'), toProvider: of('toProvider') }
    expect(dealSpan(deal, units.period(of('opened')))).toEqual({
      start: of('start'),
      end: of('end'),
    })
    expect(payable(deal, count)).toEqual(step)
    expect(paidTotal(deal, count.proven)).toMatchObject({
      paid: of('paidTotal'),
      fee: of('feeTotal'),
    })
    const money = { refund: of('refund'), returned: of('collateral') }
    const split = { payout: step, ...money, compensation: 0n, forfeited: 0n }
    expect(closeSplit(deal, count)).toEqual(split)
  }
})

test('schedules.json', () => {
  for (const row of vectors<Row>('schedules')) {
    const of = (name: string): bigint => BigInt(row[name] ?? '')
    const params = {
      genesis: units.timestamp(of('genesis')),
      period: units.seconds(of('period')),
      window: units.seconds(of('window')),
      seedDelay: units.seconds(of('seedDelay')),
      drand: {
        genesis: units.timestamp(of('drandGenesis')),
        period: units.seconds(of('drandPeriod')),
      },
    }
    const index = periodAt(params, units.timestamp(of('at')))
    const round = roundFor(params, index)
    expect({
      index,
      start: periodStart(params, index),
      deadline: periodDeadline(params, index),
      round,
      roundTime: roundTime(params, round),
    }).toEqual({
      index: of('index'),
      start: of('start'),
      deadline: of('deadline'),
      round: of('round'),
      roundTime: of('roundTime'),
    })
  }
})
