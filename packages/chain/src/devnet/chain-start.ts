/**
 * Starting the chain process of a state directory: first the process that an earlier run may have
 * left is ended, since two must not share a state; then the old port is taken again where it is
 * free, so that files that name it stay true.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock, Logger } from '@holdfast/protocol'
import { asRecord } from '../json.ts'
import { requireAnvil } from './anvil-binary.ts'
import { type AnvilProcess, isPortFree, startAnvil } from './anvil-process.ts'
import { findState } from './chain-state.ts'
import { endProcess } from './processes.ts'

export const DEVNET_CHAIN_ID = 31337n

const processFile = (stateDir: string): string => join(stateDir, 'chain', 'process.json')

interface Leftover {
  readonly pid: number
  readonly port: number
}

/** The chain process of the last run, from its file. */
const readLeftover = async (stateDir: string): Promise<Leftover | undefined> => {
  const text = await readFile(processFile(stateDir), 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  try {
    const record = asRecord(JSON.parse(text))
    const pid = record?.['pid']
    const port = record?.['port']
    return typeof pid === 'number' && typeof port === 'number' ? { pid, port } : undefined
  } catch {
    return undefined
  }
}

/** In the chain's command line, so that a process number cannot be mistaken. */
const markOf = (stateDir: string): string => join(stateDir, 'chain', 'cache')

export interface ChainStartParameters {
  readonly stateDir: string
  readonly clock: Clock
  readonly logger: Logger
}

/**
 * Starts the chain from its state, or empty when there is none.
 * @throws HoldfastError `PROCESS_FAILED`, `CONFIG_INVALID`.
 */
export const startChain = async (parameters: ChainStartParameters): Promise<AnvilProcess> => {
  const { stateDir, clock, logger } = parameters
  const binary = requireAnvil()
  const loadState = await findState(stateDir)
  const leftover = await readLeftover(stateDir)
  const mark = markOf(stateDir)
  if (leftover !== undefined && (await endProcess(leftover.pid, mark, clock))) {
    logger.warn('ended a chain process that an earlier run left', { pid: leftover.pid })
  }
  const port = leftover !== undefined && (await isPortFree(leftover.port)) ? leftover.port : 0
  const chain = await startAnvil(
    {
      binary,
      port,
      chainId: DEVNET_CHAIN_ID,
      extra: ['--cache-path', mark],
      ...(loadState === undefined ? {} : { loadState }),
    },
    clock,
  )
  const noted = JSON.stringify({ pid: chain.pid, port: chain.port })
  await writeFile(processFile(stateDir), noted)
  return chain
}
