/** The command as a process, to its end. */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** What `node` is given to run `holdfast-provider`. */
export const COMMAND = fileURLToPath(new URL('../../../bin/holdfast-provider.mjs', import.meta.url))

export interface Finished {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export const command = (args: readonly string[]): Promise<Finished> =>
  new Promise((resolve) => {
    const child = spawn(process.execPath, [COMMAND, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (part) => {
      stdout += part
    })
    child.stderr.on('data', (part) => {
      stderr += part
    })
    child.once('close', (code) => resolve({ code, stdout, stderr }))
  })
