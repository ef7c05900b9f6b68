#!/usr/bin/env node
/**
 * Writes docs/gas.md: what every call costs, from contracts/snapshots, beside the bounds that must
 * hold and what the incumbents cost. Figures of ours are nowhere but in the snapshots, which every
 * run of the Solidity tests compares; figures of others stand here, with where they come from.
 *
 *   gas-page.mjs           writes the page
 *   gas-page.mjs --check   exits 1 when the page is not what it would write
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const PACKAGE = new URL('../', import.meta.url)
const PAGE = fileURLToPath(new URL('../../docs/gas.md', PACKAGE))

const snapshot = (name) =>
  JSON.parse(readFileSync(new URL(`contracts/snapshots/${name}.json`, PACKAGE), 'utf8'))
const GAS = snapshot('gas')
const WITHOUT = snapshot('gas-without-floor')

/** What the incumbent takes for one data set and month, at 1 TiB with weekly settlement. */
const INCUMBENT_MONTH = 15_100_000
/** That many times less is promised for 100 TiB in 100 deals. */
const FACTOR = 200

/** Snapshot, what it is, bound, what the incumbent takes for the same purpose. */
const ROWS = [
  [
    'commit-period',
    'prove a period by commitment: 1 to 10,000 deals, 1 MiB to 128 TiB',
    40_000,
    '433,000–533,000 for each data set',
  ],
  [
    'prove-direct-5-at-1-tib',
    'prove a period directly, 5 answers at 1 TiB',
    500_000,
    '340,000, leaves of 32 bytes',
  ],
  [
    'prove-direct-20-at-1-tib',
    'prove a period directly, 20 answers at 1 TiB',
    1_750_000,
    '970,000, leaves of 32 bytes',
  ],
  ['answer-dispute-only-deal-of-1-tib', 'answer a dispute, 1 TiB in one deal', 130_000, '–'],
  ['answer-dispute-10k-deals-of-1-tib', 'answer a dispute, 1 TiB in 10,000 deals', 130_000, '–'],
  ['answer-dispute-only-deal-of-128-tib', 'answer a dispute, 128 TiB in one deal', 145_000, '–'],
  [
    'answer-dispute-10k-deals-of-128-tib',
    'answer a dispute, 128 TiB in 10,000 deals',
    145_000,
    '–',
  ],
  ['open-deal-among-65k', 'open a paid deal among 65,536, all in', 200_000, '726,000 + 414,000'],
  ['settle', 'settle one deal', 50_000, '117,000 + 16,400 for each change of rate'],
  ['settle-ten', 'settle ten deals in one call', 160_000, '1,170,000 in ten calls'],
  ['seed', 'post the seed of a period, once for the whole network', 180_000, '–'],
  ['month-of-100-tib-per-tib', '**a TiB for a month**, 100 TiB in 100 deals', 75_000, '15,100,000'],
]

const OTHERS = [
  ['settle-hundred', 'settle a hundred deals in one call'],
  ['answer-dispute-deal-of-1-tib-among-10k', 'answer a dispute, a deal of 1 TiB among 10,000'],
  ['open-dispute-only-deal-of-1-tib', 'open a dispute, 1 TiB in one deal'],
  ['open-dispute-10k-deals-of-1-tib', 'open a dispute, 1 TiB in 10,000 deals'],
  ['open-dispute-only-deal-of-128-tib', 'open a dispute, 128 TiB in one deal'],
  ['open-dispute-10k-deals-of-128-tib', 'open a dispute, 128 TiB in 10,000 deals'],
  ['open-dispute-deal-of-1-tib-among-10k', 'open a dispute, a deal of 1 TiB among 10,000'],
  ['audit-10-at-1-tib', 'answer an audit of 10 entries, 1 TiB in one deal'],
  ['audit-10-at-100-tib', 'answer an audit of 10 entries, 100 TiB in 100 deals'],
  [
    'audit-40-at-the-deepest',
    'answer the largest audit there is: 40 entries, 1 PiB in a tree of 2^32 slots',
  ],
  ['prove-direct-40-at-the-deepest', 'the largest direct proof there is: 40 answers, the same'],
  ['answer-dispute-deepest', 'answer a dispute, the same, in a bundle of 2^32 deals'],
  ['open-dispute-deepest', 'open it'],
  ['expire-dispute', 'end a dispute for want of seeds'],
  ['expire-audit', 'end an audit for want of seeds'],
  ['terminate-provider', 'end a provider that missed 14 periods'],
  ['close-deal', 'close a deal'],
  ['release-slot', 'take an ended deal out of the tree'],
  ['declare-fault', 'declare a fault, a provider’s first change in a period'],
  ['terminate-deal', 'give notice'],
  ['register-provider', 'register a provider'],
  ['update-provider', 'change its settings'],
  ['deposit', 'deposit'],
  ['withdraw', 'withdraw'],
]

const number = (value) => Number(value).toLocaleString('en-US')

const figure = (table, name) => {
  if (table[name] === undefined) throw new Error(`no snapshot has "${name}"`)
  return number(table[name])
}

const line = (...cells) => `| ${cells.join(' | ')} |`

const checkComplete = () => {
  const shown = new Set([...ROWS, ...OTHERS].map(([name]) => name))
  const missing = Object.keys(GAS).filter((name) => !shown.has(name))
  if (missing.length > 0) throw new Error(`the page has no row for ${missing.join(', ')}`)
}

const month = () => {
  const ours = Number(GAS['month-of-100-tib-per-tib'])
  const factor = Math.floor(INCUMBENT_MONTH / ours)
  if (factor < FACTOR) throw new Error(`${factor} times less is not ${FACTOR} times less`)
  return [
    `100 TiB in 100 deals of 1 TiB cost ${number(ours)} gas per TiB and month, ${factor} times less than the incumbent’s ${number(INCUMBENT_MONTH)} for one data set of`,
    `1 TiB and month; ${FACTOR} times less is the bound. The month has 30 commitments, 30/7 settlements of all hundred deals in one call, one audit of 10 entries (30 periods at`,
    'a chance of 1 in 30), and a hundredth of 30 seeds, which serve the whole network. The incumbent’s figure is for 30 proofs, 30 schedulings and weekly settlement.',
  ]
}

const page = () => {
  checkComplete()
  return [
    '# Gas',
    '',
    'Generated by `node packages/chain/tools/gas-page.mjs` from `packages/chain/contracts/snapshots`; a test fails when it is not up to date. Do not edit.',
    '',
    'Whole transactions, with intrinsic gas, calldata and cold storage, and nothing but the named state zero before. “Without the floor” is what a chain without EIP-7623 charges: since then a byte of calldata',
    'costs at least 10 gas when it is zero and 40 when it is not, which is the whole price of large proofs. The Solidity tests (`contracts/test/Gas.t.sol`, `GasSettlement.t.sol`) measure both and fail when a figure',
    'differs from its snapshot, exceeds its bound, or exceeds 2^24 (EIP-7825), which the test chain does not enforce. The same calls on a chain process: `npm run bench -- gas`.',
    '',
    '## What must hold',
    '',
    line('call', 'gas', 'without the floor', 'bound', 'incumbent'),
    line('---', '--:', '--:', '--:', '---'),
    ...ROWS.map(([name, what, bound, incumbent]) =>
      line(what, figure(GAS, name), figure(WITHOUT, name), number(bound), incumbent),
    ),
    '',
    'The incumbent is Filecoin’s: PDPVerifier 3.5.0 alone for proofs of 5 and 20 challenges (340,000 and 970,000 at 1 TiB), and the production stack of PDPVerifier 3.4, the warm-storage service 1.3.1 and Filecoin Pay V1',
    'for everything else. We ran its published contracts, unmodified but for a shorter period, on the same chain program (anvil 1.7.1, base fee zero): proving 355,855–456,000 and scheduling 76,884 per data set and period, a paid data',
    'set 725,700 and its first piece 414,000, one settlement 116,953, with 52 changes of rate 941,784.',
    '',
    '## A month',
    '',
    ...month(),
    '',
    '| data set or deals | gas per month | per TiB |',
    '| --- | --: | --: |',
    `| incumbent: 1 TiB in 1 data set | ${number(INCUMBENT_MONTH)} | ${number(INCUMBENT_MONTH)} |`,
    `| incumbent: 100 TiB in 100 data sets | ${number(100 * INCUMBENT_MONTH)} | ${number(INCUMBENT_MONTH)} |`,
    `| Holdfast: 100 TiB in 100 deals | ${number(100 * Number(GAS['month-of-100-tib-per-tib']))} | ${number(GAS['month-of-100-tib-per-tib'])} |`,
    '',
    '## Everything else',
    '',
    line('call', 'gas', 'without the floor'),
    line('---', '--:', '--:'),
    ...OTHERS.map(([name, what]) => line(what, figure(GAS, name), figure(WITHOUT, name))),
    '',
  ].join('\n')
}

const wanted = page()
if (!process.argv.includes('--check')) writeFileSync(PAGE, wanted)
else if (readFileSync(PAGE, 'utf8') !== wanted) {
  process.stderr.write(
    'docs/gas.md is not what the snapshots say: node packages/chain/tools/gas-page.mjs\n',
  )
  process.exitCode = 1
}
