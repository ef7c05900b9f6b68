/** Alarms as states: raised once, kept while they stand, cleared when their reason is gone. */
import { type Clock, milliseconds } from '@holdfast/protocol'
import { describe, expect, test } from '@jest/globals'
import { ALARMS_MAX, AlarmBoard, type AlarmChange } from '../../src/alarms/alarm-board.ts'
import { type LogLine, recordingLogger } from '../support/network.ts'

const boardAt = (): {
  readonly board: AlarmBoard
  readonly changes: AlarmChange[]
  readonly log: LogLine[]
  readonly time: { ms: number }
} => {
  const time = { ms: 10_000 }
  const clock: Clock = { now: () => milliseconds(time.ms), sleep: () => Promise.resolve() }
  const log: LogLine[] = []
  const board = new AlarmBoard({ clock, logger: recordingLogger(log) })
  const changes: AlarmChange[] = []
  board.onChange((change) => changes.push(change))
  return { board, changes, log, time }
}

const said = (changes: readonly AlarmChange[]): string[] =>
  changes.map(({ event, alarm }) => `${event} ${alarm.kind} ${alarm.subject}`)

describe('the alarm board', () => {
  test('tells a finding once, keeps its beginning, takes newer words, and clears it', () => {
    const { board, changes, time } = boardAt()
    board.observe([{ kind: 'clock-skew', subject: '', message: '61 s' }])
    time.ms = 20_000
    board.observe([{ kind: 'clock-skew', subject: '', message: '75 s' }])
    expect(board.alarms).toMatchObject([
      { kind: 'clock-skew', message: '75 s', since: 10n, severity: 'warning' },
    ])
    board.observe([])
    expect(board.alarms).toEqual([])
    expect(said(changes)).toEqual(['raised clock-skew ', 'cleared clock-skew '])
  })

  test('tells again when it becomes worse', () => {
    const { board, changes, log } = boardAt()
    const finding = { kind: 'wallet-low', subject: 'a', message: 'm' } as const
    board.observe([{ ...finding, severity: 'warning' }])
    board.observe([{ ...finding, severity: 'critical' }])
    expect(said(changes)).toEqual(['raised wallet-low a', 'raised wallet-low a'])
    expect(log.map(({ level }) => level)).toEqual(['warn', 'error'])
  })

  test('leaves alone what a part has raised itself', () => {
    const { board } = boardAt()
    board.raise('endpoint-set-aside', 'rpc-1', 'it lies')
    board.observe([])
    expect(board.alarms).toMatchObject([{ kind: 'endpoint-set-aside', subject: 'rpc-1' }])
    board.clear('endpoint-set-aside', 'rpc-1')
    board.clear('endpoint-set-aside', 'rpc-1')
    expect(board.alarms).toEqual([])
  })

  test('shows the worst first, and never more than it can hold', () => {
    const { board } = boardAt()
    const many = Array.from({ length: ALARMS_MAX + 50 }, (_, i) => ({
      kind: 'volume-nearly-full' as const,
      subject: String(i),
      message: 'm',
    }))
    board.observe([...many, { kind: 'proof-late', subject: '', message: 'm' }])
    expect(board.alarms.length).toBe(ALARMS_MAX)
    board.observe([...many.slice(0, 3), { kind: 'proof-late', subject: '', message: 'm' }])
    expect(board.alarms.map(({ kind }) => kind)).toEqual([
      'proof-late',
      ...many.slice(0, 3).map(({ kind }) => kind),
    ])
  })
})
