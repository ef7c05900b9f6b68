/** Chain processes that the devnet code did not start, and places to put things; all cleaned up. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { requireAnvil } from '../../src/devnet/anvil-binary.ts'
import { freePort } from '../../src/devnet/anvil-process.ts'

/** A folder that is gone after `body`. */
export const withFolder = async (body: (folder: string) => Promise<void>): Promise<void> => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-chain-'))
  try {
    await body(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

export interface ForeignChain {
  readonly url: string
  stop(): Promise<void>
}

const ended = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
}

/** A plain anvil, started by hand, with its usual ten rich accounts. */
export const startForeignChain = async (args: readonly string[] = []): Promise<ForeignChain> => {
  const port = await freePort()
  const command = ['--port', String(port), '--host', '127.0.0.1', ...args]
  const child = spawn(requireAnvil(), command, { stdio: ['ignore', 'pipe', 'inherit'] })
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.includes('Listening on')) break
  }
  child.stdout.resume()
  return {
    url: `http://127.0.0.1:${port}`,
    stop: async () => {
      child.kill('SIGKILL')
      await ended(child)
    },
  }
}

export interface Finished {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a program of this package to its end. */
export const runProgram = async (path: string, args: readonly string[]): Promise<Finished> => {
  const child = spawn(process.execPath, [path, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  const collected = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    collected.stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    collected.stderr += text
  })
  await once(child, 'close')
  return { code: child.exitCode, ...collected }
}
