/**
 * A file of evidence about one deal and period: its value, its text, and back. The text has one form
 * (keys in order, hex in lower case, no spaces) and ends with the SHA-256 of what stands before it, so
 * that a change of any bit is refused, wherever it is. What it means is for `verify-evidence.ts`.
 *
 * Bounds: 1 MiB, 64 nodes per proof, 32 words of state, 5 entries.
 */
import { createHash } from 'node:crypto'
import {
  address,
  amount,
  type BundleOpening,
  bytes,
  DEAL_CHALLENGES,
  type DealTerms,
  fromHex,
  type Hash32,
  HoldfastError,
  hash32,
  type Period,
  type ProviderId,
  period,
  periods,
  rate,
  root,
  timestamp,
  toHex,
} from '@holdfast/protocol'
import { toJson } from '../../ui/json.ts'

export interface Evidence {
  readonly chainId: bigint
  readonly provider: ProviderId
  readonly period: Period
  readonly terms: DealTerms
  /** drand's signature of the period's round, a G1 point of 128 bytes. */
  readonly signature: Uint8Array
  /** Of the block whose state is shown, RLP. */
  readonly header: Uint8Array
  /** Nodes from the state root to the ProofLedger's account. */
  readonly account: readonly Uint8Array[]
  readonly words: readonly { readonly slot: Hash32; readonly nodes: readonly Uint8Array[] }[]
  /** The deal's, in the order of their challenges. */
  readonly entries: readonly BundleOpening[]
}

const FORMAT = 'holdfast-evidence/1'
export const EVIDENCE_BYTES_MAX: number = 1024 * 1024
const NODES_MAX = 64
const WORDS_MAX = 32
/** Of one node, header, answer or path. */
const PART_BYTES_MAX = 8192

const invalid = (reason: string): HoldfastError =>
  new HoldfastError({ code: 'PROOF_INVALID', reason: `evidence: ${reason}` })

const digestOf = (text: string): string => createHash('sha256').update(text, 'utf8').digest('hex')

/** The text of a value: one line of JSON, one of its digest. */
export const encodeEvidence = (evidence: Evidence): string => {
  const { chainId, provider, period: of, terms, signature, header, account } = evidence
  const body = toJson({
    format: FORMAT,
    ...{ chainId, provider, period: of, terms: termsValue(terms) },
    ...{ signature: toHex(signature), header: toHex(header), account: account.map(toHex) },
    words: evidence.words.map(({ slot, nodes }) => ({ slot, nodes: nodes.map(toHex) })),
    entries: evidence.entries.map(({ index, count, path, answer }) => ({
      ...{ index, count, path: toHex(path), answer: toHex(answer) },
    })),
  })
  return `${body}\nsha256:${digestOf(body)}\n`
}

/** In one order, whatever the order of the value's own keys is. */
const termsValue = (terms: DealTerms): Readonly<Record<string, unknown>> => ({
  ...{ scheme: terms.scheme, root: terms.root, length: terms.length, client: terms.client },
  ...{ provider: terms.provider, token: terms.token, dataset: terms.dataset, rate: terms.rate },
  ...{ periods: terms.periods, deposit: terms.deposit, collateral: terms.collateral },
  ...{ notice: terms.notice, replacementCost: terms.replacementCost },
  ...{ egressPrice: terms.egressPrice, attributes: terms.attributes, takedown: terms.takedown },
  ...{ openBefore: terms.openBefore, nonce: terms.nonce },
})

type Fields = Readonly<Record<string, unknown>>

const fieldsOf = (value: unknown): Fields => {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields
  throw invalid('an object is missing')
}

const listOf = (value: unknown, max: number): readonly unknown[] => {
  if (Array.isArray(value) && value.length <= max) return value
  throw invalid(`a list of at most ${max} is missing`)
}

const text = (fields: Fields, name: string): string => {
  const value = fields[name]
  if (typeof value === 'string') return value
  throw invalid(`${name} is missing`)
}

const whole = (fields: Fields, name: string): bigint => {
  const value = text(fields, name)
  if (/^\d{1,40}$/.test(value)) return BigInt(value)
  throw invalid(`${name} is not a whole number`)
}

const bytesFrom = (value: unknown): Uint8Array => {
  const length = typeof value === 'string' ? value.length : 0
  if (typeof value === 'string' && length <= 2 + 2 * PART_BYTES_MAX && HEX.test(value)) {
    return fromHex(value as `0x${string}`)
  }
  throw invalid('bytes in hex are missing')
}

const HEX = /^0x(?:[0-9a-f]{2})*$/

const termsFrom = (value: unknown): DealTerms => {
  const fields = fieldsOf(value)
  if (fields['scheme'] !== 1) throw invalid('a scheme that is not known')
  return {
    ...{ scheme: 1, root: root(text(fields, 'root')), length: bytes(whole(fields, 'length')) },
    client: address(text(fields, 'client')),
    provider: address(text(fields, 'provider')),
    token: address(text(fields, 'token')),
    dataset: hash32(text(fields, 'dataset')),
    rate: rate(whole(fields, 'rate')),
    periods: periods(whole(fields, 'periods')),
    deposit: amount(whole(fields, 'deposit')),
    collateral: amount(whole(fields, 'collateral')),
    notice: periods(whole(fields, 'notice')),
    replacementCost: amount(whole(fields, 'replacementCost')),
    egressPrice: amount(whole(fields, 'egressPrice')),
    attributes: hash32(text(fields, 'attributes')),
    takedown: hash32(text(fields, 'takedown')),
    openBefore: timestamp(whole(fields, 'openBefore')),
    nonce: hash32(text(fields, 'nonce')),
  }
}

const entryFrom = (value: unknown): BundleOpening => {
  const fields = fieldsOf(value)
  return {
    index: whole(fields, 'index'),
    count: whole(fields, 'count'),
    path: bytesFrom(fields['path']),
    answer: bytesFrom(fields['answer']),
  }
}

const evidenceFrom = (value: unknown): Evidence => {
  const fields = fieldsOf(value)
  if (fields['format'] !== FORMAT) throw invalid(`it is no ${FORMAT}`)
  const entries = listOf(fields['entries'], DEAL_CHALLENGES)
  if (entries.length !== DEAL_CHALLENGES) throw invalid(`not ${DEAL_CHALLENGES} entries`)
  return {
    chainId: whole(fields, 'chainId'),
    provider: address(text(fields, 'provider')),
    period: period(whole(fields, 'period')),
    terms: termsFrom(fields['terms']),
    signature: bytesFrom(fields['signature']),
    header: bytesFrom(fields['header']),
    account: listOf(fields['account'], NODES_MAX).map(bytesFrom),
    words: listOf(fields['words'], WORDS_MAX).map((word) => {
      const { slot, nodes } = fieldsOf(word)
      const name = hash32(typeof slot === 'string' ? slot : '')
      return { slot: name, nodes: listOf(nodes, NODES_MAX).map(bytesFrom) }
    }),
    entries: entries.map(entryFrom),
  }
}

/**
 * A file's value. Only the one form of it is accepted.
 * @throws HoldfastError `PROOF_INVALID` for everything else.
 */
export const decodeEvidence = (file: Uint8Array): Evidence => {
  if (file.length > EVIDENCE_BYTES_MAX) throw invalid(`more than ${EVIDENCE_BYTES_MAX} bytes`)
  let content: string
  let evidence: Evidence
  try {
    content = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(file)
    const [body = ''] = content.split('\n', 1)
    // First, because it is cheap: what was damaged is not even read.
    if (content !== `${body}\nsha256:${digestOf(body)}\n`) throw invalid('it is damaged')
    evidence = evidenceFrom(JSON.parse(body))
  } catch (cause) {
    if (HoldfastError.is(cause, 'PROOF_INVALID')) throw cause
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw invalid(`it cannot be read: ${reason}`)
  }
  if (encodeEvidence(evidence) === content) return evidence
  throw invalid('it is not in its one form')
}
