/**
 * The alarms that stand. Rules hand in all they find at once; parts that notice something themselves
 * raise and clear it through the port of `@holdfast/chain`. Both end up in one list, and every change
 * is told once.
 *
 * Invariants: an alarm keeps its `since` while it stands, whatever its words become; at most
 * `ALARMS_MAX` stand, so a thousand damaged payloads do not drown the rest.
 */
import type { Alarms } from '@holdfast/chain'
import { type Clock, type Logger, timestamp } from '@holdfast/protocol'
import { ALARM_TABLE, type Alarm, type AlarmKind, type Finding, keyOf } from './alarm.ts'

/** One thing that happened to an alarm. */
export interface AlarmChange {
  readonly event: 'raised' | 'cleared'
  readonly alarm: Alarm
}

export interface AlarmBoardDependencies {
  readonly clock: Clock
  readonly logger: Logger
}

export const ALARMS_MAX = 500

interface Standing {
  readonly alarm: Alarm
  readonly byRules: boolean
}

const RANK = { critical: 0, warning: 1, notice: 2 } as const

export class AlarmBoard implements Alarms<AlarmKind> {
  readonly #dependencies: AlarmBoardDependencies
  readonly #standing = new Map<string, Standing>()
  readonly #listeners = new Set<(change: AlarmChange) => void>()

  constructor(dependencies: AlarmBoardDependencies) {
    this.#dependencies = dependencies
  }

  /** What stands, the worst first, then the oldest. */
  get alarms(): readonly Alarm[] {
    return [...this.#standing.values()]
      .map(({ alarm }) => alarm)
      .sort((a, b) => RANK[a.severity] - RANK[b.severity] || Number(a.since - b.since))
  }

  /** Told every change until the returned function is called. */
  onChange(listener: (change: AlarmChange) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  raise(kind: AlarmKind, subject: string, message: string): void {
    this.#raise({ kind, subject, message }, false)
  }

  clear(kind: AlarmKind, subject: string): void {
    this.#clear(keyOf({ kind, subject }))
  }

  /** All that the rules find now: what they found before and do not find any more is cleared. */
  observe(findings: readonly Finding[]): void {
    const found = new Set(findings.map(keyOf))
    for (const [key, { byRules }] of this.#standing) {
      if (byRules && !found.has(key)) this.#clear(key)
    }
    for (const finding of findings) this.#raise(finding, true)
  }

  #raise(finding: Finding, byRules: boolean): void {
    const key = keyOf(finding)
    const known = this.#standing.get(key)
    if (known === undefined && this.#standing.size >= ALARMS_MAX) return
    const { severity, remedy } = ALARM_TABLE[finding.kind]
    const now = timestamp(Math.max(0, Math.floor(this.#dependencies.clock.now() / 1000)))
    const since = known?.alarm.since ?? now
    const alarm: Alarm = { remedy, ...finding, severity: finding.severity ?? severity, since }
    this.#standing.set(key, { alarm, byRules })
    if (known?.alarm.severity !== alarm.severity) this.#tell({ event: 'raised', alarm })
  }

  #clear(key: string): void {
    const known = this.#standing.get(key)
    if (known === undefined) return
    this.#standing.delete(key)
    this.#tell({ event: 'cleared', alarm: known.alarm })
  }

  #tell(change: AlarmChange): void {
    const { kind, subject, message, severity, remedy } = change.alarm
    const { logger } = this.#dependencies
    const fields = { alarm: kind, subject, severity, reason: message, remedy }
    if (change.event === 'cleared') logger.info('alarm cleared', fields)
    else if (severity === 'critical') logger.error('alarm raised', fields)
    else logger.warn('alarm raised', fields)
    for (const listener of [...this.#listeners]) listener(change)
  }
}
