/**
 * What changes while the node serves: certificate (fault F32) and configuration (fault F34). Good ones
 * are taken, bad ones leave everything as it was and are reported.
 */
import { X509Certificate } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { systemClock } from '@holdfast/chain'
import { amount, type Clock, milliseconds, providerService } from '@holdfast/protocol'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { askAdmin } from '../src/admin/client.ts'
import { writeConfig } from '../src/config.ts'
import { LIMITS_DEFAULT } from '../src/limits/limits.ts'
import { createTlsIdentity, readTlsIdentity } from '../src/tls.ts'
import { TlsKeeper } from '../src/tls-keeper.ts'
import {
  type LogLine,
  type RunningProvider,
  recordingLogger,
  TestNetwork,
} from './support/network.ts'

/** Test networks listen where there is room; a file must say where. */
const PORTS = { grpcPort: 1, httpPort: 2 } as const
const DAY_MS = 86_400_000

/** The certificate that a new connection is shown. */
const shownAt = (port: number, protocols: string[]): Promise<string> =>
  new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, rejectUnauthorized: false, ALPNProtocols: protocols }
    const socket = connect(options, () => {
      resolve(socket.getPeerX509Certificate()?.fingerprint256 ?? '')
      socket.destroy()
    })
    socket.on('error', reject)
  })

const portOf = (endpoint: string): number => Number(endpoint.split(':').at(-1))

describe('a node whose certificate is exchanged (F32)', () => {
  let network: TestNetwork
  let running: RunningProvider

  beforeAll(async () => {
    network = await TestNetwork.create()
    running = await network.start()
  })

  afterAll(() => network.close())

  test('shows a renewed certificate on both listeners, for the same key, and keeps old connections', async () => {
    const { endpoints, client } = running
    const { admin, tls } = network.paths
    const before = await readTlsIdentity(tls)
    await client.call(providerService.describe, {})
    await askAdmin(admin, 'tls/renew')
    const after = await readTlsIdentity(tls)
    expect(after.keyHash).toBe(before.keyHash)
    expect(after.certPem).not.toBe(before.certPem)
    const { fingerprint256 } = new X509Certificate(after.certPem)
    expect(await shownAt(portOf(endpoints.http), ['http/1.1'])).toBe(fingerprint256)
    expect(await shownAt(portOf(endpoints.grpc), ['h2'])).toBe(fingerprint256)
    await client.call(providerService.describe, {})
  })

  test('keeps its certificate when the files hold another key, or none', async () => {
    const { endpoints } = running
    const { admin, tls } = network.paths
    await writeConfig(network.paths.config, { ...network.config, ...PORTS })
    const shown = await shownAt(portOf(endpoints.http), ['http/1.1'])
    const files = [join(tls, 'key.pem'), join(tls, 'cert.pem')] as const
    const kept = await Promise.all(files.map((file) => readFile(file)))
    await createTlsIdentity(tls, '127.0.0.1', new Date(systemClock.now()))
    await expect(askAdmin(admin, 'reload')).rejects.toMatchObject({ code: 'TLS_KEY_MISMATCH' })
    await writeFile(files[1], 'not a certificate')
    await expect(askAdmin(admin, 'reload')).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    await running.provider.parts.tls.look()
    expect(await askAdmin(admin, 'status')).toMatchObject({
      certificate: { problem: expect.any(String) },
    })
    expect(await shownAt(portOf(endpoints.http), ['http/1.1'])).toBe(shown)
    for (const [i, file] of files.entries()) await writeFile(file, kept[i] ?? '')
    expect(await askAdmin(admin, 'reload')).toMatchObject({ certificate: 'as before' })
  })
})

describe('a node whose configuration is edited (F34)', () => {
  let network: TestNetwork
  let running: RunningProvider

  beforeAll(async () => {
    network = await TestNetwork.create()
    running = await network.start()
  })

  afterAll(() => network.close())

  test('takes new prices and limits at once, names what waits for a restart', async () => {
    const { admin, config } = network.paths
    const changed = {
      ...network.config,
      ...PORTS,
      pricePerTibMonth: amount(7_000_000_000_000n),
      region: 'elsewhere',
      limits: { ...LIMITS_DEFAULT, readsMax: 3 },
    }
    await writeConfig(config, changed)
    expect(await askAdmin(admin, 'reload')).toMatchObject({
      changed: ['pricePerTibMonth', 'limits'],
      needRestart: expect.arrayContaining(['region']),
    })
    const described = await running.client.call(providerService.describe, {})
    expect(described.pricePerTibMonth).toBe(7_000_000_000_000n)
    expect(described.region).toBe('nowhere')
    expect(running.provider.parts.live.limits.readsMax).toBe(3)
  })

  test.each([
    ['no JSON', '{'],
    ['a negative price', '{"version":1,"pricePerTibMonth":"-1"}'],
    ['an unknown limit', undefined],
  ])('keeps its configuration when the file is bad: %s', async (_what, text) => {
    const { admin, config } = network.paths
    const before = await running.client.call(providerService.describe, {})
    if (text !== undefined) await writeFile(config, text)
    else {
      const limits = { nonsense: 1 } as unknown as typeof LIMITS_DEFAULT
      await writeConfig(config, { ...network.config, ...PORTS, limits })
    }
    await expect(askAdmin(admin, 'reload')).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    const after = await running.client.call(providerService.describe, {})
    expect({ ...after, freeBytes: 0 }).toEqual({ ...before, freeBytes: 0 })
    expect(await askAdmin(admin, 'status')).toMatchObject({ configProblem: expect.any(String) })
    expect(await running.client.metric('holdfast_config_refused')).toBe(1)
  })
})

describe('a certificate that grows old (F32)', () => {
  let directory: string
  const log: LogLine[] = []

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'holdfast-tls-'))
  })

  afterAll(() => rm(directory, { recursive: true, force: true }))

  test('is warned of once a day, and renewed by itself in the last week', async () => {
    const born = new Date(systemClock.now())
    const { keyHash } = await createTlsIdentity(directory, '127.0.0.1', born)
    let now = born.getTime()
    const clock: Clock = { now: () => milliseconds(now), sleep: () => new Promise(() => undefined) }
    const logger = recordingLogger(log)
    const keeper = await TlsKeeper.open({ clock, logger }, { directory, host: '127.0.0.1' })
    const heard: string[] = []
    keeper.onChange(({ certPem }) => heard.push(certPem))
    await keeper.look()
    expect(log).toEqual([])
    now += (keeper.daysLeft - 20) * DAY_MS
    await keeper.look()
    await keeper.look()
    now += DAY_MS
    await keeper.look()
    const warned = log.filter(({ event }) => event === 'certificate expires soon')
    expect(warned.map(({ fields }) => fields['days_left'])).toEqual([20, 19])
    now += 15 * DAY_MS
    await keeper.look()
    expect(keeper.daysLeft).toBeGreaterThan(3000)
    expect(keeper.current.keyHash).toBe(keyHash)
    expect(heard).toEqual([keeper.current.certPem])
  })
})
