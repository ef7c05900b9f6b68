/**
 * The whole provider, over its real interfaces, in its own process, killed with SIGKILL at random
 * moments of several uploads (the short form, on the storage parts alone, is kill.test.ts). Whatever a client has a receipt for must be there afterwards, byte for byte; whatever was
 * said to be durable must still be; and nothing may keep disk that nobody wants.
 *
 * The seed of the moments is printed; `HOLDFAST_KILL_SEED` repeats it, `HOLDFAST_KILLS` sets how many.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { createMemoryChain, systemClock } from '@holdfast/chain'
import {
  type CommitUploadResponse,
  HoldfastError,
  type OpenUploadResponse,
  seconds,
  timestamp,
  type UploadVoucher,
} from '@holdfast/protocol'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { homePaths } from '../src/home.ts'
import type { ProviderEndpoints } from '../src/provider.ts'
import { readTlsIdentity } from '../src/tls.ts'
import { TestClient } from './support/client.ts'
import { ACCOUNTS, PERIOD_SECONDS } from './support/network.ts'
import { commitmentOf, payloadOf } from './support/payloads.ts'

const KILLS = Number(process.env['HOLDFAST_KILLS'] ?? 100)
const SEED = Number(process.env['HOLDFAST_KILL_SEED'] ?? systemClock.now() % 1_000_000)
const CHILD = fileURLToPath(new URL('./support/kill-child.js', import.meta.url))
const GENESIS = BigInt(Math.floor(systemClock.now() / 1000))
/** A shared record, several parts, and a sector of its own. */
const SIZES = [3_000, 200_000, 1_500_000] as const
const PART_BYTES = 500_000

/** The provider went back on its word. */
class BrokenPromise extends Error {}

interface Life {
  readonly child: ChildProcess
  readonly client: TestClient
  readonly exited: Promise<void>
}

interface Upload {
  readonly payload: Uint8Array
  readonly voucher: UploadVoucher
  session?: OpenUploadResponse
  /** What the provider has called durable. */
  durable: readonly (readonly [bigint, bigint])[]
  receipt?: CommitUploadResponse
}

let random = SEED
const chance = (below: number): number => {
  random = (Math.imul(random, 1664525) + 1013904223) >>> 0
  return (random >>> 8) % below
}

let home: string
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'holdfast-kill-'))
})
afterAll(async () => {
  await rm(home, { recursive: true, force: true })
})

const network = {
  params: createMemoryChain({
    genesis: timestamp(GENESIS),
    period: seconds(PERIOD_SECONDS),
    window: seconds(750),
    randomSeed: new Uint8Array(32).fill(7),
  }).network,
  publisher: ACCOUNTS.publisher,
  time: (): bigint => GENESIS,
}
const [token] = network.params.tokens

const start = async (): Promise<Life> => {
  const child = spawn(process.execPath, [CHILD, home, `${GENESIS}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const line = await new Promise<string>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the provider ended with ${code}`)))
    if (child.stdout !== null) createInterface(child.stdout).once('line', resolve)
  })
  const endpoints: ProviderEndpoints = JSON.parse(line.slice('ready '.length))
  const tls = await readTlsIdentity(homePaths(home).tls)
  if (token === undefined) throw new Error('the simulated network has a token')
  const config = { provider: ACCOUNTS.owner.address, token: token.address }
  const client = new TestClient({ network: { ...network, config }, endpoints, tls })
  return { child, client, exited }
}

const kill = async ({ child, client, exited }: Life): Promise<void> => {
  child.kill('SIGKILL')
  await exited
  client.close()
}

/** Drives an upload until it is done or the provider is gone; tells of every answer. */
const drive = async (
  { client }: Life,
  upload: Upload,
  answered: () => void = () => undefined,
): Promise<void> => {
  const { payload, voucher } = upload
  const session = await client.open(voucher)
  upload.session = session
  answered()
  for (const [from, to] of upload.durable) {
    const kept = session.complete || session.durable.some((r) => r.start <= from && to <= r.end)
    if (!kept) throw new BrokenPromise(`durable bytes ${from}..${to} are no longer durable`)
  }
  for (let at = 0; at < payload.length && !session.complete; at += PART_BYTES) {
    const end = Math.min(at + PART_BYTES, payload.length)
    const answer = await client.put(session, payload, { start: at, end })
    if (answer.status !== 200)
      throw new BrokenPromise(`${answer.status} ${Buffer.from(answer.body)}`)
    const said: { durable: [string, string][] } = JSON.parse(Buffer.from(answer.body).toString())
    upload.durable = said.durable.map(([from, to]) => [BigInt(from), BigInt(to)] as const)
    answered()
  }
  upload.receipt = await client.commit(session)
  answered()
}

/** A moment so many answers and then so many milliseconds from now: the same on a busy machine. */
const afterAnswers = (
  count: number,
  thenMs: number,
): { readonly passed: Promise<void>; readonly answered: () => void } => {
  let left = count
  let pass = (): void => undefined
  const passed = new Promise<void>((resolve) => {
    pass = () => setTimeout(resolve, thenMs)
  })
  if (left === 0) pass()
  const answered = (): void => {
    left--
    if (left === 0) pass()
  }
  return { passed, answered }
}

/** A connection that broke is what killing looks like; anything said in our own words is not. */
const isGone = (error: unknown): boolean =>
  !HoldfastError.is(error) && !(error instanceof BrokenPromise)

/** Every receipt is honoured: the payload is there, and the receipt is given again. */
const check = async ({ client }: Life, upload: Upload): Promise<void> => {
  const { receipt, payload, session } = upload
  if (receipt === undefined || session === undefined) return
  const { body, status } = await client.get(receipt.receipt.root)
  expect([status, Buffer.from(body).equals(payload)]).toEqual([200, true])
  expect(await client.commit(session)).toEqual(receipt)
}

test(`${KILLS} kills during uploads, seed ${SEED}: every receipt is honoured`, async () => {
  const uploads: Upload[] = []
  const payloads = SIZES.map((size, i) => payloadOf(size, 1000 + i))
  let life = await start()
  let number = 0
  const fresh = (client: TestClient): Upload => {
    const size = SIZES[number % SIZES.length] ?? 0
    const payload = (payloads[number % SIZES.length] ?? new Uint8Array(size)).slice()
    new DataView(payload.buffer).setUint32(0, number++)
    return { payload, voucher: client.voucher(commitmentOf(payload)), durable: [] }
  }
  let open = SIZES.map(() => fresh(life.client))
  for (let round = 0; round < KILLS; round++) {
    const moment = afterAnswers(chance(13), chance(30))
    const driving = Promise.allSettled(open.map((upload) => drive(life, upload, moment.answered)))
    await Promise.race([moment.passed, driving])
    await kill(life)
    for (const result of await driving) {
      if (result.status === 'rejected' && !isGone(result.reason)) throw result.reason
    }
    uploads.push(...open.filter(({ receipt }) => receipt !== undefined))
    life = await start()
    const unfinished = open.filter(({ receipt }) => receipt === undefined)
    open = [
      ...unfinished,
      ...Array.from({ length: 3 - unfinished.length }, () => fresh(life.client)),
    ]
    const latest = uploads.slice(-2)
    for (const upload of latest) await check(life, upload)
  }
  for (const upload of open) await drive(life, upload)
  for (const upload of [...uploads, ...open]) await check(life, upload)
  const metrics = await life.client.http({ method: 'GET', path: '/metrics' })
  expect(Buffer.from(metrics.body).toString()).toMatch(/^holdfast_store_reserved_bytes 0$/m)
  await kill(life)
  const journal = await readFile(join(homePaths(home).journal, 'journal.log'))
  expect(journal.length).toBeGreaterThan(0)
  expect(uploads.length).toBeGreaterThan(0)
}, 3_600_000)
