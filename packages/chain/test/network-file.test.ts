/** The network file: what is written reads back, and every wrong field is named. */
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  address,
  amount,
  type HoldfastError,
  hash32,
  seconds,
  timestamp,
  toHex,
} from '@holdfast/protocol'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import {
  formatNetwork,
  type NetworkFile,
  parseNetwork,
  readNetwork,
  writeNetwork,
} from '../src/network-file.ts'
import { codeOf } from './support/scenario.ts'

const at = (digit: string) => address(`0x${digit.repeat(40)}`)

const NETWORK: NetworkFile = {
  chainId: 2n ** 60n,
  contracts: {
    vault: at('1'),
    registry: at('2'),
    market: at('3'),
    proofs: at('4'),
    disputes: at('7'),
    beacon: at('5'),
  },
  tokens: [{ address: at('6'), symbol: 'tUSD', decimals: 6 }],
  deployedAt: 12n,
  genesis: timestamp(1_700_000_000n),
  period: seconds(86_400n),
  window: seconds(14_400n),
  seedDelay: seconds(60n),
  disputeTime: seconds(172_800n),
  answerTime: seconds(86_400n),
  auditChance: 30,
  disputeBond: amount(1_000_000n),
  disputeSlash: amount(5_000_000n),
  directChallenges: 10,
  feeBps: 500,
  drand: {
    genesis: timestamp(1n),
    period: seconds(3n),
    publicKey: toHex(new Uint8Array(96).fill(7)),
  },
  rpc: ['http://127.0.0.1:8545'],
  drandUrls: [],
  devnet: { keys: '/somewhere/keys', pid: 77 },
}

describe('network files', () => {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'holdfast-network-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  test('read back as they were written, and leave nothing else behind', async () => {
    const path = join(folder, 'network.json')
    await writeNetwork(path, NETWORK)
    await writeNetwork(path, NETWORK)
    expect(await readNetwork(path)).toEqual(NETWORK)
    expect(await readdir(folder)).toEqual(['network.json'])
  })

  test('say what cannot be read', async () => {
    expect(await codeOf(readNetwork(join(folder, 'none.json')))).toBe('INPUT_UNREADABLE')
    const path = join(folder, 'half.json')
    await writeFile(path, formatNetwork(NETWORK).slice(0, 100))
    expect(await codeOf(readNetwork(path))).toBe('CONFIG_INVALID')
    const gone = join(folder, 'no', 'where.json')
    expect(await codeOf(writeNetwork(gone, NETWORK))).toBe('INPUT_UNREADABLE')
  })

  test.each([
    ['format', { format: 'holdfast-network/9' }],
    ['format', { format: 'holdfast-network/1' }],
    ['contracts.disputes', { contracts: { ...NETWORK.contracts, disputes: undefined } }],
    ['disputeTime', { disputeTime: '0' }],
    ['answerTime', { answerTime: '172801' }],
    ['auditChance', { auditChance: 0 }],
    ['disputeBond', { disputeBond: 1.5 }],
    ['chainId', { chainId: -1 }],
    ['chainId', { chainId: 1.5 }],
    ['period', { period: '0' }],
    ['window', { window: '86401' }],
    ['tokens', { tokens: [] }],
    ['tokens[0].decimals', { tokens: [{ address: at('6'), symbol: 'x', decimals: 99 }] }],
    ['rpc', { rpc: [] }],
    ['rpc', { rpc: ['not a url'] }],
    ['contracts.vault', { contracts: { vault: hash32(`0x${'1'.repeat(64)}`) } }],
    ['drand.publicKey', { drand: { genesis: '1', period: '3', publicKey: '0x00' } }],
    ['directChallenges', { directChallenges: '10' }],
  ])('name a wrong %s', (field, change) => {
    const value = { ...(JSON.parse(formatNetwork(NETWORK)) as object), ...change }
    let refusal: HoldfastError | undefined
    try {
      parseNetwork(value, 'network.json')
    } catch (caught) {
      refusal = caught as HoldfastError
    }
    expect(refusal?.code).toBe('CONFIG_INVALID')
    expect(refusal?.message).toContain(field)
  })
})
