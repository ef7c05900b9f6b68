/**
 * The storage half of a provider in a process of its own, to be killed: journal, two volumes, intake,
 * collection and draining, without network and ledger, so that it starts quickly. Reads from stdin what
 * the parent knows, checks every receipt in it, then goes on with the unfinished uploads while it
 * collects what was released and empties a volume, telling each step on stdout. The journal is written
 * anew at every start, sectors are small, so that all of that happens all the time.
 */
import { text } from 'node:stream/consumers'
import { setImmediate } from 'node:timers/promises'
import {
  address,
  bytes,
  type Clock,
  commitUploadResponse,
  hash32,
  milliseconds,
  openUploadRequest,
  period,
  type Root,
  type Signer,
  seconds,
  signature,
  silentLogger,
  timestamp,
} from '@holdfast/protocol'
import { Collector, type CollectorDependencies } from '../../src/gc/collector.ts'
import { Holdings } from '../../src/holdings.ts'
import { homePaths } from '../../src/home.ts'
import { Intake } from '../../src/intake/intake.ts'
import { PromiseBook } from '../../src/journal/promise-book.ts'
import { drainVolume } from '../../src/store/drain.ts'
import { VolumeSet } from '../../src/store/volume-set.ts'
import { type Chore, type KilledUpload, type KillTask, secondVolume } from './kill-task.ts'
import { commitmentOf, payloadOf } from './payloads.ts'
import { slowProver } from './slow-prover.ts'

const [home = ''] = process.argv.slice(2)
const task: KillTask = JSON.parse(await text(process.stdin))
const say = (line: string): void => {
  process.stdout.write(`${line}\n`)
}

/** The node went back on its word: the parent is told. */
const broken = (what: string): never => {
  say(`broken ${what}`)
  return process.exit(1)
}

const random = { bytes: (n: number) => crypto.getRandomValues(new Uint8Array(n)) }
/** Stands still; what only lets others have their turn does not wait. */
const clock: Clock = {
  now: () => milliseconds(task.nowMs),
  sleep: (ms) => (ms === 0 ? setImmediate() : new Promise<never>(() => undefined)),
}
const operator: Signer = {
  address: address(task.provider),
  sign: async () => signature(`0x${'11'.repeat(64)}1b`),
}
const paths = homePaths(home)
const now = timestamp(Math.floor(task.nowMs / 1000))
const book = await PromiseBook.open(paths.journal, now, silentLogger, {
  rewriteBytes: bytes(0),
})
const directories = [paths.volume, secondVolume(paths.volume)]
const store = await VolumeSet.open(
  { prover: slowProver, random, logger: silentLogger, clock },
  {
    volumes: directories.map((directory) => ({ directory, capacity: bytes(2 ** 30) })),
    indexes: paths.indexes,
    provider: address(task.provider),
    diskMargin: bytes(0),
    sharedPayloadMax: bytes(2 ** 17),
    sharedSectorBytes: bytes(2 ** 17),
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

const rootOf = ({ request }: KilledUpload): Root =>
  openUploadRequest.decode(Buffer.from(request, 'base64')).voucher.root

/** The receipt is given again, and the payload is there byte for byte unless it may be gone. */
const check = async (upload: KilledUpload): Promise<void> => {
  const { id, size, seed, request, receipt, released, removed } = upload
  const root = rootOf(upload)
  const present = store.find(root) !== undefined
  if (removed && present) broken(`${id} was removed and is back`)
  if (released && !present) return
  const session = await intake.open(openUploadRequest.decode(Buffer.from(request, 'base64')))
  const again = commitUploadResponse.encode(await intake.commit(session))
  if (Buffer.from(again).toString('base64') !== receipt) broken(`${id}: another receipt`)
  const parts: Uint8Array[] = []
  for await (const part of holdings.read(root, { start: bytes(0), end: bytes(size) }))
    parts.push(part)
  if (!Buffer.concat(parts).equals(payloadOf(size, seed))) broken(`${id}: other bytes`)
}

const drive = async ({ id, size, seed, request, durable }: KilledUpload): Promise<void> => {
  const payload = payloadOf(size, seed)
  const session = await intake.open(openUploadRequest.decode(Buffer.from(request, 'base64')))
  for (const end of durable) {
    const kept = session.complete || session.durable.some((range) => range.end >= BigInt(end))
    if (!kept) broken(`bytes up to ${end} of ${id} are no longer durable`)
  }
  say(`opened ${id}`)
  for (let at = 0; at < size && !session.complete; at += task.partBytes) {
    const end = Math.min(size, at + task.partBytes)
    const part = { start: bytes(at), end: bytes(end), total: bytes(size) }
    // What is one part comes in one piece, and is hashed on its way.
    const step = size <= task.partBytes ? size : 65_536
    const pieces = async function* (): AsyncGenerator<readonly Uint8Array[]> {
      for (let from = at; from < end; from += step) {
        yield [payload.subarray(from, Math.min(end, from + step))]
      }
    }
    await intake.putPart(session, part, { bunches: pieces, checkedAtEnd: false })
    say(`durable ${id} ${end}`)
  }
  const receipt = commitUploadResponse.encode(await intake.commit(session))
  say(`receipt ${id} ${Buffer.from(receipt).toString('base64')}`)
}

/** An upload that its client gives up. */
const giveUp = async (): Promise<void> => {
  const payload = payloadOf(2_000, task.nowMs % 1000)
  await store.reserve('given-up', commitmentOf(payload))
  await store.write('given-up', bytes(0), [payload])
  await store.sync('given-up')
  await store.discard('given-up')
  say('gave-up')
}

const idOf = new Map(task.uploads.map((upload) => [rootOf(upload), upload.id]))

/** Everything that was not released has a deal. What is released goes at once. */
const collect = async (): Promise<void> => {
  const claimed = task.uploads.filter(({ released }) => !released)
  const state = {
    cursor: { timestamp: now },
    finalBefore: () => period(1),
    deals: () =>
      claimed.map((u) => ({ terms: { root: rootOf(u) }, closed: false, end: period(9) })),
    deal: () => undefined,
  }
  const onRemoved = async (root: Root): Promise<void> => say(`removed ${idOf.get(root)}`)
  const parts = { ...common, holdings, follower: { state }, clock, onRemoved }
  const options = { trashTime: seconds(0), graceMs: 0 }
  const collector = new Collector(parts as unknown as CollectorDependencies, options)
  for (let pass = 0; pass < 3; pass++) {
    await collector.pass()
    say(`collected ${pass}`)
  }
}

const drain = async (directory: string): Promise<void> => {
  const { damaged } = await drainVolume({ set: store, holdings, logger: silentLogger }, directory)
  if (damaged.length > 0) broken('a payload is damaged')
  store.list.setDraining(directory, false)
  say('drained')
}

const CHORES: Readonly<Record<Chore, () => Promise<void>>> = {
  collect,
  'drain-a': () => drain(paths.volume),
  'drain-b': () => drain(secondVolume(paths.volume)),
}

const doChores = async (): Promise<void> => {
  await giveUp()
  for (const chore of task.chores) await CHORES[chore]()
}

for (const upload of task.uploads) {
  if (upload.receipt === undefined) continue
  await check(upload).catch((error: unknown) => broken(`${upload.id}: ${error}`))
  say(`checked ${upload.id}`)
}
const uploads = task.uploads.filter((u) => u.receipt === undefined).map((u) => drive(u))
await Promise.all([...uploads, doChores()])
const { reserved } = await store.usage()
say(`done ${reserved}`)
setInterval(() => undefined, 1000)
