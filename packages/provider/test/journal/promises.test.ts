/** Entries and what they add up to, before and after the journal is written anew. */
import { signerFromPrivateKey } from '@holdfast/chain'
import {
  address,
  bytes,
  type CommitUploadResponse,
  hash32,
  leafIndex,
  type OpenUploadRequest,
  period,
  root,
  timestamp,
  ZERO_HASH,
} from '@holdfast/protocol'
import { describe, expect, test } from '@jest/globals'
import { decodeEntry, type Entry, encodeEntry } from '../../src/journal/entries.ts'
import { grantName, Promises } from '../../src/journal/promises.ts'

const signer = signerFromPrivateKey(new Uint8Array(32).fill(3))
const signature = await signer.sign(ZERO_HASH)
const commitment = { scheme: 1, root: root(`0x${'07'.repeat(32)}`), length: bytes(5000) } as const
const party = address(`0x${'01'.repeat(20)}`)

const request = (nonce: number, expiry = 1000): OpenUploadRequest => ({
  voucher: {
    ...commitment,
    payer: party,
    provider: party,
    tlsKeyHash: ZERO_HASH,
    notBefore: timestamp(0),
    expiry: timestamp(expiry),
    nonce: hash32(`0x${nonce.toString(16).padStart(64, '0')}`),
  },
  signature,
})

const receipt = (nonce: number): CommitUploadResponse => ({
  receipt: {
    ...commitment,
    provider: party,
    payer: party,
    voucherNonce: request(nonce).voucher.nonce,
    storedAt: timestamp(9),
  },
  signature,
})

const opened = (session: string, nonce: number, expiry?: number): Entry => ({
  kind: 'session-opened',
  session,
  request: request(nonce, expiry),
  expiry: timestamp(2000),
})

const ENTRIES: readonly Entry[] = [
  { kind: 'checkpoint', head: ZERO_HASH, batch: 7n },
  { kind: 'checkpoint-whole', entries: 0n },
  { kind: 'started', at: timestamp(1) },
  { kind: 'grant-revoked', payer: party, nonce: ZERO_HASH, expiry: timestamp(700) },
  opened('a', 1),
  { kind: 'range-durable', session: 'a', start: bytes(10), end: bytes(20) },
  { kind: 'range-durable', session: 'a', start: bytes(0), end: bytes(10) },
  opened('b', 2),
  { kind: 'session-ended', session: 'b', end: 'aborted' },
  opened('c', 3),
  { kind: 'receipt', session: 'c', receipt: receipt(3) },
  { kind: 'damage-found', root: commitment.root, leaf: leafIndex(4), what: 'rot' },
  { kind: 'proof-sending', period: period(7) },
  { kind: 'proof-sent', period: period(7), transaction: ZERO_HASH },
  { kind: 'proof-sending', period: period(8) },
]

const account = signer.address
const OUTBOX_ENTRIES: readonly Entry[] = [
  {
    ...{ kind: 'tx-intended', account, intent: ZERO_HASH, name: 'prove 7', lane: 'proofs' },
    ...{ since: timestamp(5), deadline: timestamp(9), gasBudget: 10n ** 24n },
  },
  {
    ...{ kind: 'tx-intended', account, intent: ZERO_HASH, name: 'settle', lane: 'ledger' },
    ...{ since: timestamp(5), deadline: undefined, gasBudget: undefined },
  },
  {
    ...{ kind: 'tx-signed', account, intent: ZERO_HASH, nonce: 3, hash: ZERO_HASH },
    ...{ raw: '0x02ff', cancels: false },
  },
  { kind: 'tx-abandoned', account, intent: ZERO_HASH, reason: 'refused' },
  {
    ...{ kind: 'tx-settled', account, nonce: 3, outcome: 'foreign', hash: undefined },
    ...{ blockNumber: 7n, blockHash: ZERO_HASH },
  },
  { kind: 'tx-reopened', account, nonce: 3, pooled: true },
  { kind: 'tx-forgotten', account, nonce: 3 },
]

describe('promises', () => {
  test('every kind of entry survives its text form', () => {
    const all = [...ENTRIES, ...OUTBOX_ENTRIES]
    for (const entry of all) expect(decodeEntry(encodeEntry(entry))).toEqual(entry)
  })

  test('add up to sessions, receipts and damage', () => {
    const promises = Promises.of(ENTRIES)
    expect(promises.sessions.get('a')?.durable).toEqual([{ start: 0n, end: 20n }])
    expect(promises.sessions.get('b')?.end).toBe('aborted')
    expect(promises.sessions.get('c')?.receipt).toEqual(receipt(3))
    expect(promises.sessionOfNonce(request(2).voucher.nonce)?.session).toBe('b')
    expect(promises.damages.get(commitment.root)?.leaf).toBe(4n)
    expect([...promises.proofs]).toEqual([
      [7n, ZERO_HASH],
      [8n, undefined],
    ])
  })

  test('are the same after they were written anew', () => {
    const promises = Promises.of(ENTRIES)
    const again = Promises.of(promises.entriesToKeep(timestamp(500)))
    expect([...again.sessions]).toEqual([...promises.sessions])
    expect([...again.revoked]).toEqual([...promises.revoked])
    expect(Promises.of(promises.entriesToKeep(timestamp(701))).revoked.size).toBe(0)
    expect([...again.damages]).toEqual([...promises.damages])
    expect([...again.proofs]).toEqual([...promises.proofs])
  })

  test('forget an ended session only when its voucher has expired', () => {
    const promises = Promises.of(ENTRIES)
    const later = Promises.of(promises.entriesToKeep(timestamp(1001)))
    expect(later.sessions.has('b')).toBe(false)
    expect(later.sessions.get('c')?.receipt).toEqual(receipt(3))
    expect(later.sessions.has('a')).toBe(true)
  })

  const removed: Entry = { kind: 'payload-removed', root: commitment.root }
  const given = (session: string, nonce: number, expiry?: number): readonly Entry[] => [
    opened(session, nonce, expiry),
    { kind: 'receipt', session, receipt: receipt(nonce) },
  ]

  test('let a receipt go when its payload was removed and its voucher has expired', () => {
    const promises = Promises.of([...given('a', 1), removed])
    expect([...promises.receipts()]).toEqual([])
    // Until then its nonce is spent, also after the journal was written anew, twice.
    const early = Promises.of(promises.entriesToKeep(timestamp(1000)))
    const again = Promises.of(early.entriesToKeep(timestamp(1000)))
    expect(again.sessionOfNonce(request(1).voucher.nonce)?.receipt).toEqual(receipt(1))
    expect([...again.receipts()]).toEqual([])
    expect([...again.entriesToKeep(timestamp(1001))]).toEqual([])
    again.forget(timestamp(1001))
    expect(again.sessions.size).toBe(0)
    expect(again.sessionOfNonce(request(1).voucher.nonce)).toBeUndefined()
  })

  test('keep a receipt that was given after a removal, in whatever order they were made', () => {
    const promises = Promises.of([...given('a', 1), removed, ...given('b', 2)])
    const again = Promises.of(promises.entriesToKeep(timestamp(500)))
    for (const one of [promises, again]) {
      expect([...one.receipts()]).toEqual([receipt(2).receipt])
    }
    const later = Promises.of(again.entriesToKeep(timestamp(10 ** 9)))
    expect([...later.sessions.keys()]).toEqual(['b'])
  })

  test('count what was uploaded under a grant until the grant expires', () => {
    const grant = {
      grant: {
        ...{ payer: party, key: party, provider: party, actions: 1, bytesMax: bytes(9000) },
        ...{ notBefore: timestamp(0), expiry: timestamp(3000), nonce: ZERO_HASH },
      },
      signature,
    }
    const open = { ...opened('a', 1), request: { ...request(1), grant } } as Entry
    const promises = Promises.of([open, ...given('a', 1).slice(1), removed])
    const name = grantName(grant.grant)
    const kept = Promises.of(promises.entriesToKeep(timestamp(3000)))
    expect(kept.grantedBytes(name)).toBe(5000n)
    expect([...kept.entriesToKeep(timestamp(3001))]).toEqual([])
  })
})
