/**
 * What follows from committed, missed and disputed periods: charges, finality, audits, splits, and
 * the names that disputes and consents have.
 */
import { encodeAbiParameters, hashTypedData, keccak256 } from 'viem'
import { account, money, settlement, value32 } from './reference.mjs'

/** Numbers as decimal strings; lists of them too. */
const plain = (record) =>
  Object.fromEntries(
    Object.entries(record).map(([name, value]) => [
      name,
      typeof value === 'bigint' ? String(value) : Array.isArray(value) ? value.map(String) : value,
    ]),
  )

const range = (from, to) => Array.from({ length: Number(to - from) }, (_, i) => from + BigInt(i))

const MISSES = [
  [],
  [0n],
  [0n, 29n],
  [0n, 29n, 30n],
  [0n, 1n, 2n],
  [27n, 28n, 29n, 30n, 31n, 32n],
  range(0n, 30n),
  range(15n, 45n),
  [3n, 5n, 7n, 11n, 62n, 63n, 64n, 65n, 119n, 120n],
  // Written down in another order than they happened.
  [64n, 2n, 1n, 65n, 0n, 66n, 67n],
]

const misses = () =>
  MISSES.flatMap((missed) =>
    [0n, 1n, 3n, 29n, 30n, 31n, 33n, 60n, 67n, 150n].map((before) =>
      plain({
        kind: 'misses',
        missed,
        missedCount: missed.length,
        before,
        units: settlement.units(missed, before),
      }),
    ),
  )

const TIMINGS = [
  // Production, the devnet, and the two ends of what a deployment accepts.
  [1_800_000_000n, 86_400n, 14_400n, 172_800n, 86_400n],
  [1_700_000_000n, 20n, 15n, 40n, 20n],
  [1_000n, 1_000n, 750n, 2_000n, 1_500n],
  [1_000n, 1_000n, 1_000n, 1_000n, 1n],
  [1_000n, 1_000n, 500n, 3_000n, 2_500n],
]

const finality = () =>
  TIMINGS.flatMap(([genesis, period, window, disputeTime, answerTime]) => {
    const timing = { genesis, period, window, disputeTime, answerTime }
    const wait = window + disputeTime
    return [0n, wait - 1n, wait, wait + 1n, wait + period - 1n, wait + period, 50n * period].map(
      (after) => {
        const now = genesis + after
        const finalBefore = settlement.finalBefore(timing, now)
        return plain({
          kind: 'finality',
          ...timing,
          now,
          finalBefore,
          disputesUntil: settlement.disputesUntil(timing, finalBefore),
          auditDueAt: settlement.auditDue(timing, finalBefore),
          usableNeeded: settlement.usableNeeded(timing),
        })
      },
    )
  })

const audits = () =>
  Array.from({ length: 40 }, (_, n) => {
    const provider = account('audited', n % 3)
    const of = [1n, 7n, 127n, 128n, 40_000n][n % 5]
    const nextSeed = value32('seed after', n)
    const auditChance = [1n, 2n, 3n, 30n, (1n << 32n) - 1n][n % 5]
    const drawn = settlement.auditDraw(provider, of, nextSeed) % auditChance === 0n
    return plain({ kind: 'audit', provider, period: of, nextSeed, auditChance, drawn })
  })

const closings = () => {
  const cases = []
  const [rate, period] = [3_617_123_456_789n, 86_400n]
  for (const collateral of [0n, 1n, 312_519n, money.cost(rate, period, 90n)]) {
    for (const units of [0n, 1n, 3n, 14n, 89n, 90n, 4_294_967_295n]) {
      for (const lost of [false, true]) {
        const proven = BigInt(cases.length % 13)
        const deposit = money.cost(rate, period, 13n) + BigInt(cases.length)
        const replacementCost = [0n, 156_259n, 1n << 100n][cases.length % 3]
        const paid = money.cost(rate, period, proven)
        const charged = money.cost(rate, period, units)
        const deal = { deposit, paid, collateral, charged, replacementCost, lost }
        const figures = { rate, period, proven, units, ...deal }
        cases.push(plain({ kind: 'closing', ...figures, ...settlement.closing(deal) }))
      }
    }
  }
  return cases
}

const slashes = () =>
  [0n, 1n, 2n, 3_333n, 9_999n, 1_000_001n, 1n << 100n].flatMap((stake) =>
    [0n, 1n, 3_333n, 100_000n].map((disputeSlash) =>
      plain({ kind: 'slash', stake, disputeSlash, ...settlement.slash(stake, disputeSlash) }),
    ),
  )

const CONSENT = { Consent: [{ name: 'deal', type: 'bytes32' }] }

const consents = () =>
  [1n, 31_337n, (1n << 63n) + 5n].map((chainId, n) => {
    const verifyingContract = account('market', n)
    const deal = value32('consented deal', n)
    const digest = hashTypedData({
      domain: { name: 'Holdfast', version: '1', chainId, verifyingContract },
      ...{ types: CONSENT, primaryType: 'Consent', message: { deal } },
    })
    return plain({ kind: 'consent', chainId, verifyingContract, deal, digest })
  })

const DISPUTE = [
  { type: 'address' },
  { type: 'uint64' },
  {
    type: 'tuple',
    components: [
      { name: 'class', type: 'uint8' },
      { name: 'deal', type: 'bytes32' },
      { name: 'i', type: 'uint32' },
    ],
  },
]

const disputes = () =>
  Array.from({ length: 6 }, (_, n) => {
    const provider = account('disputed', n)
    const of = [0n, 19n, (1n << 32n) - 1n][n % 3]
    const kind = n % 2
    const deal = kind === 0 ? `0x${'00'.repeat(32)}` : value32('disputed deal', n)
    const i = [0, 4, 459, 3, 1, 2][n]
    const id = keccak256(encodeAbiParameters(DISPUTE, [provider, of, { class: kind, deal, i }]))
    return plain({ kind: 'dispute', provider, period: of, class: kind, deal, i, id })
  })

export const settlements = () => [
  ...misses(),
  ...finality(),
  ...audits(),
  ...closings(),
  ...slashes(),
  ...consents(),
  ...disputes(),
]
