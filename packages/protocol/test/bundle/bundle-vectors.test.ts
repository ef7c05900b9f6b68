/**
 * The implementation against `vectors/bundles.json`, as the contracts' library is.
 */
import { expect, test } from '@jest/globals'
import type { BundleQuestion } from '../../src/bundle/entry.ts'
import { verifyBundleEntry } from '../../src/bundle/verify.ts'
import { address, dealId, fromHex, hash32 } from '../../src/ids.ts'
import { leaves, period } from '../../src/units.ts'
import { expectCode } from '../support/failures.ts'
import { vectors } from '../support/vectors.ts'

interface Row {
  readonly chainId: string
  readonly proofs: string
  readonly provider: string
  readonly period: string
  readonly seed: string
  readonly treeRoot: string
  readonly treeWeight: string
  readonly treeDepth: number
  readonly root: string
  readonly class: number
  readonly deal: string
  readonly i: number
  readonly index: string
  readonly count: string
  readonly answer: string
  readonly path: string
  readonly valid: boolean
  readonly reason: string
}

const committedOf = (row: Row) => ({
  root: hash32(row.root),
  context: {
    chainId: BigInt(row.chainId),
    proofs: address(row.proofs),
    provider: address(row.provider),
    period: period(BigInt(row.period)),
    seed: hash32(row.seed),
  },
  tree: {
    root: hash32(row.treeRoot),
    weight: leaves(BigInt(row.treeWeight)),
    depth: row.treeDepth,
  },
})

const questionOf = ({ class: kind, deal, i }: Row): BundleQuestion =>
  kind === 0 ? { class: 'global', i } : { class: 'deal', deal: dealId(deal), i }

test('bundles.json: good entries verify, spoilt ones are refused', () => {
  const accepted: string[] = []
  for (const row of vectors<Row>('bundles')) {
    const opening = {
      index: BigInt(row.index),
      count: BigInt(row.count),
      answer: fromHex(row.answer),
      path: fromHex(row.path),
    }
    const verify = () => verifyBundleEntry(committedOf(row), questionOf(row), opening)
    if (row.valid) accepted.push(verify().leaf.deal)
    else expectCode('PROOF_INVALID', verify)
  }
  expect(accepted.length).toBeGreaterThan(10)
})
