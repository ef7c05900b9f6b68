/**
 * The embedded network: one chain process with its state on disk, our contracts, funded accounts,
 * and a relayer that posts the seeds. What runs here is what runs on a real chain; only the drand
 * key, the money and the chain are our own. It outlives kill -9 of everything: `network.json` is
 * written last, after the state it speaks of, and a start continues from what is there.
 */
import { access, mkdir, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import {
  type Address,
  type Clock,
  HoldfastError,
  type Logger,
  type Random,
  seconds,
  silentLogger,
} from '@holdfast/protocol'
import { getHead } from '../evm/blocks.ts'
import { type ChainClient, openChain } from '../evm/client.ts'
import type { EvmLedger } from '../evm/evm-ledger.ts'
import { openEvmLedger } from '../evm/open.ts'
import { Transactor } from '../evm/transactor.ts'
import { type NetworkFile, readNetwork, writeNetwork } from '../network-file.ts'
import { SeedRelayer } from '../relayer/seed-relayer.ts'
import { localSource } from '../relayer/seed-source.ts'
import { systemRandom } from '../system-adapters.ts'
import { accountIn, createKeys, type DevnetAccount, type DevnetKeys, openKeys } from './accounts.ts'
import type { AnvilProcess } from './anvil-process.ts'
import { type ChainControl, chainControl } from './chain-rpc.ts'
import { startChain } from './chain-start.ts'
import { ChainState, stateFile } from './chain-state.ts'
import { mintData, type NetworkChoices, populate } from './populate.ts'
import { takeLock } from './state-lock.ts'

/** The choices are for a new network; a state directory that has one keeps its own. */
export interface DevnetParameters extends NetworkChoices {
  /** Where the chain's state, keys and `network.json` live; made when missing. */
  readonly stateDir: string
  readonly clock: Clock
  readonly logger: Logger
  readonly random?: Random
  /** False leaves the seeds to the caller (tests). */
  readonly relay?: boolean
}

export interface Devnet {
  readonly network: NetworkFile
  /** The path of `network.json`. */
  readonly networkFile: string
  /** The process number of the chain. */
  readonly chainPid: number
  /** Time jumps, mining and reorganisations, for tests. */
  readonly control: ChainControl
  /** `publisher`, `provider-1-owner` … `provider-9-operator`, `deployer`, `relayer`. */
  accounts(name: string): DevnetAccount
  /** A ledger that signs with the named account; closed with the devnet at the latest. */
  ledger(name: string): Promise<EvmLedger>
  /** The drand signature of a round, for whoever posts seeds instead of the relayer. */
  signRound(round: bigint): Uint8Array
  /** Gives test tokens to anybody. */
  mint(owner: Address, units: bigint): Promise<void>
  /** Settles when the network stops: resolves after `close`, rejects when the chain process dies. */
  readonly stopped: Promise<void>
  /** Writes the state down and stops everything. May be called twice. */
  close(): Promise<void>
}

/** The relayer looks at the time this often. */
const RELAYER_POLL_MS = 150

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  )

/** What is released in the end, newest first; a failure of one does not keep the others. */
class Releases {
  readonly #steps: (() => Promise<void> | void)[] = []

  add(step: () => Promise<void> | void): void {
    this.#steps.push(step)
  }

  async all(): Promise<void> {
    const failures: unknown[] = []
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      try {
        await step()
      } catch (failure) {
        failures.push(failure)
      }
    }
    if (failures.length > 0) throw failures[0]
  }
}

/** Block time never runs behind the newest block, which tests may have put into the future. */
const catchUp = async (chain: ChainClient, control: ChainControl): Promise<void> => {
  const { timestamp } = await getHead(chain)
  const ahead = timestamp - BigInt(Math.floor(chain.clock.now() / 1000))
  if (ahead > 0n) await control.shift(seconds(ahead))
}

/** What the parts of an open devnet are to each other. */
interface Parts {
  readonly parameters: DevnetParameters
  readonly process: AnvilProcess
  readonly chain: ChainClient
  readonly control: ChainControl
  readonly state: ChainState
  readonly releases: Releases
  readonly stop: AbortController
}

/** Both, side by side; when one fails the other is waited for, so that it can be released. */
const both = async <A, B>(first: Promise<A>, second: Promise<B>): Promise<readonly [A, B]> => {
  await Promise.allSettled([first, second])
  return [await first, await second]
}

interface Place {
  readonly networkFile: string
  readonly keysDir: string
  /** True when the directory has a network already. */
  readonly isKnown: boolean
}

/** The network in the directory, or a new one. */
const openNetwork = async (parts: Parts, keys: DevnetKeys, place: Place): Promise<NetworkFile> => {
  const { parameters, chain, control, state } = parts
  const own = {
    rpc: [parts.process.url],
    devnet: { keys: place.keysDir, pid: process.pid },
  }
  if (place.isKnown) {
    const network = { ...(await readNetwork(place.networkFile)), ...own }
    await catchUp(chain, control)
    await writeNetwork(place.networkFile, network)
    return network
  }
  const params = await populate({ chain, control }, keys, parameters)
  await state.save()
  const network = { ...params, ...own, drandUrls: [] }
  await writeNetwork(place.networkFile, network)
  return network
}

const startRelayer = async (
  parts: Parts,
  network: NetworkFile,
  keys: DevnetKeys,
): Promise<void> => {
  const { parameters, releases } = parts
  const { clock } = parameters
  const logger = parameters.logger.child({ part: 'seed relayer' })
  const { signer } = accountIn(keys, 'relayer')
  const ledger = await openEvmLedger({ network, rpc: network.rpc, signer, clock, logger })
  const relayer = new SeedRelayer({
    ...{ ledger, clock, logger, pollMs: RELAYER_POLL_MS },
    source: localSource(keys.drand),
  })
  const stop = new AbortController()
  const running = relayer.run(stop.signal)
  releases.add(async () => {
    stop.abort()
    await running
    await ledger.close()
  })
}

/** The chain, its state keeper, and the way back from them. */
const openParts = async (parameters: DevnetParameters, releases: Releases): Promise<Parts> => {
  const { stateDir, clock } = parameters
  const process = await startChain(parameters)
  releases.add(() => process.close())
  const stop = new AbortController()
  const rpc = [process.url]
  const chain = await openChain({ rpc, clock, logger: silentLogger, stop: stop.signal })
  const control = chainControl(process.url)
  const state = new ChainState(stateDir, process.url)
  return { parameters, process, chain, control, state, releases, stop }
}

/** Saves the state while the network runs, and once more in the end. */
const keepState = ({ parameters, process, state, releases }: Parts): void => {
  const stop = new AbortController()
  const running = state.run(parameters.clock, parameters.logger, stop.signal)
  let chainEnded = false
  process.ended.then(() => {
    chainEnded = true
    stop.abort()
  })
  releases.add(async () => {
    stop.abort()
    await running
    if (!chainEnded) await state.save()
  })
}

const lockDirectory = async (parameters: DevnetParameters, releases: Releases): Promise<void> => {
  const { stateDir } = parameters
  await mkdir(stateDir, { recursive: true, mode: 0o700 })
  const lock = await takeLock(stateDir, parameters.random ?? systemRandom)
  releases.add(() => lock.release())
}

const open = async (parameters: DevnetParameters, releases: Releases): Promise<Devnet> => {
  const { stateDir, random = systemRandom } = parameters
  const networkFile = join(stateDir, 'network.json')
  const keysDir = join(stateDir, 'keys')
  await lockDirectory(parameters, releases)
  const isKnown = await exists(networkFile)
  // Without a network file the last start did not finish: what its chain held belongs to nobody.
  if (!isKnown) await rm(stateFile(stateDir), { force: true })
  const [parts, keys] = await both(
    openParts(parameters, releases),
    isKnown ? openKeys(keysDir) : createKeys(keysDir, random),
  )
  const network = await openNetwork(parts, keys, { networkFile, keysDir, isKnown })
  const { clock, logger } = parameters
  const { chain, control, process } = parts
  releases.add(() => parts.stop.abort())
  keepState(parts)
  const open = async (name: string): Promise<EvmLedger> => {
    const { signer } = accountIn(keys, name)
    const ledger = await openEvmLedger({ network, rpc: network.rpc, signer, clock, logger })
    releases.add(() => ledger.close())
    return ledger
  }
  // Also the check that the contracts are in the state that was loaded.
  await open('deployer')
  if (parameters.relay !== false) await startRelayer(parts, network, keys)
  const minter = new Transactor(chain, accountIn(keys, 'deployer').signer)
  const { stopped, close } = ending(process, releases)
  return {
    ...{ network, networkFile, chainPid: process.pid, control, stopped, close, ledger: open },
    accounts: (name) => accountIn(keys, name),
    signRound: (round) => keys.drand.sign(round),
    mint: async (owner, units) => {
      const [token] = network.tokens
      if (token === undefined) return
      await minter.send({ to: token.address, data: mintData(owner, units) })
    },
  }
}

const ending = (chain: AnvilProcess, releases: Releases): Pick<Devnet, 'stopped' | 'close'> => {
  let closing: Promise<void> | undefined
  const stopped = chain.ended.then(async (how) => {
    if (closing !== undefined) return
    throw new HoldfastError({ code: 'PROCESS_FAILED', program: 'anvil', reason: how })
  })
  // Whoever does not wait for it must not die of it.
  stopped.catch(() => undefined)
  const close = (): Promise<void> => {
    closing ??= releases.all()
    return closing
  }
  return { stopped, close }
}

/**
 * Starts the embedded network, or continues the one in `stateDir`.
 * @throws HoldfastError `NETWORK_EXISTS` when one runs there, `PROCESS_FAILED` without a chain
 *   program, `CHAIN_UNSUITABLE` when the directory's network file and chain state do not belong
 *   together.
 */
export const startDevnet = async (parameters: DevnetParameters): Promise<Devnet> => {
  const releases = new Releases()
  try {
    return await open({ ...parameters, stateDir: resolve(parameters.stateDir) }, releases)
  } catch (failure) {
    await releases.all()
    throw failure
  }
}
