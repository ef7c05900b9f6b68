/**
 * What happened in a run, line by line: hashed, so that two runs can be held against each other, and
 * the last lines kept, to be shown when something is wrong.
 */
import { createHash } from 'node:crypto'
import type { LogFields, Logger } from '@holdfast/protocol'

const KEPT_LINES = 400

const plain = (value: unknown): string =>
  JSON.stringify(value, (_name, field: unknown) =>
    typeof field === 'bigint' ? `${field}` : field,
  ) ?? ''

export class Trace {
  readonly #hash = createHash('sha256')
  readonly #last: string[] = []
  readonly #show: ((line: string) => void) | undefined
  readonly #now: () => number
  lines = 0

  /** @param show is given every line at once: for replaying. */
  constructor(now: () => number, show?: (line: string) => void) {
    this.#now = now
    this.#show = show
  }

  say(who: string, what: string, fields: LogFields = {}): void {
    const line = `${(this.#now() / 1000).toFixed(3)} ${who}: ${what} ${plain(fields)}`
    this.#hash.update(`${line}\n`)
    this.lines++
    this.#last.push(line)
    if (this.#last.length > KEPT_LINES) this.#last.shift()
    this.#show?.(line)
  }

  /** Of all lines so far. */
  get digest(): string {
    return this.#hash.copy().digest('hex')
  }

  get last(): readonly string[] {
    return this.#last
  }

  /** Everything that one part logs. */
  logger(who: string): Logger {
    const at =
      (level: string) =>
      (event: string, fields: LogFields = {}): void =>
        this.say(who, `${level} ${event}`, fields)
    const logger: Logger = {
      debug: at('debug'),
      info: at('info'),
      warn: at('warn'),
      error: at('error'),
      child: () => logger,
    }
    return logger
  }
}
