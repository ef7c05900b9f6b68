/**
 * Taking session keys back: what is signed is in the book before it is used, every provider is told,
 * one that is away is told the next time, and publishing goes on with another key.
 */
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { systemClock, systemRandom } from '@holdfast/chain'
import { HoldfastError, periods, timestamp } from '@holdfast/protocol'
import { openProver, type Prover } from '@holdfast/prover'
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { GrantBook, type KeptGrant } from '../../src/publish/grant-book.ts'
import { publish } from '../../src/publish.ts'
import { revokeGrant, type Told } from '../../src/revoke-grant.ts'
import { seeded, temporary } from '../support.ts'
import { FakeNetwork } from './fake-network.ts'

const clock = { now: systemClock.now, sleep: async () => undefined }
const NOW = timestamp(Math.floor(systemClock.now() / 1000))

let prover: Prover
let path: string
let network: FakeNetwork
let home: string
let book: GrantBook

beforeAll(async () => {
  prover = await openProver({ threads: 1 })
  path = join(await temporary(), 'source')
  await mkdir(path)
  await writeFile(join(path, 'file'), seeded('grants', 100_000))
})
afterAll(() => prover.close())

beforeEach(async () => {
  network = await FakeNetwork.create(2)
  home = await temporary()
  book = new GrantBook(home, network.chain.network)
})

const run = async (): Promise<number> => {
  const { ledger, publisher: signer, connect, token } = network
  const ambient = { prover, clock, random: systemRandom, home }
  const wishes = { periods: periods(100), token, region: '', maxPrice: undefined }
  const request = { path, replicas: 2, pack: {}, ...wishes }
  return (await publish({ ledger, signer, connect, ...ambient }, request)).deals.length
}

const revoke = async (grant: KeptGrant): Promise<readonly Told[]> => {
  const { ledger, publisher: signer, connect } = network
  const told = await revokeGrant({ ledger, signer, connect }, grant)
  await book.noteRevoked(grant, told, NOW)
  return told
}

/** Publishes until the first part would be sent. */
const interrupted = async (): Promise<KeptGrant> => {
  network.gate = (call) => {
    if (call === 'putPart') throw new Error('the line is cut')
  }
  await run().catch(() => undefined)
  const kept = await book.list(NOW)
  network.gate = () => undefined
  const [grant] = kept
  if (grant === undefined) throw new Error('a grant was signed')
  expect(kept).toHaveLength(1)
  return grant
}

test('a grant is in the book before its key signs, and without any secret', async () => {
  network.gate = (call) => {
    if (call === 'openUpload') throw new Error('cut')
  }
  await run().catch(() => undefined)
  const seen = await readdir(join(home, 'grants'))
  const [kept] = await book.list(NOW)
  expect(seen).toEqual([`${kept?.nonce.slice(2)}.json`])
  expect(kept).toMatchObject({ payer: network.publisher.address, revokedAt: undefined })
})

test('every provider is told, and a run that goes on takes another key', async () => {
  const grant = await interrupted()
  expect((await revoke(grant)).map(({ error }) => error)).toEqual([undefined, undefined])
  for (const { revoked } of network.providers) expect([...revoked]).toEqual([grant.nonce])
  expect(await book.list(NOW)).toEqual([{ ...grant, revokedAt: NOW, untold: [] }])
  expect(await run()).toBe(2)
  const now = await book.list(NOW)
  expect(now.map(({ revokedAt }) => revokedAt).sort()).toEqual([NOW, undefined])
})

test('one that is away keeps nobody else from being told, and is told the next time', async () => {
  const grant = await interrupted()
  const [near, far] = network.providers
  if (near === undefined || far === undefined) throw new Error('there are two providers')
  far.down = true
  const told = await revoke(grant)
  const codes = new Map(told.map(({ provider, error }) => [provider, error?.code]))
  expect(codes.get(near.provider)).toBeUndefined()
  expect(codes.get(far.provider)).toBe('PEER_UNREACHABLE')
  expect((await book.list(NOW))[0]?.untold).toEqual([far.provider])
  far.down = false
  await revoke(grant)
  expect((await book.list(NOW))[0]?.untold).toEqual([])
  expect([...far.revoked]).toEqual([grant.nonce])
})

test('a grant for one provider is told to that one alone', async () => {
  const grant = await interrupted()
  const [near, far] = network.providers
  if (near === undefined || far === undefined) throw new Error('there are two providers')
  await revoke({ ...grant, provider: near.provider })
  expect([near.revoked.size, far.revoked.size]).toEqual([1, 0])
  const gone = revoke({ ...grant, provider: network.publisher.address })
  await expect(gone).rejects.toMatchObject({ code: 'PROVIDER_NOT_FOUND' })
})

test('what has expired is forgotten, what is damaged is named, other networks have books of their own', async () => {
  const grant = await interrupted()
  const other = new GrantBook(home, { ...network.chain.network, chainId: 5n })
  expect(await other.list(NOW)).toEqual([])
  await other.noteRevoked(grant, [], NOW)
  expect((await book.list(NOW))[0]?.revokedAt).toBeUndefined()
  const file = join(home, 'grants', `${'ab'.repeat(32)}.json`)
  await writeFile(file, '{"format":"holdfast-grant/1"')
  const refused = await book.list(NOW).catch((error: unknown) => error)
  expect(HoldfastError.is(refused, 'CONFIG_INVALID') && refused.message).toContain(file)
  await writeFile(join(home, 'grants', 'notes.txt'), 'left alone')
  await rm(file)
  expect(await book.list(timestamp(grant.expiry))).toEqual([])
  expect(await readdir(join(home, 'grants'))).toEqual(['notes.txt'])
})
