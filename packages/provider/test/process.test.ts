/**
 * The command itself, as a process on the embedded network: `init` twice, `run`, a deal, proofs and
 * pay on real contracts, SIGKILL between a seed and its proof, SIGTERM, and what the commands say.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type Devnet, type Ledger, openEvmLedger, startDevnet, systemClock } from '@holdfast/chain'
import {
  type Address,
  amount,
  type DealId,
  feeOf,
  periods,
  providerService,
  seconds,
  silentLogger,
} from '@holdfast/protocol'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { homePaths } from '../src/home.ts'
import { readTlsIdentity } from '../src/tls.ts'
import { TestClient } from './support/client.ts'
import { COMMAND, command } from './support/command.ts'
import { untilRemote } from './support/network.ts'
import { commitmentOf, payloadOf } from './support/payloads.ts'
import { flipByte } from './support/store.ts'

/** `HOLDFAST_TEST_LOG=1` shows what the node logs. */
const LOG = process.env['HOLDFAST_TEST_LOG'] === '1' ? 'inherit' : 'ignore'

describe('holdfast-provider', () => {
  let folder: string
  let devnet: Devnet
  let ledger: Ledger
  let home: string
  let child: ChildProcess | undefined
  let client: TestClient
  let provider: Address
  let deal: DealId
  const payload = payloadOf(250_000, 8)

  const initFlags = (): string[] => {
    const owner = devnet.accounts('provider-1-owner')
    const operator = devnet.accounts('provider-1-operator')
    return [
      ...['--home', home, '--network', devnet.networkFile, '--region', 'eu', '--price', '2'],
      ...['--proving-fee', '10000'],
      ...['--capacity', '1GiB', '--owner-keystore', owner.keystore],
      ...['--owner-passphrase-file', owner.passphraseFile],
      ...['--operator-keystore', operator.keystore],
      ...['--operator-passphrase-file', operator.passphraseFile],
      ...['--stake', '5', '--collateral-fund', '5000', '--yes', '--json'],
    ]
  }

  const start = async (): Promise<void> => {
    const running = spawn(process.execPath, [COMMAND, 'run', '--home', home], {
      stdio: ['ignore', 'pipe', LOG],
    })
    child = running
    const line = await new Promise<string>((resolve, reject) => {
      running.once('exit', (code) => reject(new Error(`run ended with ${code}`)))
      if (running.stdout !== null) createInterface(running.stdout).once('line', resolve)
    })
    expect(line).toMatch(/^ready \{/)
    const { grpc, http }: { grpc: string; http: string } = JSON.parse(line.slice(6))
    const tls = await readTlsIdentity(homePaths(home).tls)
    const [token] = devnet.network.tokens
    if (token === undefined) throw new Error('the devnet has a token')
    const network = {
      params: devnet.network,
      publisher: devnet.accounts('publisher').signer,
      config: { provider, token: token.address },
      time: (): bigint => BigInt(Math.floor(systemClock.now() / 1000)),
    }
    client = new TestClient({ network, endpoints: { grpc, http }, tls })
  }

  const stop = async (signal: NodeJS.Signals): Promise<number | null> => {
    const running = child
    child = undefined
    client.close()
    if (running === undefined || running.exitCode !== null) return null
    const exited = new Promise<number | null>((resolve) => running.once('exit', resolve))
    running.kill(signal)
    return exited
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'holdfast-process-'))
    home = join(folder, 'provider')
    const ambient = { clock: systemClock, logger: silentLogger }
    devnet = await startDevnet({ stateDir: join(folder, 'net'), period: seconds(10), ...ambient })
    const publisher = devnet.accounts('publisher')
    provider = devnet.accounts('provider-1-owner').address
    const { network } = devnet
    const rpc = network.rpc
    ledger = await openEvmLedger({ network, rpc, signer: publisher.signer, ...ambient })
    const [token] = network.tokens
    if (token !== undefined) await ledger.deposit(token.address, amount(1_000_000_000n))
  })
  afterAll(async () => {
    if (child !== undefined) await stop('SIGKILL')
    await ledger.close()
    await devnet.close()
    await rm(folder, { recursive: true, force: true })
  })

  test('init registers once, keeps its ports and keys, and follows changed flags', async () => {
    const first = await command(['init', ...initFlags()])
    expect(first).toMatchObject({ code: 0 })
    const made = JSON.parse(first.stdout)
    expect(made).toMatchObject({ provider, registration: 'registered' })
    const again = await command(['init', ...initFlags()])
    expect(JSON.parse(again.stdout)).toEqual({ ...made, registration: 'unchanged' })
    const changed = await command(['init', ...initFlags(), '--region', 'us'])
    expect(JSON.parse(changed.stdout)).toEqual({ ...made, registration: 'updated' })
    const sixth = await command(['init', ...initFlags(), '--region', 'us', '--host', '::1'])
    const ports = { grpc: made.grpc.split(':').at(-1), http: made.http.split(':').at(-1) }
    const six = { grpc: `[::1]:${ports.grpc}`, http: `https://[::1]:${ports.http}` }
    expect(JSON.parse(sixth.stdout)).toMatchObject({ ...six, registration: 'updated' })
    expect(await ledger.provider(provider)).toMatchObject({ endpoint: six.grpc })
    const fourth = await command(['init', ...initFlags(), '--region', 'us'])
    expect(JSON.parse(fourth.stdout)).toMatchObject({ ...made, registration: 'updated' })
    const record = await ledger.provider(provider)
    expect(record).toMatchObject({
      region: 'us',
      endpoint: made.grpc,
      tlsKeyHash: made.tlsKeyHash,
      stake: 5_000_000n,
    })
    const key = await stat(join(homePaths(home).tls, 'key.pem'))
    expect(key.mode & 0o777).toBe(0o600)
    const config = await readFile(homePaths(home).config, 'utf8')
    expect(config).not.toMatch(/private|ciphertext/i)
  })

  test('init and run say what is wrong, with their exit codes', async () => {
    const empty = join(folder, 'empty')
    expect((await command(['run', '--home', empty])).code).toBe(1)
    expect((await command(['init', '--home', empty])).code).toBe(2)
    const flags = initFlags().map((flag) => (flag === '10000' ? 'cheap' : flag))
    const bad = await command(['init', ...flags])
    expect(bad.code).toBe(2)
    expect(JSON.parse(bad.stdout).error).toMatchObject({ code: 'USAGE' })
    const declined = await command(['init', ...initFlags().filter((flag) => flag !== '--yes')])
    expect(declined.code).toBe(8)
  })

  test('run stores a payload, opens a deal, proves on the contracts and is paid to the unit', async () => {
    await start()
    // Long enough for the slowest machine: the last test still needs it.
    const opened = await client.deal(payload, periods(1000))
    deal = opened.deal
    const before = await ledger.deal(deal)
    expect(before?.state).toBe('active')
    await untilRemote(
      'a period is paid',
      async () => ((await ledger.deal(deal))?.paid ?? 0n) > 0n,
      90_000,
    )
    const { paid = amount(0) } = (await ledger.deal(deal)) ?? {}
    const earned = await command(['earnings', '--home', home, '--json'])
    const said = JSON.parse(earned.stdout)
    expect(BigInt(said.totals.settled.paid)).toBeGreaterThanOrEqual(paid)
    const [line] = said.deals
    const fee = feeOf(amount(BigInt(line.settled.paid)), devnet.network.feeBps)
    expect([line.deal, BigInt(line.settled.fee)]).toEqual([deal, fee])
    expect(BigInt(line.gas.own)).toBeGreaterThan(0n)
    expect(BigInt(line.gas.proofs)).toBeGreaterThan(0n)
    const deals = await command(['deals', '--home', home, '--json'])
    expect(JSON.parse(deals.stdout).deals).toMatchObject([{ id: deal, state: 'active' }])
  })

  test('a second run on the same home is refused', async () => {
    const second = await command(['run', '--home', home])
    expect(second.code).toBe(1)
    expect(second.stderr).toMatch(/is used by process|in use/i)
  })

  test('killed between a seed and its proof, it still proves the period after a restart', async () => {
    const { address: owner } = devnet.accounts('provider-1-owner')
    await stop('SIGKILL')
    let current = 0n
    const seen = async (): Promise<boolean> => {
      const { timestamp } = await ledger.tip()
      current = (timestamp - devnet.network.genesis) / devnet.network.period
      const [seed, proven] = await Promise.all([
        ledger.seed(current as never),
        ledger.proven(owner, current as never, (current + 1n) as never),
      ])
      return seed !== undefined && proven.length === 0
    }
    await untilRemote('a seed without a proof', seen)
    await start()
    const status = await command(['status', '--home', home, '--json'])
    expect(JSON.parse(status.stdout)).toMatchObject({ running: true, provider })
    await untilRemote('a period at or after it is proven', async () => {
      const proven = await ledger.proven(owner, current as never, (current + 3n) as never)
      return proven.length > 0
    })
    const read = await client.get(commitmentOf(payload).root)
    expect(Buffer.from(read.body).equals(payload)).toBe(true)
  })

  test('SIGTERM drains: a part in flight ends, then the process, with code 0', async () => {
    const other = payloadOf(1_000_000, 9)
    const session = await client.open(client.voucher(commitmentOf(other)))
    const part = client.beginPut(session, other)
    await untilRemote(
      'the part is on its way',
      async () => (await client.metric('holdfast_upload_parts_running')) === 1,
    )
    const running = child
    const stopping = new Promise<number | null>((resolve) => running?.once('exit', resolve))
    running?.kill('SIGTERM')
    await untilRemote('it takes no new calls', () =>
      client.http({ method: 'GET', path: '/health' }).then(
        ({ status }) => status === 503,
        () => true,
      ),
    )
    part.finish()
    expect(await part.status).toBe(200)
    expect(await stopping).toBe(0)
    child = undefined
    client.close()
    const status = await command(['status', '--home', home, '--json'])
    expect(JSON.parse(status.stdout)).toMatchObject({ running: false })
  })

  test("stake, withdraw and exit: the owner's money moves as asked, and is told from strangers'", async () => {
    const owner = devnet.accounts('provider-1-owner')
    const publisher = devnet.accounts('publisher')
    const flags = (by: typeof owner): string[] => [
      ...['--home', home, '--json', '--owner-keystore', by.keystore],
      ...['--owner-passphrase-file', by.passphraseFile],
    ]
    const said = async (args: readonly string[], by = owner): Promise<object> => {
      const { code, stdout } = await command([...args, ...flags(by)])
      return { code, ...JSON.parse(stdout) }
    }
    const added = await said(['stake', '2.5'])
    expect(added).toMatchObject({ code: 0, stake: '7500000', added: '2500000' })
    expect((await ledger.provider(provider))?.stake).toBe(7_500_000n)
    const answers = await Promise.all([
      said(['withdraw', '999999999']),
      said(['stake', 'much']),
      said(['withdraw', 'all'], publisher),
    ])
    expect(answers).toMatchObject([
      { code: 6, error: { code: 'FUNDS_INSUFFICIENT' } },
      { code: 2, error: { code: 'USAGE' } },
      { code: 1, error: { code: 'UNAUTHORIZED' } },
    ])
    expect(await said(['exit'])).toMatchObject({ done: false, running: 1, accepting: false })
    expect((await ledger.provider(provider))?.accepting).toBe(false)
  })

  test('scrub finds nothing, then the one byte that was changed', async () => {
    const good = await command(['scrub', '--home', home, '--json'])
    expect([good.code, JSON.parse(good.stdout).payloads]).toEqual([0, 1])
    const sectors = join(homePaths(home).volume, 'sectors')
    const [file = ''] = await readdir(sectors)
    await flipByte(join(sectors, file), 8192 + 128 + 100_000)
    const bad = await command(['scrub', '--home', home, '--json'])
    expect(bad.code).toBe(7)
    expect(JSON.parse(bad.stdout).error).toMatchObject({
      code: 'PAYLOAD_CORRUPT',
      root: commitmentOf(payload).root,
      leaf: '64',
    })
    await start()
    await untilRemote(
      'the node declares what scrub found',
      async () => (await ledger.deal(deal))?.state === 'faulty',
    )
    const answer = await client.call(providerService.getDeal, { deal })
    expect(answer.fault).toMatch(/^leaf 64: /)
    expect(await stop('SIGTERM')).toBe(0)
  })
})
