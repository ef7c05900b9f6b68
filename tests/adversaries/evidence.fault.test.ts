/**
 * Evidence from a real chain: its headers, its proofs of storage, drand's signature, a provider's
 * entries. The file that comes out is verified with the network file alone; what a cheating provider
 * committed to is evidence against it. `HOLDFAST_VECTORS=<dir>` keeps the files that
 * packages/client/test/audit/evidence.test.ts reads.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { formatNetwork, type NetworkFile, systemClock } from '@holdfast/chain'
import { decodeEvidence, makeEvidence, verifyEvidence } from '@holdfast/client'
import { amount, type Period, silentLogger } from '@holdfast/protocol'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { type Arena, nextPeriod, openDevnetArena, type Person } from '../support/arena.ts'
import { ArenaProvider } from '../support/arena-provider.ts'
import { permuted } from './twists.ts'

let arena: Arena
let person: Person
let provider: ArenaProvider
let shown: Period
let cheated: Period

beforeAll(async () => {
  arena = await openDevnetArena()
  person = await arena.person(amount(100_000_000n))
  provider = await ArenaProvider.register(arena)
  await provider.open(person, 100)
  await provider.open(person, 7)
  shown = await nextPeriod(arena)
  await provider.commitAudited(shown)
  // The tree changes: the period's own is found in the ring of former ones.
  await provider.open(person, 3)
  cheated = await nextPeriod(arena)
  await provider.commit(cheated, permuted)
  await provider.open(person, 2)
})

afterAll(() => arena?.close())

const make = async (of: Period) => {
  const [id] = provider.deals
  const deal = id === undefined ? undefined : await person.ledger.deal(id)
  if (deal === undefined) throw new Error('it has a deal')
  const network = arena.network as NetworkFile
  const connect = async () => provider.peer
  const ambient = { clock: systemClock, logger: silentLogger }
  return makeEvidence({ network, ledger: person.ledger, connect, ...ambient }, deal, of, {})
}

const keep = (name: string, text: string): void => {
  const folder = process.env['HOLDFAST_VECTORS']
  if (folder === undefined) return
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, name), text)
}

test.each([
  ['shown', () => shown],
  ['wrong', () => cheated],
] as const)(
  '%s: verified with the network file alone, and anchored by the block',
  async (name, of) => {
    const { text, verdict } = await make(of())
    expect(verdict.verdict).toBe(name)
    const evidence = decodeEvidence(new TextEncoder().encode(text))
    const again = verifyEvidence(arena.network, evidence, [verdict.block.hash])
    expect(again).toEqual({ ...verdict, anchored: true })
    const tip = await person.ledger.tip()
    expect(verdict.block.number).toBeLessThanOrEqual(tip.number)
    keep(`${name}.evidence`, text)
  },
)

test('the network file of the vectors', () => {
  const { devnet: _, ...network } = arena.network as NetworkFile
  const elsewhere = { ...network, rpc: ['http://127.0.0.1:1'], drandUrls: [] }
  keep('network.json', formatNetwork(elsewhere))
  expect(network.chainId).toBeGreaterThan(0n)
})
