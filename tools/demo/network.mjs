/**
 * The demo's network: `holdfast devnet up` and every other command as child processes, as a person
 * would run them, with their state in one temporary folder. `close` stops what was started and
 * removes the folder, whatever happened before.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { inRoot, ROOT } from '../lib/root.mjs'
import { say, ToolError } from '../lib/say.mjs'
import { ProgressLog } from './progress.mjs'

const HOLDFAST = inRoot('packages', 'client', 'bin', 'holdfast.mjs')
const READY_MS = 180_000
/** A draining provider may take 30 s. */
const STOP_MS = 40_000

const text = (stream) => {
  let held = ''
  stream.setEncoding('utf8')
  stream.on('data', (piece) => {
    held = (held + piece).slice(-200_000)
  })
  return () => held
}

const finished = (child) => child.exitCode !== null || child.signalCode !== null

const explain = (args, { code, out, err }) => {
  let said = err.trim()
  try {
    const { error } = JSON.parse(out)
    said = `${error.message}\n  ${error.hint}`
  } catch {
    // Not every failure gets as far as printing JSON; then stderr has the reason.
  }
  return new ToolError(`holdfast ${args[0]} ended with exit code ${code}: ${said}`)
}

export class DemoNetwork {
  #folder
  #signal
  #devnet
  #devnetSaid

  constructor(folder, signal) {
    this.#folder = folder
    this.#signal = signal
  }

  static async create(signal) {
    return new DemoNetwork(await mkdtemp(join(tmpdir(), 'holdfast-demo-')), signal)
  }

  path(...parts) {
    return join(this.#folder, ...parts)
  }

  get #env() {
    const state = this.path('devnet')
    return {
      ...process.env,
      HOLDFAST_HOME: this.path('home'),
      HOLDFAST_NETWORK: join(state, 'network.json'),
      HOLDFAST_KEYSTORE: join(state, 'keys', 'publisher.json'),
      HOLDFAST_PASSPHRASE_FILE: join(state, 'keys', 'publisher.pass'),
    }
  }

  #start(args) {
    const options = { cwd: ROOT, env: this.#env, stdio: ['ignore', 'pipe', 'pipe'] }
    return spawn(process.execPath, [HOLDFAST, ...args], options)
  }

  /**
   * Runs a command with `--json` and returns its value; its steps and progress are told.
   * @throws ToolError with the command's own message and hint.
   */
  async holdfast(...args) {
    this.#signal.throwIfAborted()
    const child = this.#start([...args, '--json', '--progress', 'jsonl'])
    const out = text(child.stdout)
    const progress = new ProgressLog((line) => say(`demo:   ${line}`))
    child.stderr.setEncoding('utf8').on('data', (piece) => progress.write(piece))
    const abort = () => child.kill('SIGTERM')
    this.#signal.addEventListener('abort', abort, { once: true })
    const [code] = await once(child, 'close')
    this.#signal.removeEventListener('abort', abort)
    this.#signal.throwIfAborted()
    if (code !== 0) throw explain(args, { code, out: out(), err: progress.other })
    return JSON.parse(out())
  }

  /** Starts chain and providers; resolves when all of them are ready. */
  async up({ period, providers }) {
    const flags = ['--state', this.path('devnet'), '--period', period]
    const args = ['devnet', 'up', ...flags, '--providers', String(providers)]
    this.#devnet = this.#start(args)
    this.#devnet.stdout.resume()
    this.#devnetSaid = text(this.#devnet.stderr)
    const end = performance.now() + READY_MS
    while (!this.#devnetSaid().includes('devnet is up')) {
      this.#signal.throwIfAborted()
      if (finished(this.#devnet) || performance.now() > end) {
        throw new ToolError(`The devnet did not start: ${this.#devnetSaid().trim()}`)
      }
      await sleep(50)
    }
  }

  status() {
    return this.holdfast('devnet', 'status', '--state', this.path('devnet'))
  }

  async close() {
    const devnet = this.#devnet
    if (devnet !== undefined && !finished(devnet)) {
      const closed = once(devnet, 'close')
      devnet.kill('SIGTERM')
      const last = setTimeout(() => devnet.kill('SIGKILL'), STOP_MS)
      await closed
      clearTimeout(last)
    }
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 5 })
  }
}
