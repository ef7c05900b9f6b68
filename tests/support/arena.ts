/**
 * A chain whose time a test moves, for adversaries: the embedded chain with the real contracts, or the
 * one in memory, whose seeds are the same in every run. People have money in the vault and gas.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  createMemoryChain,
  type Ledger,
  type NetworkParams,
  openEvmLedger,
  randomPrivateKey,
  signaturePoint,
  signerFromPrivateKey,
  startDevnet,
  systemClock,
  systemRandom,
} from '@holdfast/chain'
import {
  type Amount,
  amount,
  type Period,
  period,
  periodAt,
  periodStart,
  roundFor,
  type Signer,
  seconds,
  silentLogger,
  type Timestamp,
  timestamp,
} from '@holdfast/protocol'

export interface Person {
  readonly signer: Signer
  readonly ledger: Ledger
}

export interface Arena {
  readonly network: NetworkParams
  /** Somebody with gas and this much free in the vault. */
  person(free?: Amount): Promise<Person>
  /** Posts the seed of the present period. */
  postSeed(of: Period): Promise<void>
  /** Mines a block that is not before this time. */
  moveTo(at: Timestamp): Promise<void>
  now(): Promise<Timestamp>
  close(): Promise<void>
}

/** Seconds of a period; a test that takes so long in one has hung. */
const PERIOD = seconds(1000n)
/** Nobody is audited by chance. */
const NEVER = 2 ** 32 - 1
const GAS_MONEY = 10n ** 18n

export const currentPeriod = async (arena: Arena): Promise<Period> =>
  periodAt(arena.network, await arena.now())

/** Goes to `after` seconds into a period and posts its seed. */
export const enter = async (arena: Arena, of: Period, after = 5n): Promise<void> => {
  await arena.moveTo(timestamp(periodStart(arena.network, of) + after))
  await arena.postSeed(of)
}

export const nextPeriod = async (arena: Arena): Promise<Period> => {
  const next = period((await currentPeriod(arena)) + 1n)
  await enter(arena, next)
  return next
}

export const openMemoryArena = async (seed: number): Promise<Arena> => {
  const chain = createMemoryChain({
    ...{ genesis: timestamp(1_700_000_000n), period: PERIOD },
    ...{ directChallenges: 5, auditChance: NEVER, randomSeed: new Uint8Array(32).fill(seed) },
  })
  const [token] = chain.network.tokens
  let people = 0
  return {
    network: chain.network,
    person: async (free = amount(0n)) => {
      people += 1
      const signer = signerFromPrivateKey(new Uint8Array(32).fill(people))
      const ledger = chain.ledger(signer.address)
      if (token !== undefined && free > 0n) {
        chain.mint(token.address, signer.address, free)
        await ledger.deposit(token.address, free)
      }
      return { signer, ledger }
    },
    postSeed: async (of) => chain.postSeed(of),
    moveTo: async (at) => {
      chain.setTime(at)
      chain.advance(seconds(0n))
    },
    now: async () => chain.time,
    close: async () => undefined,
  }
}

export const openDevnetArena = async (): Promise<Arena> => {
  const stateDir = await mkdtemp(join(tmpdir(), 'holdfast-arena-'))
  const ambient = { clock: systemClock, logger: silentLogger }
  const rules = { period: PERIOD, directChallenges: 5, auditChance: NEVER }
  const devnet = await startDevnet({ stateDir, ...ambient, ...rules, relay: false })
  const { network, control } = devnet
  const relayer = await devnet.ledger('relayer')
  const opened: Ledger[] = []
  return {
    network,
    person: async (free = amount(0n)) => {
      const signer = signerFromPrivateKey(randomPrivateKey(systemRandom))
      await control.give(signer.address, GAS_MONEY)
      const ledger = await openEvmLedger({ network, rpc: network.rpc, signer, ...ambient })
      opened.push(ledger)
      const [token] = network.tokens
      if (token !== undefined && free > 0n) {
        await devnet.mint(signer.address, free)
        await ledger.deposit(token.address, free)
      }
      return { signer, ledger }
    },
    postSeed: async (of) => {
      await relayer.postSeed(of, signaturePoint(devnet.signRound(roundFor(network, of))))
    },
    moveTo: async (at) => {
      const { timestamp: tip } = await relayer.tip()
      if (at > tip) await control.advance(seconds(at - tip))
    },
    now: async () => (await relayer.tip()).timestamp,
    close: async () => {
      for (const ledger of opened) await ledger.close()
      await devnet.close()
      await rm(stateDir, { recursive: true, force: true })
    },
  }
}
