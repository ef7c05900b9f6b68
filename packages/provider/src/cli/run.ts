/**
 * `run`: the node. Prints one line when it serves; drains on SIGTERM and SIGINT, exits at once on the
 * second; reads its configuration again on SIGHUP. Logs are JSON lines on stderr, and a reader that
 * stops reading them stops nothing.
 */
import { resolve } from 'node:path'
import {
  createJsonLogger,
  type Ledger,
  type LogLevel,
  openEvmLedger,
  readNetwork,
  systemClock,
  systemRandom,
} from '@holdfast/chain'
import { HoldfastError, type Logger, milliseconds } from '@holdfast/protocol'
import { openProver } from '@holdfast/prover'
import { AlarmBoard } from '../alarms/alarm-board.ts'
import { type ProviderConfig, readConfig } from '../config.ts'
import { sealFile } from '../config-seal.ts'
import { homePaths } from '../home.ts'
import { Provider } from '../provider.ts'
import { isNoRoom } from '../store/disk-errors.ts'
import { JournalOutbox } from '../transactions/journal-outbox.ts'
import { openKey } from './init.ts'
import { boundedSink } from './log-sink.ts'
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
  const logger = createJsonLogger(boundedSink(process.stderr, systemClock), {
    level: levelOf(flags.logLevel),
  })
  await sealFile(paths.config).catch((error: unknown) => {
    if (!isNoRoom(error)) throw error
    logger.warn('no room to seal config.json: the next start does it', { path: paths.config })
  })
  const network = await readNetwork(flags.network ?? config.network)
  const operator = await openKey(config.operatorKeystore, config.operatorPassphraseFile)
  const ambient = { clock: systemClock, logger }
  const rpc = config.rpcs ?? network.rpc
  const outbox = new JournalOutbox()
  const alarms = new AlarmBoard(ambient)
  const ledger = await openEvmLedger({ network, rpc, signer: operator, outbox, alarms, ...ambient })
  const owner = await openOwner(config, { network, rpc, ...ambient })
  const prover = await openProver({ logger })
  try {
    const ports = {
      ledger,
      network,
      operator,
      prover,
      outbox,
      alarms,
      ...ambient,
      random: systemRandom,
      ...(owner === undefined ? {} : { owner }),
    }
    const provider = await Provider.open(ports, { paths, config, software })
    await ledger.resume()
    await serve(provider, config.provider, logger)
  } finally {
    await prover.close()
    await owner?.close()
    await ledger.close()
  }
}

/** The ledger with the owner's key, when the node is to keep up the stake. */
const openOwner = async (
  { stake, provider }: ProviderConfig,
  place: Omit<Parameters<typeof openEvmLedger>[0], 'signer'>,
): Promise<Ledger | undefined> => {
  if (stake === undefined) return undefined
  const signer = await openKey(stake.ownerKeystore, stake.ownerPassphraseFile)
  if (signer.address === provider) return openEvmLedger({ ...place, signer })
  const reason = `stake.ownerKeystore holds ${signer.address}, not the owner ${provider}`
  throw new HoldfastError({ code: 'UNAUTHORIZED', reason })
}

const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error']

const levelOf = (text: string): LogLevel => {
  const level = LEVELS.find((known) => known === text)
  if (level !== undefined) return level
  throw new HoldfastError({ code: 'USAGE', reason: `--log-level is none of ${LEVELS.join(', ')}` })
}

const serve = async (provider: Provider, id: string, logger: Logger): Promise<void> => {
  const asked = stopRequest(logger)
  // Nobody reads stdout after the ready line; that its pipe is closed is no reason to end.
  process.stdout.on('error', () => undefined)
  // A bad file is logged and shown in status; the node goes on with what it has.
  const reload = (): void => void provider.reload().catch(() => undefined)
  process.on('SIGHUP', reload)
  const cut = new AbortController()
  try {
    const endpoints = await provider.start()
    process.stdout.write(`ready ${toJson({ provider: id, ...endpoints })}\n`)
    await Promise.race([asked, provider.stopAsked, provider.running()])
    await sayWhenToReturn(provider, logger)
  } finally {
    process.off('SIGHUP', reload)
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

/** What a person who stops the node wants to know: whether a proof is at stake, and until when to be back. */
const sayWhenToReturn = async (provider: Provider, logger: Logger): Promise<void> => {
  const { safe, reason, until } = await provider.desk.safeToStop()
  const at = until === undefined ? undefined : new Date(Number(until) * 1000).toISOString()
  if (safe) logger.info('safe to stop', { reason, backBefore: at })
  else logger.warn('not safe to stop: start again soon', { reason, until: at })
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
