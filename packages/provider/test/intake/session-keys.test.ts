/**
 * Session keys: what a grant lets a key do, every way to be refused, bytes that are counted, and nonces
 * that are remembered over restarts.
 */
import { signingDomain, systemClock } from '@holdfast/chain'
import {
  bytes,
  grantDigest,
  type OpenUploadResponse,
  providerService,
  revocationDigest,
  type SessionGrant,
  type SignedGrant,
  type Signer,
  timestamp,
  type UploadVoucher,
  voucherDigest,
  ZERO_ADDRESS,
} from '@holdfast/protocol'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { Promises } from '../../src/journal/promises.ts'
import { nonce } from '../support/client.ts'
import { ACCOUNTS, type RunningProvider, TestNetwork } from '../support/network.ts'
import { commitmentOf, payloadOf } from '../support/payloads.ts'
import { openJournal } from '../support/simulated-journal.ts'

const PAYLOAD = payloadOf(50_000, 31)
const COMMITMENT = commitmentOf(PAYLOAD)
/** The session key of these tests; it has no money and is known to nobody. */
const KEY = ACCOUNTS.stranger

const code = (name: string, reason = ''): object => ({
  detail: { code: name, ...(reason === '' ? {} : { reason: expect.stringContaining(reason) }) },
})

describe('session keys', () => {
  let network: TestNetwork
  let running: RunningProvider

  beforeAll(async () => {
    network = await TestNetwork.create()
    running = await network.start()
  })
  afterAll(async () => {
    await network.close()
  })

  const inSeconds = (offset: number): ReturnType<typeof timestamp> =>
    timestamp(BigInt(Math.floor(systemClock.now() / 1000)) + BigInt(offset))

  const granted = async (
    change: Partial<SessionGrant> = {},
    signer: Signer = network.publisher,
  ): Promise<SignedGrant> => {
    const grant: SessionGrant = {
      payer: network.publisher.address,
      key: KEY.address,
      provider: ZERO_ADDRESS,
      actions: 1,
      bytesMax: bytes(1_000_000),
      notBefore: inSeconds(-10),
      expiry: inSeconds(86_400),
      nonce: nonce(),
      ...change,
    }
    const digest = grantDigest(grant, signingDomain(network.chain.network))
    return { grant, signature: await signer.sign(digest) }
  }

  const open = async (
    voucher: UploadVoucher,
    grant: SignedGrant,
    signer: Signer = KEY,
  ): Promise<OpenUploadResponse> => {
    const digest = voucherDigest(voucher, signingDomain(network.chain.network))
    const signature = await signer.sign(digest)
    return running.client.call(providerService.openUpload, { voucher, signature, grant })
  }
  const voucher = (change: Partial<UploadVoucher> = {}): UploadVoucher =>
    running.client.voucher(COMMITMENT, change)
  const refused = (change: Partial<SessionGrant>, signer?: Signer): Promise<OpenUploadResponse> =>
    granted(change, signer).then((grant) => open(voucher(), grant))

  test('one grant, many vouchers: stored, with receipts that name the payer', async () => {
    const grant = await granted({ provider: network.owner.address })
    for (const seed of [41, 42]) {
      const payload = payloadOf(20_000, seed)
      const session = await open(running.client.voucher(commitmentOf(payload)), grant)
      await running.client.put(session, payload, { start: 0, end: payload.length })
      const { receipt } = await running.client.commit(session)
      expect(receipt.payer).toBe(network.publisher.address)
      const read = await running.client.get(receipt.root)
      expect(Buffer.from(read.body).equals(payload)).toBe(true)
    }
  })

  test('a grant of another account, for another provider, for nothing, or forged lets nobody in', async () => {
    const { stranger, operator } = network
    await expect(refused({ payer: stranger.address }, stranger)).rejects.toMatchObject(
      code('VOUCHER_INVALID', 'its grant is of'),
    )
    await expect(refused({ provider: operator.address })).rejects.toMatchObject(
      code('VOUCHER_INVALID', 'its grant is for provider'),
    )
    await expect(refused({ actions: 2 })).rejects.toMatchObject(code('MESSAGE_INVALID'))
    await expect(refused({}, KEY)).rejects.toMatchObject(code('SIGNATURE_INVALID'))
    const { grant, signature } = await granted()
    const raised = { grant: { ...grant, bytesMax: bytes(2_000_000) }, signature }
    await expect(open(voucher(), raised)).rejects.toMatchObject(code('SIGNATURE_INVALID'))
  })

  test('a voucher must be signed by the key that the grant names, not even by the payer', async () => {
    const grant = await granted()
    await expect(open(voucher(), grant, network.operator)).rejects.toMatchObject(
      code('SIGNATURE_INVALID'),
    )
    await expect(open(voucher(), grant, network.publisher)).rejects.toMatchObject(
      code('SIGNATURE_INVALID'),
    )
    await expect(running.client.open(voucher(), KEY)).rejects.toMatchObject(
      code('SIGNATURE_INVALID'),
    )
  })

  test('before, after and beyond its time it is worth nothing', async () => {
    const early = { notBefore: inSeconds(3600), expiry: inSeconds(7200) }
    await expect(refused(early)).rejects.toMatchObject(code('VOUCHER_INVALID', 'not valid before'))
    await expect(refused({ expiry: inSeconds(40 * 86_400) })).rejects.toMatchObject(
      code('VOUCHER_INVALID', 'more than'),
    )
    await expect(refused({ expiry: inSeconds(1800) })).rejects.toMatchObject(
      code('VOUCHER_INVALID', 'after its grant'),
    )
    const over = await granted({ expiry: inSeconds(-1) })
    const short = voucher({ expiry: inSeconds(-2) })
    await expect(open(short, over)).rejects.toMatchObject(code('VOUCHER_EXPIRED'))
  })

  test('bytes are bounded over all its vouchers, also at once and over a restart; ended sessions give back', async () => {
    const grant = await granted({ bytesMax: bytes(120_000) })
    const results = await Promise.allSettled([1, 2, 3].map(() => open(voucher(), grant)))
    const opened = results.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
    expect(opened).toHaveLength(2)
    expect(results.find(({ status }) => status === 'rejected')).toMatchObject({
      reason: code('VOUCHER_INVALID', 'of which 100000 are used'),
    })
    await running.stop()
    running = await network.start()
    await expect(open(voucher(), grant)).rejects.toMatchObject(
      code('VOUCHER_INVALID', 'of which 100000 are used'),
    )
    const [first] = opened
    if (first === undefined) throw new Error('two sessions were opened')
    await running.client.call(providerService.abortUpload, first)
    const again = await open(voucher(), grant)
    await running.client.put(again, PAYLOAD, { start: 0, end: PAYLOAD.length })
    await running.client.commit(again)
    await expect(open(voucher(), grant)).rejects.toMatchObject(code('VOUCHER_INVALID'))
  })

  test('a spent nonce is refused after a restart, and after the journal was written anew', async () => {
    const grant = await granted()
    const spent = voucher()
    const session = await open(spent, grant)
    await running.client.call(providerService.abortUpload, session)
    await expect(open(spent, grant)).rejects.toMatchObject(code('VOUCHER_REPLAYED'))
    await running.stop()
    running = await network.start()
    await expect(open(spent, grant)).rejects.toMatchObject(code('VOUCHER_REPLAYED'))
    // With another payload and another grant, the nonce stays spent.
    const other = { ...spent, ...commitmentOf(payloadOf(1000, 77)) }
    await expect(open(other, await granted())).rejects.toMatchObject(code('VOUCHER_REPLAYED'))
    await running.stop()
    const { journal, entries } = await openJournal(network.paths.journal)
    const now = inSeconds(0)
    await journal.rewrite([...Promises.of(entries).entriesToKeep(now)])
    await journal.close()
    running = await network.start()
    await expect(open(spent, grant)).rejects.toMatchObject(code('VOUCHER_REPLAYED'))
  })

  const revoke = async (grant: SignedGrant, signer: Signer = network.publisher): Promise<void> => {
    const { payer, nonce: name, expiry } = grant.grant
    const revocation = { payer, nonce: name, expiry }
    const digest = revocationDigest(revocation, signingDomain(network.chain.network))
    const signature = await signer.sign(digest)
    await running.client.call(providerService.revokeGrant, { revocation, signature })
  }
  const revoked = code('VOUCHER_INVALID', 'revoked')

  test('a grant that its payer takes back is worth nothing, also after restarts and rewriting', async () => {
    const [grant, other] = [await granted(), await granted()]
    const kept = await open(running.client.voucher(commitmentOf(payloadOf(9000, 91))), grant)
    await running.client.put(kept, payloadOf(9000, 91), { start: 0, end: 9000 })
    const { receipt } = await running.client.commit(kept)
    const mine = voucher()
    const session = await open(mine, grant)
    await revoke(grant)
    // What was promised stays; what was being uploaded ends; the session's own voucher is no way back.
    expect((await running.client.commit(kept)).receipt).toEqual(receipt)
    await expect(running.client.commit(session)).rejects.toMatchObject(code('SESSION_NOT_FOUND'))
    await expect(open(mine, grant)).rejects.toMatchObject(revoked)
    await expect(open(voucher(), grant)).rejects.toMatchObject(revoked)
    await revoke(grant)
    await running.stop()
    const { journal, entries } = await openJournal(network.paths.journal)
    await journal.rewrite([...Promises.of(entries).entriesToKeep(inSeconds(0))])
    await journal.close()
    running = await network.start()
    await expect(open(voucher(), grant)).rejects.toMatchObject(revoked)
    await open(voucher(), other)
  })

  test('an upload that is opened while its grant is taken back does not stay open', async () => {
    const grant = await granted()
    const opening = [1, 2, 3].map(() => open(voucher(), grant))
    await Promise.all([revoke(grant), Promise.allSettled(opening)])
    for (const one of await Promise.allSettled(opening)) {
      if (one.status === 'rejected') expect(one.reason).toMatchObject(revoked)
      else {
        const ended = running.client.commit(one.value)
        await expect(ended).rejects.toMatchObject(code('SESSION_NOT_FOUND'))
      }
    }
  })

  test('only the payer takes a grant back, and only one that may still be used', async () => {
    const grant = await granted()
    for (const signer of [KEY, network.owner]) {
      await expect(revoke(grant, signer)).rejects.toMatchObject(code('SIGNATURE_INVALID'))
    }
    const over = await granted({ expiry: inSeconds(-1) })
    await expect(revoke(over)).rejects.toMatchObject(code('VOUCHER_EXPIRED'))
    const far = await granted({ expiry: inSeconds(40 * 86_400) })
    await expect(revoke(far)).rejects.toMatchObject(code('VOUCHER_INVALID', 'no grant may expire'))
    // Without money nobody writes into the journal.
    const poor = await granted({ payer: KEY.address }, KEY)
    await expect(revoke(poor, KEY)).rejects.toMatchObject(code('CLIENT_UNKNOWN'))
    await open(voucher(), grant)
  })
})
