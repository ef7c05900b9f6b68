/**
 * The storage half of a provider in a process of its own, to be killed: journal, sectors and intake,
 * without network and ledger, so that it starts quickly. Reads from stdin what the parent knows,
 * checks every receipt in it, then goes on with the unfinished uploads, telling each step on stdout.
 */
import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import {
  address,
  bytes,
  commitUploadResponse,
  hash32,
  openUploadRequest,
  type Signer,
  seconds,
  signature,
  silentLogger,
  timestamp,
} from '@holdfast/protocol'
import { Holdings } from '../../src/holdings.ts'
import { homePaths } from '../../src/home.ts'
import { Intake } from '../../src/intake/intake.ts'
import { PromiseBook } from '../../src/journal/promise-book.ts'
import { VolumeSet } from '../../src/store/volume-set.ts'
import type { KilledUpload, KillTask } from './kill-task.ts'
import { commitmentOf, payloadOf } from './payloads.ts'

const [home = ''] = process.argv.slice(2)
const task: KillTask = JSON.parse(await text(process.stdin))
const say = (line: string): void => {
  process.stdout.write(`${line}\n`)
}

const random = { bytes: (n: number) => crypto.getRandomValues(new Uint8Array(n)) }
const clock = { now: () => task.nowMs as never, sleep: () => new Promise<never>(() => undefined) }
const operator: Signer = {
  address: address(task.provider),
  sign: async () => signature(`0x${'11'.repeat(64)}1b`),
}
const prover = {
  commitFile: async (range: { path: string; offset: bigint; length: bigint }) => {
    const file = await readFile(range.path)
    const start = Number(range.offset)
    return commitmentOf(new Uint8Array(file.subarray(start, start + Number(range.length))))
  },
}

const paths = homePaths(home)
const now = timestamp(Math.floor(task.nowMs / 1000))
const book = await PromiseBook.open(paths.journal, now, silentLogger)
const store = await VolumeSet.open(
  { prover, random, logger: silentLogger, clock },
  {
    volumes: [{ directory: paths.volume, capacity: bytes(2 ** 30) }],
    indexes: paths.indexes,
    provider: address(task.provider),
    diskMargin: bytes(0),
    sharedPayloadMax: bytes(2 ** 17),
  },
)
const common = { store, book, logger: silentLogger }
const holdings = new Holdings({ ...common, dealsOf: () => [], onDamage: () => undefined })
const domain = { chainId: 1n, verifyingContract: address(task.provider) }
const intake = new Intake(
  {
    ...common,
    ...{ holdings, operator, clock },
    balanceOf: async () => 1n,
    admit: () => undefined,
    onStored: () => undefined,
  },
  {
    domain,
    rules: () => ({
      domain,
      provider: address(task.provider),
      tlsKeyHash: hash32(task.tlsKeyHash),
      payloadBytesMax: bytes(2 ** 30),
    }),
    limits: () => ({ sessionsPerPayerMax: 100, partsMax: 64 }),
    partBytesMax: bytes(2 ** 24),
    sessionTtl: seconds(86_400),
    tokenKey: new Uint8Array(32).fill(1),
  },
)
await intake.recover()
say('open')

/** The payload is there byte for byte, and the receipt is given again. */
const check = async ({ size, seed, request, receipt }: KilledUpload): Promise<void> => {
  const session = await intake.open(openUploadRequest.decode(Buffer.from(request, 'base64')))
  const again = commitUploadResponse.encode(await intake.commit(session))
  if (Buffer.from(again).toString('base64') !== receipt) throw new Error('another receipt')
  const payload = payloadOf(size, seed)
  const parts: Uint8Array[] = []
  const { root } = commitmentOf(payload)
  for await (const part of holdings.read(root, { start: bytes(0), end: bytes(size) }))
    parts.push(part)
  if (!Buffer.concat(parts).equals(payload)) throw new Error('other bytes')
}

const drive = async ({ id, size, seed, request, durable }: KilledUpload): Promise<void> => {
  const payload = payloadOf(size, seed)
  const session = await intake.open(openUploadRequest.decode(Buffer.from(request, 'base64')))
  for (const end of durable) {
    const kept = session.complete || session.durable.some((range) => range.end >= BigInt(end))
    if (!kept) throw new Error(`bytes up to ${end} are no longer durable`)
  }
  say(`opened ${id}`)
  for (let at = 0; at < size && !session.complete; at += task.partBytes) {
    const end = Math.min(size, at + task.partBytes)
    const part = { start: bytes(at), end: bytes(end), total: bytes(size) }
    const pieces = async function* (): AsyncGenerator<Uint8Array> {
      for (let from = at; from < end; from += 65_536) {
        yield payload.subarray(from, Math.min(end, from + 65_536))
      }
    }
    await intake.putPart(session, part, { bytes: pieces, checkedAtEnd: false })
    say(`durable ${id} ${end}`)
  }
  const receipt = commitUploadResponse.encode(await intake.commit(session))
  say(`receipt ${id} ${Buffer.from(receipt).toString('base64')}`)
}

for (const upload of task.uploads) {
  if (upload.receipt === undefined) continue
  await check(upload)
  say(`checked ${upload.id}`)
}
await Promise.all(task.uploads.filter((u) => u.receipt === undefined).map((u) => drive(u)))
const { reserved } = await store.usage()
say(`done ${reserved}`)
setInterval(() => undefined, 1000)
