/**
 * What a command says on stderr with `--progress jsonl`, made fit for a log: steps as they come,
 * progress of long phases every few seconds, everything else kept for when the command fails.
 */
import { formatBytes } from './table.mjs'

const PAUSE_MS = 3000
const KEPT_CHARACTERS = 20_000

const parsed = (line) => {
  try {
    const value = JSON.parse(line)
    return typeof value?.event === 'string' ? value : undefined
  } catch {
    return undefined
  }
}

const describe = ({ phase, done, total, bytesPerSecond }) => {
  const share = total === undefined ? formatBytes(done) : `${Math.floor((100 * done) / total)} %`
  const size = total === undefined ? '' : ` of ${formatBytes(total)}`
  return `${phase} ${share}${size}, ${formatBytes(bytesPerSecond)}/s`
}

export class ProgressLog {
  #say
  #now
  #told
  #rest = ''
  #other = ''

  /** @param {(text: string) => void} say  @param {() => number} now milliseconds */
  constructor(say, now = () => performance.now()) {
    this.#say = say
    this.#now = now
    this.#told = now()
  }

  /** What was neither progress nor step: the end of it. */
  get other() {
    return this.#other.trim()
  }

  /** Takes text as it comes, lines cut anywhere. */
  write(text) {
    const lines = (this.#rest + text).split('\n')
    this.#rest = lines.pop()
    for (const line of lines) this.#line(line)
  }

  #line(line) {
    const event = parsed(line)
    if (event === undefined) {
      this.#other = `${this.#other}${line}\n`.slice(-KEPT_CHARACTERS)
    } else if (event.event === 'step') {
      this.#say(event.text)
    } else if (event.event === 'progress' && event.done > 0 && this.#isTime()) {
      this.#told = this.#now()
      this.#say(describe(event))
    }
  }

  #isTime() {
    return this.#now() - this.#told >= PAUSE_MS
  }
}
