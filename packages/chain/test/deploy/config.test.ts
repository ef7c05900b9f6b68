/** The configuration of a deployment: paths by the file's folder, every wrong field named. */

import type { HoldfastError } from '@holdfast/protocol'
import { describe, expect, test } from '@jest/globals'
import { parseDeployConfig } from '../../src/deploy/config.ts'

const QUICKNET_KEY =
  '83cf0f2896adee7eb8b5f01fcad3912212c437e0073e911fb90022d3e760183c8c4b450b6a0a6c3ac6a5776a2d1064510d1fec758c921cc22b0e17e63aaf4bcb5ed66304de9cf809bd274ca73bab4af5a6e9c76a4bc09e76eae8991ef5ece45a'
const DRAND = { genesis: '1692803367', period: '3', publicKey: QUICKNET_KEY }
const GOOD = {
  keystore: 'keys/deployer.json',
  passphraseFile: '/safe/deployer.pass',
  tokens: [`0x${'ab'.repeat(20)}`],
  feeAccount: `0x${'cd'.repeat(20)}`,
  minimumStake: '10000000',
  period: '86400',
  window: '14400',
  seedDelay: '60',
  disputeBond: '1000000',
  disputeSlash: '5000000',
  directChallenges: 10,
  feeBps: 500,
  drand: DRAND,
}

const refusalOf = (changes: Readonly<Record<string, unknown>>): string => {
  try {
    parseDeployConfig({ ...GOOD, ...changes }, '/etc/holdfast/deploy.json')
  } catch (refusal) {
    const { code, message } = refusal as HoldfastError
    return `${code} ${message}`
  }
  return 'none'
}

describe('a deployment configuration', () => {
  test('names files relative to itself', () => {
    const config = parseDeployConfig(GOOD, '/etc/holdfast/deploy.json')
    expect(config).toMatchObject({
      ...{ keystore: '/etc/holdfast/keys/deployer.json', passphraseFile: '/safe/deployer.pass' },
      ...{ rpc: [], drandUrls: [] },
      parameters: { disputeTime: 172_800n, answerTime: 86_400n, auditChance: 30 },
    })
    expect(config).toMatchObject({
      parameters: { period: 86_400n, feeBps: 500, drand: { publicKey: `0x${QUICKNET_KEY}` } },
    })
  })

  test.each([
    ['feeAccount', { feeAccount: '0x12' }],
    ['tokens', { tokens: [] }],
    ['tokens', { tokens: ['0x12'] }],
    ['window', { window: '86401' }],
    ['window', { seedDelay: '14400' }],
    ['publicKey', { drand: { ...DRAND, publicKey: '00'.repeat(96) } }],
    ['publicKey', { drand: { ...DRAND, publicKey: '00' } }],
    ['drand.period', { drand: { ...DRAND, period: '0' } }],
    ['urls', { drand: { ...DRAND, urls: ['nowhere'] } }],
    ['rpc', { rpc: ['nowhere'] }],
    ['directChallenges', { directChallenges: 41 }],
    ['disputeBond', { disputeBond: undefined }],
    ['disputeSlash', { disputeSlash: '10000001' }],
    ['disputeTime', { disputeTime: '604800' }],
    ['answerTime', { answerTime: '200000' }],
    ['auditChance', { auditChance: 0 }],
    ['feeBps', { feeBps: 10_000 }],
    ['minimumStake', { minimumStake: '-1' }],
    ['keystore', { keystore: '' }],
    ['passphraseFile', { passphraseFile: undefined }],
  ])('is refused with a wrong %s', (field, changes) => {
    const refusal = refusalOf(changes)
    expect(refusal).toContain('CONFIG_INVALID')
    expect(refusal).toContain(field)
  })
})
