/**
 * Thirty times: journal, sectors and intake in a process of their own are killed with SIGKILL at a
 * random step of several uploads. The oracle is what the parent heard before: every receipt must be
 * honoured byte for byte, everything called durable must still be, no reservation may be left over.
 *
 * The seed is printed; `HOLDFAST_KILL_SEED` repeats it, `HOLDFAST_KILLS` sets how many.
 */
import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { systemClock } from '@holdfast/chain'
import { openUploadRequest, timestamp, voucherDigest } from '@holdfast/protocol'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { homePaths } from '../src/home.ts'
import { createVolume } from '../src/store/volume-files.ts'
import { nonce } from './support/client.ts'
import type { KilledUpload, KillTask } from './support/kill-task.ts'
import { ACCOUNTS } from './support/network.ts'
import { commitmentOf, payloadOf } from './support/payloads.ts'

const KILLS = Number(process.env['HOLDFAST_KILLS'] ?? 30)
const SEED = Number(process.env['HOLDFAST_KILL_SEED'] ?? systemClock.now() % 1_000_000)
const CHILD = fileURLToPath(new URL('./support/store-kill-child.js', import.meta.url))
/** A shared record, one of several parts, and a sector of its own. */
const SIZES = [3_000, 100_000, 300_000] as const
const PART_BYTES = 80_000
/** Finished uploads that each life checks again; all of them at the end. */
const CHECKED = 2

const provider = ACCOUNTS.owner.address
const tlsKeyHash = nonce()
const nowMs = systemClock.now()

let state = SEED
const chance = (below: number): number => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0
  return (state >>> 8) % below
}

let home: string
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'holdfast-kill-'))
  await mkdir(homePaths(home).journal)
  await createVolume(homePaths(home).volume, provider)
})
afterAll(async () => {
  await rm(home, { recursive: true, force: true })
})

let uploadsMade = 0
const freshUpload = async (): Promise<KilledUpload> => {
  const id = uploadsMade++
  const size = SIZES[id % SIZES.length] ?? 1
  const seconds = BigInt(Math.floor(nowMs / 1000))
  const voucher = {
    ...commitmentOf(payloadOf(size, id)),
    payer: ACCOUNTS.publisher.address,
    provider,
    tlsKeyHash,
    notBefore: timestamp(seconds - 10n),
    expiry: timestamp(seconds + 3600n),
    nonce: nonce(),
  }
  const domain = { chainId: 1n, verifyingContract: provider }
  const signature = await ACCOUNTS.publisher.sign(voucherDigest(voucher, domain))
  const request = Buffer.from(openUploadRequest.encode({ voucher, signature })).toString('base64')
  return { id, size, seed: id, request, durable: [] }
}

interface LifeOutcome {
  readonly code: number | null
  readonly done: string | undefined
  readonly checked: number
}

/** One life of the process: it is killed when it said `steps` lines, or when it is done. */
const live = async (uploads: readonly KilledUpload[], steps: number): Promise<LifeOutcome> => {
  const task: KillTask = { nowMs, provider, tlsKeyHash, partBytes: PART_BYTES, uploads }
  const child = spawn(process.execPath, [CHILD, home], { stdio: ['pipe', 'pipe', 'inherit'] })
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve))
  child.stdin?.end(JSON.stringify(task))
  let left = steps
  let done: string | undefined
  let checked = 0
  if (child.stdout === null) throw new Error('the child has no stdout')
  for await (const line of createInterface(child.stdout)) {
    const [word = '', id = '', rest = ''] = line.split(' ')
    const upload = uploads.find((known) => known.id === Number(id))
    if (word === 'receipt' && upload !== undefined) upload.receipt = rest
    if (word === 'durable') upload?.durable.push(Number(rest))
    if (word === 'checked') checked++
    else left--
    if (word === 'done') done = id
    if (left <= 0 || done !== undefined) child.kill('SIGKILL')
  }
  return { code: await exited, done, checked }
}

test(`${KILLS} kills during uploads, seed ${SEED}: every receipt is honoured`, async () => {
  const finished: KilledUpload[] = []
  let open = await Promise.all(SIZES.map(freshUpload))
  let cutShort = 0
  for (let kill = 0; kill < KILLS; kill++) {
    const again = finished.slice(-CHECKED).map((upload) => ({ ...upload }))
    const { code, done, checked } = await live([...again, ...open], 1 + chance(15))
    expect(code).toBeNull()
    expect(checked).toBeLessThanOrEqual(again.length)
    if (done === undefined) cutShort++
    finished.push(...open.filter(({ receipt }) => receipt !== undefined))
    open = open.filter(({ receipt }) => receipt === undefined)
    while (open.length < SIZES.length) open.push(await freshUpload())
  }
  const { code, done, checked } = await live([...finished, ...open], Number.MAX_SAFE_INTEGER)
  expect([code, done, checked]).toEqual([null, '0', finished.length])
  expect(cutShort).toBeGreaterThan(KILLS / 4)
  expect(finished.length).toBeGreaterThan(KILLS / 10)
}, 600_000)
