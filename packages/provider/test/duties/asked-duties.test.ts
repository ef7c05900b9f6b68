/**
 * What is asked on chain and cannot be shown in time: late answers, and the ends of audits and disputes
 * that stand in the way. Hand-made blocks; no disk, no network, no clock.
 */
import { period } from '@holdfast/protocol'
import { describe, expect, test } from '@jest/globals'
import { sendOptionsFor } from '../../src/duties/duty.ts'
import { GivenUp } from '../../src/duties/given-up.ts'
import { POLICY, PROVIDER, Story } from '../support/story.ts'

const AUDIT: ReadonlySet<string> = new Set(['answer-audit 1'])
const QUESTION: ReadonlySet<string> = new Set(['answer-dispute 1 global 7'])

/** Period 1 is committed to and has to be shown by 1300. */
const owing = (): Story => {
  const story = new Story()
  story.open(1010, 1, 0, 60n)
  story.seed(1102, 1)
  story.committed(1110, 1)
  return story
}

const given = (story: Story, givenUp: ReadonlySet<string>) =>
  story.duties(undefined, undefined, givenUp)

describe('an audit that cannot be shown', () => {
  test('is tried until it is late, then ended with a period that had a seed', () => {
    const story = owing()
    story.seed(1202, 2)
    story.block(1299)
    expect(given(story, AUDIT)).toEqual([{ kind: 'answer-audit', period: 1n, deadline: 1300n }])
    story.block(1300)
    expect(given(story, AUDIT)).toEqual([{ kind: 'end-audit', period: 1n }])
    expect(sendOptionsFor({ kind: 'end-audit', period: period(1) }, POLICY.gasBudgets)).toEqual({
      ...{ lane: 'proofs', gasBudget: 2n },
    })
  })

  test('is not ended while nothing but the chain fails: a late answer has the period', () => {
    const story = owing()
    story.seed(1202, 2)
    story.block(1300)
    expect(story.duties()).toEqual([{ kind: 'answer-audit', period: 1n, deadline: 1400n }])
    story.block(1555)
    expect(story.duties()).toEqual([{ kind: 'answer-audit', period: 1n, deadline: 1600n }])
  })

  test('waits while no period after it had a seed, and expires after thirty', () => {
    const story = owing()
    story.block(1400)
    expect(given(story, AUDIT)).toMatchObject([{ kind: 'answer-audit' }])
    story.block(1000 + 3099)
    expect(given(story, AUDIT)).toMatchObject([{ kind: 'answer-audit' }])
    story.block(1000 + 3100)
    expect(given(story, AUDIT)).toMatchObject([{ kind: 'end-audit' }])
  })

  test('gives way to the proof of the same period once it is ended', () => {
    const story = owing()
    story.seed(1202, 2)
    story.seed(1301, 3)
    expect(given(story, AUDIT).map(({ kind }) => kind)).toEqual(['end-audit'])
    story.block(
      1310,
      { kind: 'period-unmarked', provider: PROVIDER, period: period(1) },
      { kind: 'period-missed', provider: PROVIDER, period: period(1) },
      {
        ...{ kind: 'audit-lost', provider: PROVIDER, period: period(1) },
        ...{ reporter: PROVIDER, slashed: 0n as never },
      },
    )
    expect(given(story, AUDIT)).toMatchObject([{ kind: 'prove', period: 3n }])
  })
})

describe('a dispute that cannot be answered', () => {
  const disputed = (): Story => {
    const story = owing()
    story.block(1120, { kind: 'audit-answered', provider: PROVIDER, period: period(1) })
    story.disputed(1150, 1, 7)
    story.seed(1202, 2)
    return story
  }

  test('is left to who asked, until it would keep the provider from proving', () => {
    const story = disputed()
    story.block(1290)
    expect(given(story, QUESTION)).toMatchObject([{ kind: 'answer-dispute', deadline: 1300n }])
    for (const of of [3, 4, 5, 6]) story.seed(1000 + 100 * of + 90, of)
    expect(given(story, QUESTION)).toMatchObject([{ kind: 'answer-dispute', deadline: 1700n }])
    story.block(1800)
    expect(given(story, QUESTION)).toMatchObject([
      { kind: 'end-dispute', entry: { period: 1n, question: { i: 7 } }, openedAt: 1150n },
    ])
    // Who can answer it never ends it.
    expect(story.duties()).toMatchObject([{ kind: 'answer-dispute', deadline: 1900n }])
  })

  test('is not ended before enough periods had a seed, or thirty have passed', () => {
    const story = owing()
    story.block(1120, { kind: 'audit-answered', provider: PROVIDER, period: period(1) })
    story.disputed(1250, 1, 7)
    story.block(1950)
    expect(given(story, QUESTION)).toMatchObject([{ kind: 'answer-dispute' }])
    story.block(1250 + 2999)
    expect(given(story, QUESTION)).toMatchObject([{ kind: 'answer-dispute' }])
    story.block(1250 + 3000)
    expect(given(story, QUESTION)).toMatchObject([{ kind: 'end-dispute' }])
  })
})

const broken = (): Promise<never> => Promise.reject(new Error('the bytes are gone'))

describe('an answer', () => {
  test('that nobody asks for any more is forgotten in the end', async () => {
    const givenUp = new GivenUp()
    const fail = (name: string): Promise<unknown> =>
      givenUp.making(name, broken).catch(() => undefined)
    for (let i = 0; i < 200; i++) for (let n = 0; n < 3; n++) await fail(`audit ${i}`)
    expect(givenUp.names.size).toBe(128)
    expect([givenUp.names.has('audit 0'), givenUp.names.has('audit 199')]).toEqual([false, true])
  })

  test('is given up when making it failed three times in a row', async () => {
    const givenUp = new GivenUp()
    const tried = (make: () => Promise<unknown>): Promise<unknown> =>
      givenUp.making('audit', make).catch(() => undefined)
    await tried(broken)
    await tried(broken)
    await tried(async () => 1)
    await tried(broken)
    await tried(broken)
    expect(givenUp.names.has('audit')).toBe(false)
    await tried(broken)
    expect(givenUp.names.has('audit')).toBe(true)
    await tried(async () => 1)
    expect(givenUp.names.has('audit')).toBe(false)
  })
})
