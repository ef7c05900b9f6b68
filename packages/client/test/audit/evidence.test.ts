/**
 * Evidence, from files that a real chain and a test's provider gave (tests/adversaries/evidence.fault):
 * verified without any chain; any change is refused, also one by a forger who knows the format.
 */
import { readFileSync } from 'node:fs'
import { type NetworkFile, readNetwork } from '@holdfast/chain'
import { HoldfastError, hash32 } from '@holdfast/protocol'
import { beforeAll, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  decodeEvidence,
  EVIDENCE_BYTES_MAX,
  type Evidence,
  encodeEvidence,
} from '../../src/audit/evidence/evidence-file.ts'
import { meaningOf, verifyEvidence } from '../../src/audit/evidence/verify-evidence.ts'
import { vectorPath } from '../support.ts'

const NAMES = ['shown', 'wrong'] as const

const fileOf = (name: (typeof NAMES)[number]): Uint8Array =>
  new Uint8Array(readFileSync(vectorPath('evidence', `${name}.evidence`)))

let network: NetworkFile

beforeAll(async () => {
  network = await readNetwork(vectorPath('evidence', 'network.json'))
})

const refusal = (act: () => unknown): string => {
  try {
    act()
  } catch (error) {
    if (HoldfastError.is(error, 'PROOF_INVALID')) return error.message
    throw error
  }
  throw new Error('it was not refused')
}

test.each(NAMES)('%s: verified with the network file alone', (name) => {
  const verdict = verifyEvidence(network, decodeEvidence(fileOf(name)))
  expect(verdict.verdict).toBe(name)
  expect(verdict.entries).toHaveLength(5)
  expect(verdict.entries.every(({ state }) => state === 'right')).toBe(name === 'shown')
  const open = meaningOf(verdict).doesNotProve.join(' ')
  expect(open).toContain(verdict.block.hash)
  const anchored = verifyEvidence(network, decodeEvidence(fileOf(name)), [verdict.block.hash])
  expect(anchored.anchored).toBe(true)
  expect(meaningOf(anchored).doesNotProve.join(' ')).not.toContain(verdict.block.hash)
})

test('a block that is not among those given is refused', () => {
  const other = hash32(`0x${'11'.repeat(32)}`)
  const message = refusal(() => verifyEvidence(network, decodeEvidence(fileOf('shown')), [other]))
  expect(message).toContain('none of those given')
})

test('another network is refused: another key, chain, ledger, market or beacon', () => {
  const evidence = decodeEvidence(fileOf('shown'))
  const { contracts, drand } = network
  const elsewhere = `0x${'77'.repeat(20)}` as typeof contracts.proofs
  // drand's own quicknet key, of which no local signature is.
  const { publicKey } = JSON.parse(readFileSync(vectorPath('drand-quicknet.json'), 'utf8'))
  const others: readonly NetworkFile[] = [
    { ...network, chainId: network.chainId + 1n },
    { ...network, contracts: { ...contracts, proofs: elsewhere } },
    { ...network, contracts: { ...contracts, market: elsewhere } },
    { ...network, contracts: { ...contracts, beacon: elsewhere } },
    { ...network, drand: { ...drand, publicKey } },
  ]
  for (const other of others) refusal(() => verifyEvidence(other, evidence))
})

test.each(NAMES)('%s: a change of one bit is refused, wherever it is', (name) => {
  const file = fileOf(name)
  for (let bit = 0; bit < 8 * file.length; bit += 29) {
    const spoilt = file.slice()
    spoilt[bit >> 3] = (spoilt[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    refusal(() => decodeEvidence(spoilt))
  }
})

/** Every byte string in a value, with a way to replace it: what a forger can lay hands on. */
const parts = (evidence: Evidence): readonly ((make: Change) => Evidence)[] => [
  (make) => ({ ...evidence, signature: make(evidence.signature) }),
  (make) => ({ ...evidence, header: make(evidence.header) }),
  ...evidence.account.map((node, at) => (make: Change) => ({
    ...evidence,
    account: evidence.account.with(at, make(node)),
  })),
  ...evidence.words.flatMap((word, at) =>
    word.nodes.map((node, i) => (make: Change) => ({
      ...evidence,
      words: evidence.words.with(at, { ...word, nodes: word.nodes.with(i, make(node)) }),
    })),
  ),
  ...evidence.entries.flatMap((entry, at) => [
    (make: Change) => ({
      ...evidence,
      entries: evidence.entries.with(at, { ...entry, answer: make(entry.answer) }),
    }),
    (make: Change) => ({
      ...evidence,
      entries: evidence.entries.with(at, { ...entry, path: make(entry.path) }),
    }),
    () => ({
      ...evidence,
      entries: evidence.entries.with(at, { ...entry, index: entry.index + 5n }),
    }),
    () => ({
      ...evidence,
      entries: evidence.entries.with(at, { ...entry, count: entry.count + 5n }),
    }),
  ]),
  ...(['length', 'rate', 'periods', 'deposit', 'collateral', 'openBefore'] as const).map(
    (name) => () =>
      ({
        ...evidence,
        terms: { ...evidence.terms, [name]: evidence.terms[name] + 1n },
      }) as Evidence,
  ),
  () => ({ ...evidence, period: (evidence.period + 1n) as Evidence['period'] }),
  () => ({ ...evidence, words: evidence.words.slice(1) }),
  () => ({ ...evidence, words: [...evidence.words, ...evidence.words.slice(0, 1)] }),
  () => ({ ...evidence, account: [...evidence.account, new Uint8Array(32)] }),
]

type Change = (data: Uint8Array) => Uint8Array

describe('a forger who makes the digest anew', () => {
  test.each(NAMES)('%s: is refused for any bit of any part', (name) => {
    const evidence = decodeEvidence(fileOf(name))
    const { block } = verifyEvidence(network, evidence)
    const places = parts(evidence)
    fc.assert(
      fc.property(fc.nat(places.length - 1), fc.nat(), fc.nat(7), (which, byte, bit) => {
        const forged = places[which]?.((data) => {
          const at = byte % Math.max(1, data.length)
          return data.map((value, i) => (i === at ? value ^ (1 << bit) : value))
        })
        if (forged === undefined) throw new Error('there is no such part')
        const back = decodeEvidence(new TextEncoder().encode(encodeEvidence(forged)))
        refusal(() => verifyEvidence(network, back, [block.hash]))
      }),
      { numRuns: 200 },
    )
  })
})

describe('what is no evidence is refused, before it costs anything', () => {
  const text = (content: string): Uint8Array => new TextEncoder().encode(content)
  test.each([
    ['nothing', new Uint8Array(0)],
    ['too much', new Uint8Array(EVIDENCE_BYTES_MAX + 1)],
    ['no text', Uint8Array.of(0xff, 0xfe, 0x00)],
    ['no JSON', text('holdfast')],
    ['lists in lists', text('['.repeat(100_000))],
    ['another format', text('{"format":"holdfast-evidence/2"}\n')],
  ])('%s', (_name, file) => {
    refusal(() => decodeEvidence(file))
  })

  test('the same value in other words', () => {
    const body = new TextDecoder().decode(fileOf('shown'))
    refusal(() => decodeEvidence(text(body.replace('{"format"', '{ "format"'))))
    refusal(() => decodeEvidence(text(`${body}\n`)))
  })
})
