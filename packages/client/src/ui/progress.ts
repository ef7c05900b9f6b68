/**
 * Progress: commands announce phases and steps; a reporter decides who sees them. On a terminal one
 * line that is redrawn, with rate and time left; as JSON lines for programs; else nothing. All of
 * it goes to stderr. No phase is hidden: after the last byte the waiting is shown too.
 */
import type { Bytes, Clock, Milliseconds } from '@holdfast/protocol'
import { formatBytes, formatSeconds } from './text.ts'

export interface Phase {
  /** Adds to what is done. */
  advance(count: Bytes): void
  /** Ends the phase. */
  end(): void
}

export interface Progress {
  /** Starts a phase; with `total` in bytes a rate and a remaining time can be given. */
  phase(name: string, total?: Bytes): Phase
  /** Says one thing that happened or is waited for. */
  step(text: string): void
}

export type ProgressMode = 'terminal' | 'jsonl' | 'none'

const SILENT_PHASE: Phase = { advance: () => undefined, end: () => undefined }

export const silentProgress: Progress = { phase: () => SILENT_PHASE, step: () => undefined }

export interface ProgressOptions {
  readonly mode: ProgressMode
  readonly clock: Clock
  /** Writes to stderr as it is. */
  readonly write: (text: string) => void
}

export const createProgress = (options: ProgressOptions): Progress => {
  switch (options.mode) {
    case 'none':
      return silentProgress
    case 'jsonl':
      return {
        phase: (name, total) => new RunningPhase(name, total, options, jsonLine),
        step: (text) => options.write(`${JSON.stringify({ event: 'step', text })}\n`),
      }
    case 'terminal':
      return {
        phase: (name, total) => new RunningPhase(name, total, options, terminalLine),
        step: (text) => options.write(`${CLEAR}${text}\n`),
      }
  }
}

interface Snapshot {
  readonly phase: string
  readonly done: bigint
  readonly total: bigint | undefined
  readonly elapsed: Milliseconds
  readonly ended: boolean
}

type Render = (snapshot: Snapshot) => string

const REDRAW_MS = 100
const CLEAR = '\r\u001b[K'

class RunningPhase implements Phase {
  readonly #name: string
  readonly #total: bigint | undefined
  readonly #options: ProgressOptions
  readonly #render: Render
  readonly #started: Milliseconds
  #drawn: number
  #done = 0n
  #ended = false

  constructor(name: string, total: Bytes | undefined, options: ProgressOptions, render: Render) {
    this.#name = name
    this.#total = total
    this.#options = options
    this.#render = render
    this.#started = options.clock.now()
    this.#drawn = this.#started
    this.#draw()
  }

  advance(count: Bytes): void {
    this.#done += count
    if (this.#options.clock.now() - this.#drawn >= REDRAW_MS) this.#draw()
  }

  end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#draw()
  }

  #draw(): void {
    const now = this.#options.clock.now()
    this.#drawn = now
    const snapshot: Snapshot = {
      phase: this.#name,
      done: this.#done,
      total: this.#total,
      elapsed: (now - this.#started) as Milliseconds,
      ended: this.#ended,
    }
    this.#options.write(this.#render(snapshot))
  }
}

/** Bytes per second, and seconds left when the total is known. */
const speed = ({ done, total, elapsed }: Snapshot): { rate: number; eta: number | undefined } => {
  const rate = elapsed > 0 ? (Number(done) * 1000) / elapsed : 0
  const eta = total !== undefined && rate > 0 ? Number(total - done) / rate : undefined
  return { rate, eta: eta === undefined ? undefined : Math.max(0, eta) }
}

const jsonLine: Render = (snapshot) => {
  const { rate, eta } = speed(snapshot)
  const line = {
    event: snapshot.ended ? 'end' : 'progress',
    phase: snapshot.phase,
    done: Number(snapshot.done),
    ...(snapshot.total === undefined ? {} : { total: Number(snapshot.total) }),
    bytesPerSecond: Math.round(rate),
    ...(eta === undefined ? {} : { etaSeconds: Math.round(eta) }),
    elapsedMs: snapshot.elapsed,
  }
  return `${JSON.stringify(line)}\n`
}

const terminalLine: Render = (snapshot) => {
  const { phase, done, total, elapsed, ended } = snapshot
  const { rate, eta } = speed(snapshot)
  const parts = [phase.padEnd(12)]
  if (total !== undefined && total > 0n) {
    parts.push(`${String((done * 100n) / total).padStart(3)}%`)
    parts.push(`${formatBytes(done)} of ${formatBytes(total)}`)
  } else if (done > 0n) {
    parts.push(formatBytes(done))
  }
  if (done > 0n) parts.push(`${formatBytes(Math.round(rate))}/s`)
  if (ended) parts.push(`in ${formatSeconds(elapsed / 1000)}`)
  else if (eta !== undefined) parts.push(`${formatSeconds(eta)} left`)
  return `${CLEAR}${parts.join('  ')}${ended ? '\n' : ''}`
}
