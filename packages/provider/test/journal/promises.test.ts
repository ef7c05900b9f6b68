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
import { Promises } from '../../src/journal/promises.ts'

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
  { kind: 'started', at: timestamp(1) },
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
})
