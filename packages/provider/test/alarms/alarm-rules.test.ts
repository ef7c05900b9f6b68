/** Every alarm rule: silent when all is well, speaking exactly when its limit is passed. */
import { address, amount, bytes, leaves, period, root, timestamp } from '@holdfast/protocol'
import { describe, expect, test } from '@jest/globals'
import { ALARM_LIMITS, findingsAt, type RuleInput } from '../../src/alarms/alarm-rules.ts'
import type { CalendarDay } from '../../src/status/proof-calendar.ts'

const DAY = 86_400
const NOW = 10_000
const none = {
  'answer-dispute': 0,
  'answer-audit': 0,
  'end-audit': 0,
  'end-dispute': 0,
  recover: 0,
  prove: 0,
  'declare-fault': 0,
  open: 0,
  'give-up': 0,
  release: 0,
  close: 0,
  settle: 0,
}

const WELL: RuleInput = {
  provider: address(`0x${'01'.repeat(20)}`),
  operator: address(`0x${'02'.repeat(20)}`),
  software: 'test',
  region: 'eu',
  upSince: timestamp(NOW - 5),
  at: timestamp(NOW),
  chain: {
    block: 7n,
    blockTime: timestamp(NOW),
    time: timestamp(NOW),
    silentSeconds: 1,
    skewSeconds: 0,
    period: period(3),
    periodStart: timestamp(NOW - 10),
    seedDue: timestamp(NOW),
    deadline: timestamp(NOW + 100),
    nextPeriod: timestamp(NOW + 120),
    seeded: true,
    proven: false,
    weight: leaves(5),
  },
  accepting: true,
  stopped: false,
  registration: undefined,
  wallet: {
    gas: 1_000_000n,
    vault: amount(1),
    stake: amount(20),
    stakeMin: amount(10),
    slash: amount(1),
    forecast: { perDay: 1000n, daysLeft: 1000n, proofsLeft: 500n },
  },
  deals: { accepted: 0, active: 1, faulty: 0, ended: 0, closed: 0 },
  payloads: 1,
  damages: [],
  volumes: [
    {
      ...{ name: 'volume-0', path: '', state: 'ok', reason: undefined },
      ...{ payloads: 1, latencyMs: 1, deaths: { count: 0, lately: 0, reason: undefined } },
      ...{ capacity: bytes(1000), used: bytes(100), reserved: bytes(0), free: bytes(900) },
    },
  ],
  scrub: undefined,
  calendar: [],
  duties: { due: [], performed: none, failed: none },
  books: {
    ...{ since: timestamp(1), gas: {}, egress: bytes(0), judgedTo: period(3), damaged: 0 },
    outcomes: { proven: 1, missed: 0, void: 0, idle: 0 },
  },
  lastProof: undefined,
  transactions: [],
  uploads: { open: 0, parts: 0 },
  certificate: { expires: timestamp(NOW + 100 * DAY), problem: undefined },
  disputes: [],
  audit: undefined,
  configProblem: undefined,
  process: { residentBytes: bytes(1), loopDelaySeconds: 0 },
  journalBytes: bytes(1),
  journalRoom: { state: 'ok', left: bytes(9), reserve: bytes(9) },
}

const found = (change: Partial<RuleInput>): string[] =>
  findingsAt({ ...WELL, ...change }, ALARM_LIMITS).map(({ kind, subject, severity }) =>
    [kind, subject, severity].filter((word) => word !== undefined && word !== '').join(' '),
  )

const chain = (change: Partial<NonNullable<RuleInput['chain']>>): Partial<RuleInput> => ({
  chain: { ...WELL.chain, ...change } as NonNullable<RuleInput['chain']>,
})
const volume = (change: Partial<RuleInput['volumes'][number]>): Partial<RuleInput> => ({
  volumes: [{ ...WELL.volumes[0], ...change } as RuleInput['volumes'][number]],
})
const days = (...states: CalendarDay['state'][]): Partial<RuleInput> => ({
  calendar: states.map((state, i) => ({ period: period(i), state })),
})
const forecast = (daysLeft: bigint, proofsLeft: bigint, gas = 100n): Partial<RuleInput> => ({
  wallet: { ...WELL.wallet, gas, forecast: { perDay: 1n, daysLeft, proofsLeft } },
})

describe('alarm rules', () => {
  test('find nothing when all is well', () => {
    expect(found({})).toEqual([])
  })

  test('proof-late: from half of the time after the seed until the deadline, not before', () => {
    const half = NOW + 50
    expect(found(chain({ time: timestamp(half - 1) }))).toEqual([])
    expect(found(chain({ time: timestamp(half) }))).toEqual(['proof-late'])
    expect(found(chain({ time: timestamp(NOW + 99) }))).toEqual(['proof-late'])
    expect(found(chain({ time: timestamp(NOW + 100) }))).toEqual([])
    expect(found(chain({ time: timestamp(half), proven: true }))).toEqual([])
    expect(found(chain({ time: timestamp(half), weight: leaves(0) }))).toEqual([])
    expect(found(chain({ time: timestamp(half), seeded: false }))).toEqual(['proof-late'])
  })

  test('period-missed: while nothing was proven since', () => {
    expect(found(days('proven', 'missed', 'open'))).toEqual(['period-missed'])
    expect(found(days('proven', 'missed', 'idle', 'void', 'open'))).toEqual(['period-missed'])
    expect(found(days('missed', 'proven', 'open'))).toEqual([])
    expect(found(days('idle', 'void', 'open'))).toEqual([])
    const [finding] = findingsAt({ ...WELL, ...days('proven', 'missed', 'missed') }, ALARM_LIMITS)
    expect(finding?.message).toBe('2 periods in a row were missed, 1 to 2')
  })

  test('payload-damaged: one for each payload', () => {
    const damage = { root: root(`0x${'ab'.repeat(32)}`), leaf: 3n, what: 'bad frame' }
    expect(found({ damages: [damage] })).toEqual([`payload-damaged ${damage.root}`])
  })

  test('volumes: read-only, unavailable and nearly full, by name', () => {
    expect(found(volume({ state: 'read-only' }))).toEqual(['volume-read-only volume-0'])
    expect(found(volume({ state: 'missing' }))).toEqual(['volume-unavailable volume-0'])
    expect(found(volume({ state: 'unavailable' }))).toEqual(['volume-unavailable volume-0'])
    expect(found(volume({ free: bytes(49) }))).toEqual(['volume-nearly-full volume-0'])
    expect(found(volume({ free: bytes(50) }))).toEqual([])
    expect(found(volume({ free: bytes(0), state: 'draining' }))).toEqual([])
  })

  test('home-full: while the journal writes into its reserve, or has none', () => {
    const room = (state: RuleInput['journalRoom']['state']): Partial<RuleInput> => ({
      journalRoom: { ...WELL.journalRoom, state },
    })
    expect(found(room('ok'))).toEqual([])
    for (const state of ['reserve', 'none'] as const)
      expect(found(room(state))).toEqual(['home-full'])
  })

  test('volume-thread-died: for an hour, and loud while none is up or when it keeps dying', () => {
    const deaths = (lately: number) => ({ count: 9, lately, reason: 'no memory' })
    const kind = 'volume-thread-died volume-0'
    expect(found(volume({ deaths: deaths(0) }))).toEqual([])
    expect(found(volume({ deaths: deaths(1) }))).toEqual([`${kind} warning`])
    expect(found(volume({ deaths: deaths(4) }))).toEqual([`${kind} critical`])
    expect(found(volume({ state: 'restarting', deaths: deaths(1) }))).toEqual([`${kind} critical`])
  })

  test('wallet-low: warns days before, and cries when a handful of proofs is left', () => {
    const { operator } = WELL
    expect(found(forecast(7n, 500n))).toEqual([])
    expect(found(forecast(6n, 500n))).toEqual([`wallet-low ${operator} warning`])
    expect(found(forecast(0n, 500n))).toEqual([`wallet-low ${operator} critical`])
    expect(found(forecast(100n, 9n))).toEqual([`wallet-low ${operator} critical`])
    expect(found(forecast(100n, 100n, 0n))).toEqual([`wallet-low ${operator} critical`])
    expect(found({ wallet: { ...WELL.wallet, gas: undefined } })).toEqual([])
  })

  test('stake-low: says early that one slash would stop new deals, and cries when they are stopped', () => {
    const stake = (held: number, stopped = false): Partial<RuleInput> => ({
      wallet: { ...WELL.wallet, stake: amount(held) },
      stopped,
    })
    expect(found(stake(11))).toEqual([])
    expect(found(stake(10))).toEqual(['stake-low'])
    expect(found(stake(9))).toEqual(['stake-low critical'])
    expect(found(stake(20, true))).toEqual(['stake-low critical'])
    expect(found({ wallet: { ...WELL.wallet, stakeMin: undefined }, stopped: true })).toEqual([])
  })

  test('registration-differs: other keys on the ledger than here', () => {
    const [mine, other] = [WELL.operator, address(`0x${'0c'.repeat(20)}`)]
    const registered = (operator = mine, beneficiary = mine, expectedBeneficiary = mine) =>
      found({ registration: { operator, beneficiary, expectedBeneficiary } })
    expect(registered()).toEqual([])
    expect(registered(other)).toEqual(['registration-differs operator'])
    expect(registered(mine, other)).toEqual(['registration-differs beneficiary'])
    const none = { beneficiary: undefined, expectedBeneficiary: undefined }
    expect(found({ registration: { operator: mine, ...none } })).toEqual([])
    expect(
      found({ registration: { operator: mine, ...none, expectedBeneficiary: other } }),
    ).toEqual(['registration-differs beneficiary'])
  })

  test('ledger-silent: no block for too long, or none at all since the start', () => {
    expect(found(chain({ silentSeconds: 179 }))).toEqual([])
    expect(found(chain({ silentSeconds: 180 }))).toEqual(['ledger-silent'])
    expect(found({ chain: undefined })).toEqual([])
    expect(found({ chain: undefined, upSince: timestamp(NOW - 180) })).toEqual(['ledger-silent'])
  })

  test('clock-skew: in both directions, and not before it can be told', () => {
    expect(found(chain({ skewSeconds: 60 }))).toEqual([])
    expect(found(chain({ skewSeconds: 61 }))).toEqual(['clock-skew'])
    expect(found(chain({ skewSeconds: -61 }))).toEqual(['clock-skew'])
    expect(found(chain({ skewSeconds: undefined }))).toEqual([])
  })

  test('certificate-expiring: days before, critical when it has, and when a new one is refused', () => {
    const until = (at: number): Partial<RuleInput> => ({
      certificate: { expires: timestamp(at), problem: undefined },
    })
    expect(found(until(NOW + 6 * DAY))).toEqual([])
    expect(found(until(NOW + 6 * DAY - 1))).toEqual(['certificate-expiring warning'])
    expect(found(until(NOW))).toEqual(['certificate-expiring critical'])
    const refused = { expires: timestamp(NOW + 100 * DAY), problem: 'another key' }
    expect(found({ certificate: refused })).toEqual(['certificate-expiring warning'])
  })

  test('audit-unanswerable: not while an audit is merely owed, but as soon as it could not be made once', () => {
    const audit = (problem: string | undefined): Partial<RuleInput> => ({
      audit: { period: period(3), deadline: timestamp(NOW + 5), problem },
    })
    expect(found(audit(undefined))).toEqual([])
    expect(found(audit('BUNDLE_NOT_FOUND: it is gone'))).toEqual(['audit-unanswerable 3'])
  })

  test('scrub, disputes, configuration and books pass on what they are told', () => {
    expect(
      found({
        scrub: { progress: 0.5, lastRound: undefined, behind: true },
        disputes: [{ subject: 'period 3', deadline: timestamp(NOW + 5), problem: undefined }],
        configProblem: 'host is 3, expected a host name',
        books: { ...WELL.books, damaged: 2 },
      }),
    ).toEqual(['scrub-behind', 'dispute-open period 3', 'config-invalid', 'books-damaged'])
  })
})
