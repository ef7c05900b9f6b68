/**
 * The embedded chain as a child process. It listens on loopback only and ends when this process
 * does, even by kill -9: a small shell holds the other end of a pipe and stops the chain when the
 * pipe closes. State is not this file's business (chain-state.ts), only where to load it from.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { type Clock, HoldfastError, milliseconds } from '@holdfast/protocol'

/**
 * $1… is the chain's command line. Descriptor 3 is the pipe from us: `cat` returns when it closes.
 * The first line of output is the chain's process number.
 */
const KEEPER = `
exec 3<&0
"$@" </dev/null 3<&- &
chain=$!
( cat <&3 >/dev/null; kill -TERM "$chain" 2>/dev/null; sleep 2; kill -KILL "$chain" 2>/dev/null ) >/dev/null 2>&1 &
watch=$!
exec 3<&-
echo "$chain"
wait "$chain"
code=$?
kill "$watch" 2>/dev/null
exit "$code"
`

/** What a failed start can show of its output. */
const OUTPUT_CHARACTERS_MAX = 4000
const START_MS = 20_000

export interface AnvilParameters {
  readonly binary: string
  /** 0 = choose a free one. */
  readonly port: number
  readonly chainId: bigint
  /** A state to continue from. */
  readonly loadState?: string
  /** More arguments, for tests. */
  readonly extra?: readonly string[]
}

export interface AnvilProcess {
  readonly url: string
  readonly port: number
  /** The chain's own process number. */
  readonly pid: number
  /** Resolves when the process has ended, with a sentence that says how. */
  readonly ended: Promise<string>
  /** Ends it. What was not dumped is lost. May be called twice. */
  close(): Promise<void>
}

/** A port of loopback that was free a moment ago. */
export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const bound = server.address()
      server.close(() =>
        typeof bound === 'object' && bound !== null
          ? resolve(bound.port)
          : reject(new Error('no port')),
      )
    })
  })

/** Whether nothing listens on `port` of loopback. */
export const isPortFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })

const argumentsFor = (parameters: AnvilParameters, port: number): readonly string[] => [
  ...['--host', '127.0.0.1', '--port', String(port), '--chain-id', String(parameters.chainId)],
  ...['--accounts', '1', '--balance', '0', '--order', 'fifo', '--no-request-size-limit'],
  // Blocks as large as mainnet's and the cap of EIP-7825, so that what runs here runs there.
  ...['--gas-limit', '60000000', '--enable-tx-gas-limit', '--color', 'never'],
  ...(parameters.loadState === undefined ? [] : ['--load-state', parameters.loadState]),
  ...(parameters.extra ?? []),
]

/** Output of the child: waits for the number and for the line that says it listens. */
class Startup {
  readonly #child: ChildProcess
  #text = ''
  #wake: () => void = () => undefined

  constructor(child: ChildProcess) {
    this.#child = child
    const take = (part: Buffer): void => {
      this.#text = (this.#text + part.toString('utf8')).slice(0, OUTPUT_CHARACTERS_MAX)
      this.#wake()
    }
    child.stdout?.on('data', take)
    child.stderr?.on('data', take)
  }

  get text(): string {
    return this.#text.trim()
  }

  get pid(): number | undefined {
    const line = /^(\d+)$/m.exec(this.#text)?.[1]
    return line === undefined ? undefined : Number(line)
  }

  /** Resolves once it listens, or has ended, or the signal fires. */
  async settled(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && this.#child.exitCode === null) {
      if (this.#text.includes('Listening on')) return
      await new Promise<void>((resolve) => {
        this.#wake = resolve
        this.#child.once('exit', () => resolve())
        signal.addEventListener('abort', () => resolve(), { once: true })
      })
    }
  }
}

const failure = (reason: string): HoldfastError =>
  new HoldfastError({ code: 'PROCESS_FAILED', program: 'anvil', reason })

/**
 * Starts the chain and waits until it answers.
 * @throws HoldfastError `PROCESS_FAILED` with the program's own words.
 */
export const startAnvil = async (
  parameters: AnvilParameters,
  clock: Clock,
): Promise<AnvilProcess> => {
  const port = parameters.port === 0 ? await freePort() : parameters.port
  const command = [parameters.binary, ...argumentsFor(parameters, port)]
  const child = spawn('/bin/sh', ['-c', KEEPER, 'holdfast-chain-keeper', ...command], {
    stdio: ['pipe', 'pipe', 'pipe'],
    // Its own process group: Ctrl-C stops the providers first, and then, through us, the chain.
    detached: true,
  })
  child.stdin?.on('error', () => undefined)
  const startup = new Startup(child)
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(`it could not be started: ${error.message}`))
    child.once('exit', (code, signal) => resolve(`it ended with ${signal ?? `status ${code}`}`))
  }).then((how) => {
    child.stdin?.destroy()
    return how
  })
  const limit = new AbortController()
  const timer = clock.sleep(milliseconds(START_MS), { signal: limit.signal }).then(
    () => limit.abort(),
    () => undefined,
  )
  await Promise.race([startup.settled(limit.signal), ended])
  const { pid, text } = startup
  const close = async (): Promise<void> => {
    child.stdin?.destroy()
    await ended
  }
  const tookTooLong = limit.signal.aborted
  limit.abort()
  await timer
  if (pid === undefined || child.exitCode !== null || tookTooLong) {
    await close()
    throw failure(text === '' ? await ended : text)
  }
  return { url: `http://127.0.0.1:${port}`, port, pid, ended, close }
}
