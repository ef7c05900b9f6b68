/**
 * An operator's day, with the command as a process on the embedded network: stopping in the middle of
 * a proof, being stopped, a log that nobody reads, stake, money, leaving. Short: `process.test.ts`.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import {
  type Devnet,
  type Ledger,
  openEvmLedger,
  signingDomain,
  startDevnet,
  systemClock,
} from '@holdfast/chain'
import {
  type Address,
  amount,
  consentDigest,
  type DealId,
  period,
  periods,
  seconds,
  silentLogger,
} from '@holdfast/protocol'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { askAdmin } from '../src/admin/client.ts'
import { homePaths } from '../src/home.ts'
import { readTlsIdentity } from '../src/tls.ts'
import { TestClient } from './support/client.ts'
import { COMMAND, command } from './support/command.ts'
import { untilRemote } from './support/network.ts'
import { commitmentOf, payloadOf } from './support/payloads.ts'

/** What these tests look at in the node's status. */
interface Seen {
  readonly transactions: readonly { readonly state: string; readonly isProof: boolean }[]
  readonly chain: {
    readonly period: string
    readonly time: string
    readonly deadline: string
    readonly seeded: boolean
    readonly proven: boolean
  }
  readonly books: { readonly outcomes: { readonly proven: number } }
}

describe("an operator's day", () => {
  let folder: string
  let home: string
  let admin: string
  let devnet: Devnet
  let ledger: Ledger
  let provider: Address
  let child: ChildProcess
  let client: TestClient
  let deal: DealId
  const log: { event: string; level: string; until?: string; reason?: string }[] = []

  const rpc = async (method: string, ...params: unknown[]): Promise<unknown> => {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
    const headers = { 'content-type': 'application/json' }
    const response = await fetch(devnet.network.rpc[0] ?? '', { method: 'POST', headers, body })
    return ((await response.json()) as { readonly result: unknown }).result
  }
  const ownerFlags = (): string[] => {
    const owner = devnet.accounts('provider-1-owner')
    return [
      ...['--home', home, '--json', '--owner-keystore', owner.keystore],
      ...['--owner-passphrase-file', owner.passphraseFile],
    ]
  }
  const said = async (...args: string[]): Promise<Record<string, unknown>> => {
    const { code, stdout } = await command([...args, ...ownerFlags()])
    return { code, ...JSON.parse(stdout) }
  }

  /** Starts the node; with `deaf` nobody reads its log. */
  const start = async (deaf = false): Promise<void> => {
    child = spawn(process.execPath, [COMMAND, 'run', '--home', home], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    if (deaf) child.stderr?.pause()
    else if (child.stderr !== null) {
      createInterface(child.stderr).on('line', (line) => log.push(JSON.parse(line)))
    }
    const line = await new Promise<string>((resolve, reject) => {
      child.once('exit', (code) => reject(new Error(`run ended with ${code}`)))
      if (child.stdout !== null) createInterface(child.stdout).once('line', resolve)
    })
    const endpoints: { grpc: string; http: string } = JSON.parse(line.slice(6))
    const tls = await readTlsIdentity(homePaths(home).tls)
    const [token] = devnet.network.tokens
    if (token === undefined) throw new Error('the devnet has a token')
    const network = {
      params: devnet.network,
      publisher: devnet.accounts('publisher').signer,
      config: { provider, token: token.address },
      time: (): bigint => BigInt(Math.floor(systemClock.now() / 1000)),
    }
    client = new TestClient({ network, endpoints, tls })
  }
  const stopHard = async (): Promise<void> => {
    const exited = ended()
    child.kill('SIGKILL')
    await exited
  }
  const ended = (): Promise<number | null> =>
    new Promise((resolve) => child.once('exit', (code) => resolve(code)))
  const status = async (): Promise<Seen> =>
    JSON.parse(JSON.stringify(await askAdmin(admin, 'status')))
  const isSendingProof = async (): Promise<boolean> => {
    const { transactions } = await status()
    return transactions.some(({ state, isProof }) => state === 'in flight' && isProof)
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'holdfast-day-'))
    home = join(folder, 'provider')
    admin = homePaths(home).admin
    const ambient = { clock: systemClock, logger: silentLogger }
    devnet = await startDevnet({ stateDir: join(folder, 'net'), period: seconds(20), ...ambient })
    const publisher = devnet.accounts('publisher')
    provider = devnet.accounts('provider-1-owner').address
    const { network } = devnet
    ledger = await openEvmLedger({
      network,
      rpc: network.rpc,
      signer: publisher.signer,
      ...ambient,
    })
    const [token] = network.tokens
    if (token !== undefined) await ledger.deposit(token.address, amount(1_000_000_000n))
    const operator = devnet.accounts('provider-1-operator')
    const made = await command([
      ...['init', ...ownerFlags(), '--network', devnet.networkFile, '--region', 'eu'],
      ...['--price', '2', '--proving-fee', '10000', '--capacity', '1GiB'],
      ...['--operator-keystore', operator.keystore],
      ...['--operator-passphrase-file', operator.passphraseFile],
      ...['--stake', '5', '--collateral-fund', '5000', '--yes'],
    ])
    expect(made.code).toBe(0)
    await start()
    const opened = await client.deal(payloadOf(100_000), periods(1000))
    deal = opened.deal
  })
  afterEach(async () => {
    await rpc('evm_setAutomine', true)
    await rpc('evm_mine')
  })
  afterAll(async () => {
    client.close()
    child.kill('SIGKILL')
    await ledger.close()
    await devnet.close()
    await rm(folder, { recursive: true, force: true })
  })

  test('F33: SIGTERM while a proof is on its way sees it through, says what is at stake, and ends', async () => {
    await rpc('evm_setAutomine', false)
    // Blocks only by hand: until the seed of the period is in one, and none after that.
    await untilRemote('the proof is on its way', async () => {
      if (await isSendingProof()) return true
      if (!(await status()).chain.seeded) await rpc('evm_mine')
      return false
    })
    const { chain } = await status()
    expect(chain.proven).toBe(false)
    const exited = ended()
    child.kill('SIGTERM')
    await untilRemote('it says what is at stake', async () =>
      log.some(({ event }) => event === 'not safe to stop: start again soon'),
    )
    const warning = log.find(({ event }) => event.startsWith('not safe to stop'))
    expect(warning).toMatchObject({ level: 'warn', until: expect.stringMatching(/^20/) })
    expect(child.exitCode).toBe(null)
    await rpc('evm_setAutomine', true)
    await rpc('evm_mine')
    expect(await exited).toBe(0)
    const of = period(BigInt(chain.period))
    expect(await ledger.proven(provider, of, period(of + 1n))).toEqual([of])
  })

  test('F33: a second SIGTERM ends it at once', async () => {
    await start()
    const other = payloadOf(1_000_000, 9)
    const session = await client.open(client.voucher(commitmentOf(other)))
    const part = client.beginPut(session, other)
    part.status.catch(() => undefined)
    await untilRemote(
      'a part is on its way',
      async () => (await client.metric('holdfast_upload_parts_running')) === 1,
    )
    const exited = ended()
    const before = log.length
    child.kill('SIGTERM')
    // Two signals that wait together are one to a process.
    await untilRemote('it drains', async () =>
      log.slice(before).some(({ event }) => event.startsWith('stopping')),
    )
    expect(child.exitCode).toBe(null)
    child.kill('SIGTERM')
    expect(await exited).toBe(1)
  })

  test('F17: stopped for ten seconds in a window, it proves the same window', async () => {
    await start()
    // Not in a window's last part: ten seconds of it are taken away.
    await untilRemote('a window has begun and is not proven', async () => {
      const { chain } = await status()
      return !chain.proven && BigInt(chain.deadline) - BigInt(chain.time) > 13n
    })
    const { chain } = await status()
    child.kill('SIGSTOP')
    await new Promise((resolve) => setTimeout(resolve, 10_000))
    child.kill('SIGCONT')
    const of = period(BigInt(chain.period))
    await untilRemote('the window is proven', async () => {
      const { chain: now } = await status()
      return now.proven || now.period !== chain.period
    })
    expect(await ledger.proven(provider, of, period(of + 1n))).toEqual([of])
    await stopHard()
  })

  test('F35: nobody reads the log, and the node goes on', async () => {
    await start(true)
    const { config } = homePaths(home)
    const good = await readFile(config, 'utf8')
    await writeFile(config, '{}')
    // Each refusal is a line of a kilobyte; a pipe holds 64 KiB.
    for (let i = 0; i < 300; i++) await askAdmin(admin, 'reload').catch(() => undefined)
    await writeFile(config, good)
    await askAdmin(admin, 'reload')
    const { status: code } = await client.http({ method: 'GET', path: '/health' })
    expect(code).toBe(200)
    const before = await status()
    await untilRemote('another period is proven', async () => {
      const { books } = await status()
      return books.outcomes.proven > before.books.outcomes.proven
    })
    const exited = ended()
    child.kill('SIGTERM')
    expect(await exited).toBe(0)
    await start()
  })

  test('stake and withdraw move exactly what was asked', async () => {
    expect(await said('stake', '2.5')).toMatchObject({
      code: 0,
      stake: '7500000',
      added: '2500000',
    })
    expect((await ledger.provider(provider))?.stake).toBe(7_500_000n)
    const [token] = devnet.network.tokens
    const vault = await ledger.balance(provider, token?.address ?? provider)
    expect(await said('withdraw', '1')).toMatchObject({
      code: 0,
      withdrawn: '1000000',
      vault: String(vault - 1_000_000n),
    })
  })

  test('exit gives notice, sees the deals to their end and takes everything home', async () => {
    const [token] = devnet.network.tokens
    const owned = async (): Promise<bigint> =>
      (await ledger.tokenBalance(provider, token?.address ?? provider)) +
      (await ledger.balance(provider, token?.address ?? provider)) +
      ((await ledger.provider(provider))?.stake ?? 0n)
    const first = await said('exit')
    expect(first).toMatchObject({ code: 0, done: false, running: 1, accepting: false })
    expect(first['waitsFor']).toMatch(/^1 deals, the last until period \d+/)
    expect((await ledger.provider(provider))?.accepting).toBe(false)
    await untilRemote('the node has read it on chain', async () =>
      (await command(['status', '--home', home])).stdout.includes('takes no new deals'),
    )
    await expect(client.proposal(commitmentOf(payloadOf(1000, 5)))).rejects.toMatchObject({
      detail: { code: 'PROVIDER_STATE', reason: 'its owner takes no new deals' },
    })
    const before = await owned()
    const digest = consentDigest(deal, signingDomain(devnet.network))
    await ledger.closeByConsent(deal, {
      client: await devnet.accounts('publisher').signer.sign(digest),
      operator: await devnet.accounts('provider-1-operator').signer.sign(digest),
    })
    const last = await said('exit', '--wait')
    expect(last).toMatchObject({ code: 0, done: true, running: 0, closing: 0 })
    expect(last['stakeReturned']).toBe('7500000')
    expect((await ledger.provider(provider))?.stake).toBe(0n)
    expect(await ledger.balance(provider, token?.address ?? provider)).toBe(0n)
    // Collateral came back and the last periods were paid: nothing was lost on the way.
    expect(await owned()).toBeGreaterThan(before)
    expect(await said('exit')).toMatchObject({ code: 0, done: true })
    const exited = ended()
    child.kill('SIGTERM')
    expect(await exited).toBe(0)
  }, 600_000)
})
