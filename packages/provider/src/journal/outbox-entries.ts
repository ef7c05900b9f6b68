/** How the transactor's entries are read back from the journal: each field checked. */
import type { Lane, OutboxEntry, Outcome } from '@holdfast/chain'
import { type Address, address, type Hash32, type Hex, hash32, timestamp } from '@holdfast/protocol'
import { type EntryFields, entryInvalid } from './entry-fields.ts'

type Decoders = {
  readonly [K in OutboxEntry['kind']]: (
    fields: EntryFields,
  ) => Extract<OutboxEntry, { readonly kind: K }>
}

const LANES: readonly Lane[] = ['proofs', 'ledger']
const OUTCOMES: readonly Outcome[] = ['mined', 'reverted', 'displaced', 'foreign']

const oneOf = <T extends string>(fields: EntryFields, name: string, known: readonly T[]): T => {
  const text = fields.text(name)
  const found = known.find((one) => one === text)
  if (found === undefined) throw entryInvalid(`${name} is ${text}`)
  return found
}

const hexOf = (fields: EntryFields, name: string): Hex => {
  const text = fields.text(name)
  if (!/^0x(?:[0-9a-f]{2})*$/.test(text)) throw entryInvalid(`${name} is not hex`)
  return text as Hex
}

const accountOf = (fields: EntryFields): Address => address(fields.text('account'))
const intentOf = (fields: EntryFields): Hash32 => hash32(fields.text('intent'))

export const OUTBOX_DECODERS: Decoders = {
  'tx-intended': (f) => ({
    kind: 'tx-intended',
    account: accountOf(f),
    intent: intentOf(f),
    name: f.text('name'),
    lane: oneOf(f, 'lane', LANES),
    since: timestamp(f.integer('since')),
    deadline: f.has('deadline') ? timestamp(f.integer('deadline')) : undefined,
    gasBudget: f.has('gasBudget') ? f.integer('gasBudget') : undefined,
  }),
  'tx-signed': (f) => ({
    kind: 'tx-signed',
    account: accountOf(f),
    intent: intentOf(f),
    nonce: f.count('nonce'),
    hash: hash32(f.text('hash')),
    raw: hexOf(f, 'raw'),
    cancels: f.flag('cancels'),
  }),
  'tx-abandoned': (f) => ({
    kind: 'tx-abandoned',
    account: accountOf(f),
    intent: intentOf(f),
    reason: f.text('reason'),
  }),
  'tx-settled': (f) => ({
    kind: 'tx-settled',
    account: accountOf(f),
    nonce: f.count('nonce'),
    outcome: oneOf(f, 'outcome', OUTCOMES),
    hash: f.has('hash') ? hash32(f.text('hash')) : undefined,
    blockNumber: f.integer('blockNumber'),
    blockHash: hash32(f.text('blockHash')),
  }),
  'tx-reopened': (f) => ({
    kind: 'tx-reopened',
    account: accountOf(f),
    nonce: f.count('nonce'),
    pooled: f.flag('pooled'),
  }),
  'tx-forgotten': (f) => ({
    kind: 'tx-forgotten',
    account: accountOf(f),
    nonce: f.count('nonce'),
  }),
}
