/**
 * The embedded network as a process: ready quickly, one per directory, and after kill -9 of any of
 * its processes it goes on from its state with the same contracts, genesis and money.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { access, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { amount, milliseconds, period, periodAt, seconds, silentLogger } from '@holdfast/protocol'
import { expect, test } from '@jest/globals'
import { type Devnet, type DevnetParameters, startDevnet } from '../../src/devnet/devnet.ts'
import { isRunning, isRunningAs } from '../../src/devnet/processes.ts'
import { openKeystore, readPassphrase } from '../../src/keys/keystore-file.ts'
import { readNetwork } from '../../src/network-file.ts'
import { systemClock } from '../../src/system-adapters.ts'
import { withFolder } from '../support/programs.ts'
import { codeOf } from '../support/scenario.ts'
import { describeWithAnvil } from '../support/with-anvil.ts'

const CHILD = fileURLToPath(new URL('./devnet-child.js', import.meta.url))

const start = (stateDir: string, more: Partial<DevnetParameters> = {}): Promise<Devnet> =>
  startDevnet({ stateDir, clock: systemClock, logger: silentLogger, relay: false, ...more })

/** Waits for something that happens soon; jest's limit ends it otherwise. */
const until = async (met: () => Promise<boolean> | boolean): Promise<void> => {
  while (!(await met())) await systemClock.sleep(milliseconds(10))
}

interface Child {
  readonly process: ChildProcess
  readonly chain: number
}

const startChild = async (stateDir: string): Promise<Child> => {
  const child = spawn(process.execPath, [CHILD, stateDir], { stdio: ['ignore', 'pipe', 'inherit'] })
  for await (const line of createInterface({ input: child.stdout })) {
    const { chain } = JSON.parse(line) as { chain: number }
    return { process: child, chain }
  }
  throw new Error('the devnet process ended before it was ready')
}

const kill = async (child: Child, signal: NodeJS.Signals): Promise<void> => {
  child.process.kill(signal)
  if (child.process.exitCode === null && child.process.signalCode === null) {
    await once(child.process, 'exit')
  }
}

/** The height of the chain as it is on disk. */
const savedHeight = async (stateDir: string): Promise<bigint> => {
  const text = await readFile(join(stateDir, 'chain', 'state.json'), 'utf8')
  return BigInt((JSON.parse(text) as { best_block_number: string }).best_block_number)
}

/** A deposit of the publisher, and the balance after it. */
const depositSome = async (devnet: Devnet): Promise<bigint> => {
  const [token] = devnet.network.tokens
  if (token === undefined) throw new Error('a network has a token')
  const ledger = await devnet.ledger('publisher')
  await ledger.deposit(token.address, amount(7n))
  return ledger.balance(ledger.account, token.address)
}

describeWithAnvil('a fresh devnet', () => {
  test('writes its network file last, and keys that open', () =>
    withFolder(async (folder) => {
      const stateDir = join(folder, 'new', 'state')
      const devnet = await start(stateDir, { period: seconds(20n) })
      try {
        const network = await readNetwork(devnet.networkFile)
        expect(network).toEqual(devnet.network)
        expect(network).toMatchObject({ period: 20n, window: 15n, seedDelay: 1n })
        for (const name of ['publisher', 'provider-1-owner', 'provider-9-operator', 'relayer']) {
          const { keystore, passphraseFile, address, signer } = devnet.accounts(name)
          expect(keystore).toBe(join(stateDir, 'keys', `${name}.json`))
          const opened = await openKeystore(keystore, await readPassphrase(passphraseFile))
          expect([opened.address, signer.address]).toEqual([address, address])
          expect((await stat(keystore)).mode & 0o777).toBe(0o600)
          expect((await stat(passphraseFile)).mode & 0o777).toBe(0o600)
        }
        expect(() => devnet.accounts('nobody')).toThrow('publisher')
        const ledger = await devnet.ledger('publisher')
        const token = network.tokens[0]?.address ?? ledger.account
        const owner = devnet.accounts('provider-1-owner').address
        for (const account of [ledger.account, owner]) {
          expect(await ledger.tokenBalance(account, token)).toBe(1_000_000_000_000n)
          expect(await ledger.gasBalance(account)).toBeGreaterThan(10n ** 18n)
        }
      } finally {
        await devnet.close()
      }
      await devnet.stopped
      expect(await isRunningAs(devnet.chainPid, stateDir)).toBe(false)
    }))

  test('refuses a second one on its directory, and lets go when it closes', () =>
    withFolder(async (folder) => {
      const devnet = await start(folder)
      expect(await codeOf(start(folder))).toBe('NETWORK_EXISTS')
      await devnet.close()
      await devnet.close()
      expect(await codeOf(start(join(folder, 'short'), { period: seconds(2n) }))).toBe(
        'CONFIG_INVALID',
      )
      const again = await start(folder)
      expect(again.network.contracts).toEqual(devnet.network.contracts)
      await again.close()
    }))

  test('posts the seed of every period by itself', () =>
    withFolder(async (folder) => {
      const devnet = await start(folder, { period: seconds(3n), relay: true })
      try {
        const ledger = await devnet.ledger('publisher')
        const first = periodAt(devnet.network, (await ledger.tip()).timestamp)
        await until(async () => (await ledger.seed(period(first + 1n))) !== undefined)
      } finally {
        await devnet.close()
      }
    }))
})

describeWithAnvil('a devnet that stopped', () => {
  test('goes on with contracts, genesis, money and port', () =>
    withFolder(async (folder) => {
      const first = await start(folder)
      const balance = await depositSome(first)
      const tip = await (await first.ledger('publisher')).tip()
      await first.close()
      const second = await start(folder, { period: seconds(99n) })
      const { rpc, ...params } = second.network
      expect({ ...params, rpc }).toEqual(first.network)
      const ledger = await second.ledger('publisher')
      const token = second.network.tokens[0]?.address ?? ledger.account
      expect(await ledger.balance(ledger.account, token)).toBe(balance)
      const seen = []
      for await (const { applied } of ledger.follow(undefined)) {
        seen.push(...applied.map((block) => block.ref))
        if ((seen.at(-1)?.number ?? 0n) >= tip.number) break
      }
      expect(seen).toContainEqual(tip)
      expect(await depositSome(second)).toBe(balance + 7n)
      await second.close()
    }))

  test('starts anew when it died before its network file was written', () =>
    withFolder(async (folder) => {
      const first = await start(folder)
      await first.close()
      await rm(join(folder, 'network.json'))
      const second = await start(folder)
      expect(second.network.contracts).not.toEqual(first.network.contracts)
      expect(await depositSome(second)).toBe(7n)
      await second.close()
    }))

  test('says so when network file and chain state do not belong together', () =>
    withFolder(async (folder) => {
      const first = await start(folder)
      await first.close()
      await rm(join(folder, 'chain', 'state.json'))
      expect(await codeOf(start(folder))).toBe('CHAIN_UNSUITABLE')
      // And nothing is left running or locked.
      await expect(access(join(folder, 'lock'))).rejects.toThrow()
    }))

  test('takes over a lock that is stale, damaged, or of a reused process number', () =>
    withFolder(async (folder) => {
      await (await start(folder)).close()
      for (const lock of [
        '',
        '{"pid":4194000,"started":"1"}',
        `{"pid":${process.pid},"started":"1"}`,
      ]) {
        await writeFile(join(folder, 'lock'), lock)
        await (await start(folder)).close()
      }
    }))
})

describeWithAnvil('kill -9', () => {
  test('of the devnet process takes the chain with it, and the next start goes on', () =>
    withFolder(async (folder) => {
      const child = await startChild(folder)
      const network = await readNetwork(join(folder, 'network.json'))
      await kill(child, 'SIGKILL')
      await until(() => !isRunning(child.chain))
      const devnet = await start(folder)
      expect(devnet.network.contracts).toEqual(network.contracts)
      expect(devnet.network.genesis).toBe(network.genesis)
      expect(await depositSome(devnet)).toBe(7n)
      await devnet.close()
    }))

  test('of everything at once, again and again, loses at most the newest second', () =>
    withFolder(async (folder) => {
      let known = 0n
      for (let round = 0; round < 2; round++) {
        const child = await startChild(folder)
        // The relayer makes blocks by itself; wait until a new one is on disk.
        await until(async () => (await savedHeight(folder)) > known)
        known = await savedHeight(folder)
        process.kill(child.chain, 'SIGKILL')
        await kill(child, 'SIGKILL')
      }
      const devnet = await start(folder)
      expect((await (await devnet.ledger('publisher')).tip()).number).toBeGreaterThanOrEqual(known)
      await devnet.close()
    }))

  test('of the chain alone is noticed', () =>
    withFolder(async (folder) => {
      const devnet = await start(folder)
      process.kill(devnet.chainPid, 'SIGKILL')
      expect(await codeOf(devnet.stopped)).toBe('PROCESS_FAILED')
      const ledgers = devnet.ledger('publisher')
      expect(await codeOf(ledgers)).toBe('LEDGER_UNREACHABLE')
      await devnet.close()
      const again = await start(folder)
      expect(await depositSome(again)).toBe(7n)
      await again.close()
    }))

  test('leaves an orphan that the next start ends, should the keeper die too', () =>
    withFolder(async (folder) => {
      const first = await start(folder)
      const noted = await readFile(join(folder, 'chain', 'process.json'), 'utf8')
      await first.close()
      // An orphan as the file would name it: a process with the directory in its command line.
      const mark = join(folder, 'chain', 'cache')
      const orphan = spawn('/bin/sh', ['-c', 'while :; do sleep 1; done', mark], {
        stdio: 'ignore',
      })
      const { port } = JSON.parse(noted) as { port: number }
      await writeFile(
        join(folder, 'chain', 'process.json'),
        JSON.stringify({ pid: orphan.pid, port }),
      )
      const ended = once(orphan, 'exit')
      const second = await start(folder)
      await ended
      await second.close()
    }))
})
