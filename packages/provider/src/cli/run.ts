/**
 * `run`: the node. Prints one line when it serves; drains on SIGTERM and SIGINT, exits at once on the
 * second. Logs are JSON lines on stderr.
 */
import { resolve } from 'node:path'
import {
  createJsonLogger,
  type LogLevel,
  openEvmLedger,
  readNetwork,
  systemClock,
  systemRandom,
} from '@holdfast/chain'
import { HoldfastError, type Logger, milliseconds } from '@holdfast/protocol'
import { openProver } from '@holdfast/prover'
import { readConfig } from '../config.ts'
import { homePaths } from '../home.ts'
import { Provider } from '../provider.ts'
import { JournalOutbox } from '../transactions/journal-outbox.ts'
import { openKey } from './init.ts'
import { toJson } from './output.ts'

export interface RunFlags {
  readonly home: string
  readonly network?: string
  readonly logLevel: string
}

const DRAIN_MS = 25_000

export const run = async (flags: RunFlags, software: string): Promise<void> => {
  const paths = homePaths(resolve(flags.home))
  const config = await readConfig(paths.config)
  const logger = createJsonLogger(process.stderr, { level: levelOf(flags.logLevel) })
  const network = await readNetwork(flags.network ?? config.network)
  const operator = await openKey(config.operatorKeystore, config.operatorPassphraseFile)
  const ambient = { clock: systemClock, logger }
  const rpc = config.rpcs ?? network.rpc
  const outbox = new JournalOutbox()
  const ledger = await openEvmLedger({ network, rpc, signer: operator, outbox, ...ambient })
  const prover = await openProver({ logger })
  try {
    const ports = { ledger, network, operator, prover, outbox, ...ambient, random: systemRandom }
    const provider = await Provider.open(ports, { paths, config, software })
    await ledger.resume()
    await serve(provider, config.provider, logger)
  } finally {
    await prover.close()
    await ledger.close()
  }
}

const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error']

const levelOf = (text: string): LogLevel => {
  const level = LEVELS.find((known) => known === text)
  if (level !== undefined) return level
  throw new HoldfastError({ code: 'USAGE', reason: `--log-level is none of ${LEVELS.join(', ')}` })
}

const serve = async (provider: Provider, id: string, logger: Logger): Promise<void> => {
  const asked = stopRequest(logger)
  const cut = new AbortController()
  try {
    const endpoints = await provider.start()
    // A bad file is logged and shown in status; the node goes on with what it has.
    process.on('SIGHUP', () => void provider.reload().catch(() => undefined))
    process.stdout.write(`ready ${toJson({ provider: id, ...endpoints })}\n`)
    await Promise.race([asked, provider.stopAsked, provider.running()])
  } finally {
    const drained = new AbortController()
    const limit = systemClock
      .sleep(milliseconds(DRAIN_MS), { signal: drained.signal })
      .then(() => cut.abort())
      .catch(() => undefined)
    await provider.stop(cut.signal)
    drained.abort()
    await limit
    logger.info('stopped')
  }
}

/** Resolves at the first SIGTERM or SIGINT; the second ends the process. */
const stopRequest = (logger: Logger): Promise<void> =>
  new Promise((resolveRequest) => {
    let asked = false
    const stop = (signal: NodeJS.Signals): void => {
      if (asked) process.exit(1)
      asked = true
      logger.info('stopping: no new requests, running ones end', { signal })
      resolveRequest()
    }
    process.on('SIGTERM', stop)
    process.on('SIGINT', stop)
  })
