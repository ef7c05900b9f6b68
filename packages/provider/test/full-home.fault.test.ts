/**
 * F7 on a real file system: the home of the real program, on real contracts, is filled to its last byte
 * by somebody who goes on taking what becomes free. It goes on proving, also after SIGKILL, refuses
 * uploads, says so, and takes them again by itself when there is room.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type Devnet, type Ledger, openEvmLedger, startDevnet, systemClock } from '@holdfast/chain'
import {
  type Address,
  amount,
  HoldfastError,
  type Period,
  period,
  periods,
  seconds,
  silentLogger,
} from '@holdfast/protocol'
import { afterAll, afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { askAdmin } from '../src/admin/client.ts'
import { homePaths } from '../src/home.ts'
import { readTlsIdentity } from '../src/tls.ts'
import { TestClient } from './support/client.ts'
import { COMMAND, command } from './support/command.ts'
import { SmallDisk, type SmallDiskKind, whyNoSmallDisk } from './support/full-disk.ts'
import { untilRemote } from './support/network.ts'
import { commitmentOf, payloadOf } from './support/payloads.ts'

const KINDS: readonly SmallDiskKind[] = ['tmpfs', 'ext4', 'xfs', 'btrfs']
const PERIODS = Number(process.env['HOLDFAST_FULL_PERIODS'] ?? 4)
/** `HOLDFAST_TEST_LOG=1` shows what the node logs. */
const LOG = process.env['HOLDFAST_TEST_LOG'] === '1'
const LIMIT_MS = 1_200_000

interface Seen {
  readonly alarms: readonly { readonly kind: string; readonly message: string }[]
  readonly journalRoom: { readonly state: string; readonly left: string }
}

const scratch = mkdtempSync(join(tmpdir(), 'holdfast-full-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

describe.each(KINDS)('a full home on %s', (kind) => {
  const reason = whyNoSmallDisk(kind, join(scratch, `try-${kind}`))
  const trial = reason === undefined ? test : test.skip
  const name = 'goes on proving, also when it is started there, and takes uploads again with room'
  let disk: SmallDisk
  let home: string
  let devnet: Devnet
  let ledger: Ledger
  let provider: Address
  let child: ChildProcess
  let client: TestClient
  const log: Record<string, unknown>[] = []

  beforeEach(async () => {
    if (reason !== undefined) return
    disk = SmallDisk.create(kind, join(scratch, kind))
    home = join(disk.path, 'provider')
    const ambient = { clock: systemClock, logger: silentLogger }
    const stateDir = join(scratch, `net-${kind}`)
    devnet = await startDevnet({ stateDir, period: seconds(20), ...ambient })
    const { signer } = devnet.accounts('publisher')
    provider = devnet.accounts('provider-1-owner').address
    const { network } = devnet
    ledger = await openEvmLedger({ network, rpc: network.rpc, signer, ...ambient })
    const [token] = network.tokens
    if (token !== undefined) await ledger.deposit(token.address, amount(1_000_000_000n))
    await init()
  })
  afterEach(async () => {
    if (reason !== undefined) return
    if (child.exitCode === null && child.signalCode === null) await end('SIGKILL')
    await ledger.close()
    await devnet.close()
    disk.remove()
  })

  const init = async (): Promise<void> => {
    const owner = devnet.accounts('provider-1-owner')
    const operator = devnet.accounts('provider-1-operator')
    const { code, stderr } = await command([
      ...['init', '--home', home, '--json', '--owner-keystore', owner.keystore],
      ...['--owner-passphrase-file', owner.passphraseFile],
      ...['--network', devnet.networkFile, '--region', 'eu', '--price', '2'],
      ...['--proving-fee', '10000', '--capacity', '1GiB', '--stake', '5'],
      ...['--operator-keystore', operator.keystore, '--collateral-fund', '5000'],
      ...['--operator-passphrase-file', operator.passphraseFile, '--yes'],
    ])
    expect([code, stderr]).toEqual([0, expect.anything()])
    // Uploads may take the disk to its last byte: what refuses them here is the journal.
    const { config } = homePaths(home)
    const made = JSON.parse(await readFile(config, 'utf8'))
    await writeFile(config, JSON.stringify({ ...made, diskMargin: '0' }))
  }

  const start = async (): Promise<void> => {
    child = spawn(process.execPath, [COMMAND, 'run', '--home', home], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const lines: string[] = []
    if (child.stderr !== null) {
      createInterface(child.stderr).on('line', (line) => {
        lines.push(line)
        if (LOG) process.stderr.write(`${line}\n`)
        if (line.startsWith('{')) log.push(JSON.parse(line))
      })
    }
    const line = await new Promise<string>((resolve, reject) => {
      child.once('close', (code) =>
        reject(new Error(`run ended with ${code}: ${lines.slice(-20).join('\n')}`)),
      )
      if (child.stdout !== null) createInterface(child.stdout).once('line', resolve)
    })
    const [token] = devnet.network.tokens
    if (token === undefined) throw new Error('the devnet has a token')
    client = new TestClient({
      network: {
        params: devnet.network,
        publisher: devnet.accounts('publisher').signer,
        config: { provider, token: token.address },
        time: (): bigint => BigInt(Math.floor(systemClock.now() / 1000)),
      },
      endpoints: JSON.parse(line.slice('ready '.length)),
      tls: await readTlsIdentity(homePaths(home).tls),
    })
  }
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    const exited = new Promise<number | null>((resolve) => child.once('exit', resolve))
    client.close()
    child.kill(signal)
    return exited
  }

  const status = async (): Promise<Seen> =>
    JSON.parse(JSON.stringify(await askAdmin(homePaths(home).admin, 'status')))
  const now = async (): Promise<Period> => {
    let seen = Number.NaN
    await untilRemote('a block is folded', async () => {
      seen = await client.metric('holdfast_period')
      return Number.isInteger(seen)
    })
    return period(BigInt(seen))
  }
  const hasAlarm = async (): Promise<boolean> =>
    (await status()).alarms.some((alarm) => alarm.kind === 'home-full')

  const canAsk = (): Promise<boolean> =>
    status().then(
      () => true,
      (error: unknown) => {
        if (HoldfastError.is(error, 'PEER_UNREACHABLE')) return false
        throw error
      },
    )

  /** Every period from the next one on is proven on chain, so many of them. */
  const provesOn = async (count: number): Promise<void> => {
    const first = period((await now()) + 1n)
    const last = period(first + BigInt(count))
    await untilRemote(
      `${count} periods are over`,
      async () => {
        expect(child.exitCode).toBe(null)
        return (await ledger.proven(provider, first, last)).length === count
      },
      LIMIT_MS,
    )
  }

  trial(
    reason === undefined ? name : `${name} (not here: ${reason})`,
    async () => {
      await start()
      await client.deal(payloadOf(100_000, 1), periods(1000))
      const begun = payloadOf(200_000, 2)
      const session = await client.open(client.voucher(commitmentOf(begun)))
      await client.put(session, begun, { start: 0, end: 65_536 })
      await provesOn(1)

      disk.fillUp()
      await provesOn(PERIODS)
      const seen = await status()
      expect(seen.journalRoom.state).toBe('reserve')
      await untilRemote('the alarm stands', hasAlarm)
      expect(await client.metric('holdfast_journal_full')).toBe(1)
      const fresh = payloadOf(100_000, 3)
      const full = { detail: { code: 'DISK_FULL' } }
      await expect(client.open(client.voucher(commitmentOf(fresh)))).rejects.toMatchObject(full)
      const part = await client.put(session, begun, { start: 65_536, end: 131_072 })
      expect(part.status).toBe(507)
      await expect(client.proposal(commitmentOf(fresh))).rejects.toMatchObject(full)

      await end('SIGKILL')
      await start()
      await provesOn(PERIODS)
      expect(await client.metric('holdfast_journal_full')).toBe(1)
      // Where there was no room for the admin socket (XFS), the ledger answers.
      const asked = await command(['status', '--home', home, '--json'])
      expect(JSON.parse(asked.stdout)).toMatchObject({ running: true, pid: child.pid })

      disk.giveRoom()
      await untilRemote('the commands reach the node', canAsk)
      await untilRemote('the alarm is over', async () => !(await hasAlarm()))
      const rest = await client.put(session, begun, { start: 65_536, end: begun.length })
      expect(rest.status).toBe(200)
      await client.commit(session)
      await client.deal(fresh, periods(1000))
      await provesOn(1)
      expect(await end('SIGTERM')).toBe(0)
      await start()
      await provesOn(1)
      for (const event of log.map((line) => String(line['event']))) {
        expect(event).not.toMatch(/damaged/)
      }
    },
    LIMIT_MS,
  )
})
