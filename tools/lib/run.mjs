/**
 * Child processes for the repository's commands: run to the end, output shown or collected, and an
 * interrupt waits for the child instead of leaving it behind.
 */
import { spawn } from 'node:child_process'
import { ROOT } from './root.mjs'
import { ToolError } from './say.mjs'

const collect = (stream, into) => {
  stream?.setEncoding('utf8')
  stream?.on('data', (text) => into.push(text))
}

/**
 * Runs a program to its end.
 * `show` is `all` (both streams reach ours), `stderr` (everything reaches our stderr), `none`.
 * @returns {Promise<{ code: number, stdout: string, stderr: string }>} texts are empty when shown;
 *   code is 128 + n after signal n, as shells count.
 */
export const run = (program, args, { show = 'none', env = process.env, cwd = ROOT } = {}) =>
  new Promise((resolve, reject) => {
    const stdio = {
      all: ['ignore', 'inherit', 'inherit'],
      stderr: ['ignore', process.stderr, process.stderr],
      none: ['ignore', 'pipe', 'pipe'],
    }[show]
    const child = spawn(program, args, { cwd, env, stdio })
    const out = []
    const err = []
    collect(child.stdout, out)
    collect(child.stderr, err)
    // A terminal sends the interrupt to the child as well; we stay until it has ended.
    const wait = () => undefined
    const pass = () => child.kill('SIGTERM')
    process.on('SIGINT', wait)
    process.on('SIGTERM', pass)
    const settle = (act) => {
      process.off('SIGINT', wait)
      process.off('SIGTERM', pass)
      act()
    }
    child.on('error', (error) =>
      settle(() => reject(new ToolError(`cannot start ${program}: ${error.message}`))),
    )
    child.on('close', (code, signal) =>
      settle(() => {
        const number = signal === 'SIGINT' ? 130 : signal === null ? code : 143
        resolve({ code: number, stdout: out.join(''), stderr: err.join('') })
      }),
    )
  })

/** Runs a script of ours or of a dependency with this Node. */
export const runNode = (args, options) => run(process.execPath, args, options)
