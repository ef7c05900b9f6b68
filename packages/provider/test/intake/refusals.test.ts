/** Every way to be refused an upload, over the real interfaces, and that no space stays taken. */

import { systemClock } from '@holdfast/chain'
import {
  address,
  bytes,
  type Commitment,
  providerService,
  timestamp,
  ZERO_HASH,
} from '@holdfast/protocol'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { nonce, type TestClient } from '../support/client.ts'
import { codeOf } from '../support/http-client.ts'
import { type RunningProvider, TestNetwork } from '../support/network.ts'
import { commitmentOf, payloadOf } from '../support/payloads.ts'

const PAYLOAD = payloadOf(200_000)
const COMMITMENT = commitmentOf(PAYLOAD)

const code = (name: string): object => ({ detail: { code: name } })

describe('uploads are refused', () => {
  let network: TestNetwork
  let running: RunningProvider
  let client: TestClient
  const inSeconds = (offset: number): ReturnType<typeof timestamp> =>
    timestamp(BigInt(Math.floor(systemClock.now() / 1000)) + BigInt(offset))

  beforeAll(async () => {
    network = await TestNetwork.create({ capacity: bytes(64 * 2 ** 20) })
    running = await network.start()
    client = running.client
  })
  afterAll(async () => {
    await network.close()
  })
  afterEach(async () => {
    const usage = await running.provider.parts.store.usage()
    expect(usage.reserved).toBe(0n)
  })

  test('for another provider', async () => {
    const provider = network.stranger.address
    await expect(client.open(client.voucher(COMMITMENT, { provider }))).rejects.toMatchObject(
      code('VOUCHER_INVALID'),
    )
  })

  test('for another TLS key', async () => {
    const tlsKeyHash = nonce()
    await expect(client.open(client.voucher(COMMITMENT, { tlsKeyHash }))).rejects.toMatchObject(
      code('VOUCHER_INVALID'),
    )
  })

  test('when somebody else signed', async () => {
    await expect(client.open(client.voucher(COMMITMENT), network.stranger)).rejects.toMatchObject(
      code('SIGNATURE_INVALID'),
    )
  })

  test('for another network', async () => {
    const voucher = client.voucher(COMMITMENT)
    const domain = { chainId: 1n, verifyingContract: network.chain.network.contracts.market }
    const { voucherDigest } = await import('@holdfast/protocol')
    const signature = await network.publisher.sign(voucherDigest(voucher, domain))
    await expect(
      client.call(providerService.openUpload, { voucher, signature }),
    ).rejects.toMatchObject(code('SIGNATURE_INVALID'))
  })

  test('with an expired voucher', async () => {
    const expiry = inSeconds(-1)
    await expect(client.open(client.voucher(COMMITMENT, { expiry }))).rejects.toMatchObject(
      code('VOUCHER_EXPIRED'),
    )
  })

  test('with a voucher that is not valid yet, or valid for too long', async () => {
    const early = { notBefore: inSeconds(3600), expiry: inSeconds(7200) }
    await expect(client.open(client.voucher(COMMITMENT, early))).rejects.toMatchObject(
      code('VOUCHER_INVALID'),
    )
    const long = { expiry: inSeconds(7 * 86_400) }
    await expect(client.open(client.voucher(COMMITMENT, long))).rejects.toMatchObject(
      code('VOUCHER_INVALID'),
    )
  })

  test('to a client without money in the vault', async () => {
    const payer = network.stranger.address
    await expect(
      client.open(client.voucher(COMMITMENT, { payer }), network.stranger),
    ).rejects.toMatchObject(code('CLIENT_UNKNOWN'))
  })

  test('above the largest payload', async () => {
    const large: Commitment = { ...COMMITMENT, length: bytes(2n ** 40n) }
    await expect(client.open(client.voucher(large))).rejects.toMatchObject(
      code('PAYLOAD_TOO_LARGE'),
    )
  })

  test('above the free capacity, before any byte', async () => {
    const large: Commitment = { ...COMMITMENT, length: bytes(65 * 2 ** 20) }
    await expect(client.open(client.voucher(large))).rejects.toMatchObject(code('DISK_FULL'))
  })

  test('when the nonce was spent on another payload', async () => {
    const voucher = client.voucher(COMMITMENT)
    const session = await client.open(voucher)
    const other = commitmentOf(payloadOf(1000, 9))
    await expect(client.open({ ...voucher, ...other })).rejects.toMatchObject(
      code('VOUCHER_REPLAYED'),
    )
    await client.call(providerService.abortUpload, session)
    await expect(client.open(voucher)).rejects.toMatchObject(code('VOUCHER_REPLAYED'))
  })

  test('when the bytes have another root: the session is gone, the voucher spent', async () => {
    const voucher = client.voucher(COMMITMENT)
    const session = await client.open(voucher)
    const wrong = payloadOf(PAYLOAD.length, 5)
    await client.put(session, wrong, { start: 0, end: wrong.length })
    await expect(client.commit(session)).rejects.toMatchObject(code('ROOT_MISMATCH'))
    await expect(client.commit(session)).rejects.toMatchObject(code('SESSION_NOT_FOUND'))
    await expect(client.open(voucher)).rejects.toMatchObject(code('VOUCHER_REPLAYED'))
  })

  test('when bytes are missing; the session stays and can be completed', async () => {
    const payload = payloadOf(150_000, 21)
    const session = await client.open(client.voucher(commitmentOf(payload)))
    await client.put(session, payload, { start: 0, end: 100_000 })
    await expect(client.commit(session)).rejects.toMatchObject({
      detail: { code: 'UPLOAD_INCOMPLETE', expected: 150_000n, actual: 100_000n },
    })
    await client.put(session, payload, { start: 100_000, end: 150_000 })
    const first = await client.commit(session)
    expect(await client.commit(session)).toEqual(first)
  })

  test('part by part: wrong token, size, range, length, encoding', async () => {
    const session = await client.open(client.voucher(COMMITMENT))
    const part = { start: 0, end: 1000 }
    const answers = [
      await client.put({ ...session, token: 'x' }, PAYLOAD, part),
      await client.put({ ...session, session: 'unknown' }, PAYLOAD, part),
      await client.put(session, PAYLOAD.subarray(0, 5000), part),
      await client.put(session, PAYLOAD, part, { 'content-range': 'bytes 0-10/200000' }),
      await client.put(session, PAYLOAD, part, { 'content-range': 'bytes 199001-200000/200000' }),
      await client.put(session, PAYLOAD, part, { 'content-range': 'bytes 5-4/200000' }),
      await client.put(session, PAYLOAD, part, { 'content-encoding': 'gzip' }),
      await client.put(session, PAYLOAD, part, { authorization: 'Basic x' }),
    ]
    expect(answers.map((answer) => `${answer.status} ${codeOf(answer)}`)).toEqual([
      '401 UNAUTHORIZED',
      '404 SESSION_NOT_FOUND',
      '400 RANGE_INVALID',
      '400 RANGE_INVALID',
      '400 RANGE_INVALID',
      '400 RANGE_INVALID',
      '415 ENCODING_REFUSED',
      '401 UNAUTHORIZED',
    ])
    await client.call(providerService.abortUpload, session)
  })

  test('as bytes that are no message', async () => {
    const { path } = providerService.openUpload
    await expect(client.callBytes(path, new Uint8Array(300).fill(255))).rejects.toMatchObject(
      code('MESSAGE_INVALID'),
    )
    await expect(client.callBytes(path, new Uint8Array(0))).rejects.toMatchObject(
      code('MESSAGE_INVALID'),
    )
    await expect(client.callBytes(path, new Uint8Array(2 ** 21))).rejects.toThrow(
      /RESOURCE_EXHAUSTED/,
    )
  })

  test('but the same voucher returns the same session, with what is durable', async () => {
    const payload = payloadOf(50_000, 33)
    const voucher = client.voucher(commitmentOf(payload))
    const first = await client.open(voucher)
    await client.put(first, payload, { start: 10_000, end: 20_000 })
    const again = await client.open(voucher)
    expect(again).toMatchObject({ session: first.session, token: first.token, complete: false })
    expect(again.durable).toEqual([{ start: 10_000n, end: 20_000n }])
    const repeated = await client.put(again, payload, { start: 12_000, end: 18_000 })
    expect(repeated.status).toBe(200)
    await client.put(again, payload, { start: 0, end: 50_000 })
    await client.commit(again)
  })

  test('but a payload held already needs no bytes', async () => {
    const payload = payloadOf(40_000, 44)
    await client.upload(payload)
    const session = await client.open(client.voucher(commitmentOf(payload)))
    expect(session.complete).toBe(true)
    expect((await client.commit(session)).receipt.root).toBe(commitmentOf(payload).root)
  })

  test('deals: for what is not held, on changed terms, without money, on a foreign quote', async () => {
    const unknown = commitmentOf(payloadOf(7000, 50))
    await expect(client.propose(await client.proposal(unknown))).rejects.toMatchObject(
      code('PAYLOAD_NOT_FOUND'),
    )
    const payload = payloadOf(60_000, 51)
    await client.upload(payload)
    const held = commitmentOf(payload)
    const good = await client.proposal(held)
    const { rate, deposit } = good.terms
    const cheaper = await client.proposal(held, { rate: (rate - 1n) as typeof rate })
    await expect(client.propose(cheaper)).rejects.toMatchObject({
      detail: { code: 'TERMS_INVALID', field: 'rate' },
    })
    const poor = await client.proposal(held, { deposit: (10n ** 30n) as typeof deposit })
    await expect(client.propose(poor)).rejects.toMatchObject(code('FUNDS_INSUFFICIENT'))
    const late = await client.proposal(held, { openBefore: inSeconds(-5) })
    await expect(client.propose(late)).rejects.toMatchObject({
      detail: { code: 'TERMS_INVALID', field: 'openBefore' },
    })
    const quoteSignature = await network.stranger.sign(ZERO_HASH)
    await expect(client.propose({ ...good, quoteSignature })).rejects.toMatchObject(
      code('SIGNATURE_INVALID'),
    )
    const clientSignature = await network.stranger.sign(ZERO_HASH)
    await expect(client.propose({ ...good, clientSignature })).rejects.toMatchObject(
      code('SIGNATURE_INVALID'),
    )
    const first = await client.propose(good)
    expect(await client.propose(good)).toEqual(first)
  })

  test('quotes: in a token it does not take', async () => {
    const token = address(`0x${'99'.repeat(20)}`)
    const request = { length: bytes(1000), periods: 5n as never, token }
    await expect(client.call(providerService.quote, request)).rejects.toMatchObject({
      detail: { code: 'TERMS_INVALID', field: 'token' },
    })
  })
})
