/**
 * Writes to one file, gathered and made together: runs that lie one after another become one write.
 * Holds views of what is added until `write`.
 */
import { writeFully } from '../subtree-task.ts'

interface Run {
  readonly at: number
  readonly bytes: Uint8Array
}

const joined = (runs: readonly Run[]): Uint8Array => {
  const [only] = runs
  if (only !== undefined && runs.length === 1) return only.bytes
  return Buffer.concat(runs.map(({ bytes }) => bytes))
}

export class WriteBatch {
  readonly #runs: Run[] = []

  /** Notes bytes and their offset. Runs may not overlap. */
  add(at: number, bytes: Uint8Array): void {
    this.#runs.push({ at, bytes })
  }

  /** @throws the system's error. */
  write(fd: number): void {
    this.#runs.sort((a, b) => a.at - b.at)
    let pending: Run[] = []
    let end = 0
    const flush = (): void => {
      const [first] = pending
      if (first !== undefined) writeFully(fd, joined(pending), first.at)
      pending = []
    }
    for (const run of this.#runs) {
      if (run.at !== end) flush()
      pending.push(run)
      end = run.at + run.bytes.length
    }
    flush()
    this.#runs.length = 0
  }
}
