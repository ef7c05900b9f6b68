#!/usr/bin/env node
/**
 * Writes the vectors of this directory, or with `--check` compares them with what it would write and
 * exits with 1 on a difference. Deterministic: no clock, no randomness. Needs `packages/protocol`
 * built, for the slow references of its tests; the fast code is not used.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import * as bundle from './generator/bundle.mjs'
import * as deal from './generator/deal.mjs'
import * as money from './generator/money.mjs'
import * as payload from './generator/payload.mjs'
import * as settlement from './generator/settlement.mjs'
import * as tree from './generator/tree.mjs'

const FILES = {
  commitments: payload.commitments,
  'leaf-proofs': payload.leafProofs,
  'provider-trees': tree.providerTrees,
  'empty-nodes': tree.emptyNodes,
  challenges: tree.challenges,
  seeds: tree.seeds,
  answers: tree.answers,
  bundles: bundle.bundles,
  'deal-terms': deal.dealTerms,
  quotes: deal.quotes,
  'upload-vouchers': deal.uploadVouchers,
  'session-grants': deal.sessionGrants,
  'grant-revocations': deal.grantRevocations,
  'storage-receipts': deal.storageReceipts,
  pricing: money.pricing,
  funding: money.funding,
  accounting: money.accounting,
  schedules: money.schedules,
  settlements: settlement.settlements,
}

const text = (cases) =>
  `{\n"count": ${cases.length},\n"cases": [\n${cases.map((one) => JSON.stringify(one)).join(',\n')}\n]\n}\n`

const check = process.argv.includes('--check')
for (const [name, make] of Object.entries(FILES)) {
  const file = new URL(`${name}.json`, import.meta.url)
  const fresh = text(await make())
  if (!check) writeFileSync(file, fresh)
  else if (readFileSync(file, 'utf8') !== fresh) {
    process.stderr.write(`vectors/${name}.json differs; run: node vectors/generate.mjs\n`)
    process.exitCode = 1
  }
}
