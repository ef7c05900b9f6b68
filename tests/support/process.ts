/**
 * Child processes of the walks: run to the end with their output collected, or kept running with
 * their output at hand when something goes wrong. Output is bounded, so that a program gone wild
 * costs its own test only.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** The repository's root, seen from this file's compiled place in tests/dist/support. */
export const ROOT: string = fileURLToPath(new URL('../../..', import.meta.url))

const OUTPUT_MAX = 64 * 1024 * 1024

export type Environment = Readonly<Record<string, string | undefined>>

export interface Outcome {
  readonly exit: number | null
  readonly stdout: Buffer
  readonly stderr: string
}

const collect = (stream: NodeJS.ReadableStream | null): (() => Buffer) => {
  const chunks: Buffer[] = []
  let held = 0
  stream?.on('data', (chunk: Buffer) => {
    if (held < OUTPUT_MAX) chunks.push(chunk)
    held += chunk.length
  })
  return () => Buffer.concat(chunks)
}

/** Runs a Node program to its end. */
export const runNode = async (args: readonly string[], env: Environment): Promise<Outcome> => {
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const stdout = collect(child.stdout)
  const stderr = collect(child.stderr)
  await once(child, 'close')
  return { exit: child.exitCode, stdout: stdout(), stderr: stderr().toString('utf8') }
}

/** A Node program that keeps running. */
export class Running {
  readonly child: ChildProcess
  readonly #stdout: () => Buffer
  readonly #stderr: () => Buffer

  constructor(args: readonly string[], env: Environment) {
    this.child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
    this.#stdout = collect(this.child.stdout)
    this.#stderr = collect(this.child.stderr)
  }

  get stdout(): string {
    return this.#stdout().toString('utf8')
  }

  get stderr(): string {
    return this.#stderr().toString('utf8')
  }

  get ended(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null
  }

  /** Asks it to stop, and waits until it has. */
  async stop(): Promise<void> {
    if (this.ended) return
    const closed = once(this.child, 'close')
    this.child.kill('SIGTERM')
    await closed
  }
}
