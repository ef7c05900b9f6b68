/**
 * Grants of session keys as a person handles them: what publish signed is listed, taken back by key at
 * providers that are there, and told to one that was away when it is back; it stays taken back.
 */
import { mkdirSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { writeSmallTree } from '../support/corpus.ts'
import { HOLDFAST_PROVIDER, Network } from '../support/network.ts'
import { Running } from '../support/process.ts'
import { type PublishedDeal, publish } from '../support/publishing.ts'
import { type StolenKey, stolenKey } from '../support/stolen-key.ts'
import { until } from '../support/wait.ts'

interface Grant {
  readonly key: string
  readonly payer: string
  readonly provider: string | null
  readonly revokedAt: number | null
  readonly untold: readonly string[]
}

interface Revoked {
  readonly told: readonly string[]
  readonly failures: readonly { readonly provider: string; readonly code: string }[]
}

let network: Network
let deals: readonly PublishedDeal[]
let stolen: StolenKey
let again: Running | undefined

const listed = async (): Promise<readonly Grant[]> =>
  (await network.value<{ grants: readonly Grant[] }>('grant', 'list')).grants

const revokedBy = (stdout: Buffer): Revoked | undefined =>
  (JSON.parse(stdout.toString('utf8')) as { grants: readonly Revoked[] }).grants[0]

/** The errors of commands that must not succeed. */
const refusal = async (...args: readonly string[]): Promise<readonly [number, string]> => {
  const { exit, stdout } = await network.holdfast('grant', 'revoke', ...args, '--json')
  return [exit ?? -1, JSON.parse(stdout.toString('utf8')).error?.code]
}

beforeAll(async () => {
  network = await Network.start()
  mkdirSync(network.path('dataset'))
  writeSmallTree(network.path('dataset'))
  expect(await listed()).toEqual([])
  expect(await refusal('--all')).toEqual([9, 'NOTHING_TO_DO'])
  deals = (await publish(network, network.path('dataset'))).deals
})

afterAll(async () => {
  stolen?.close()
  await again?.stop()
  await network?.close()
})

test('publish signed one grant, for any provider, and it is listed', async () => {
  const { address: payer } = await network.signer('publisher')
  expect(await listed()).toMatchObject([{ payer, provider: null, revokedAt: null, untold: [] }])
  const { stdout } = await network.holdfast('grant', 'list')
  expect(stdout.toString('utf8')).toMatch(/any .*in \dd .*counts/)
})

test('what is not asked for rightly is refused with what to do', async () => {
  const unknown = await network.holdfast('grant', 'revoke', `0x${'12'.repeat(20)}`)
  expect(unknown.exit).toBe(2)
  expect(unknown.stderr).toMatch(/holdfast grant list/)
  const nonce = `0x${'34'.repeat(32)}`
  expect(await refusal()).toEqual([2, 'USAGE'])
  expect(await refusal('--nonce', nonce)).toEqual([2, 'USAGE'])
  expect(await refusal('--nonce', nonce, '--expiry', '1')).toEqual([2, 'USAGE'])
  expect(await refusal('--all', `0x${'12'.repeat(20)}`)).toEqual([2, 'USAGE'])
  expect(await refusal('not-a-key')).toEqual([2, 'ID_INVALID'])
})

test('a provider that is away is named, the other one knows, and a second run reaches it', async () => {
  const [near, far] = deals
  if (near === undefined || far === undefined) throw new Error('there are two deals')
  const node = await network.process(far.provider)
  await network.kill(far.provider)
  const [grant] = await listed()
  const first = await network.holdfast('grant', 'revoke', grant?.key ?? '', '--json')
  expect(first.exit).toBe(4)
  expect(first.stderr).toContain(far.provider)
  const partly = revokedBy(first.stdout)
  expect(partly?.told).toEqual([near.provider])
  expect(partly?.failures.map(({ provider }) => provider)).toEqual([far.provider])
  expect(await listed()).toMatchObject([{ untold: [far.provider] }])
  again = new Running([HOLDFAST_PROVIDER, 'run', '--home', node.home], process.env)
  await until('the provider is told', async () => {
    const { exit } = await network.holdfast('grant', 'revoke', grant?.key ?? '', '--json')
    return exit === 0 ? true : undefined
  })
  expect(await listed()).toMatchObject([{ untold: [], revokedAt: expect.any(Number) }])
})

test('a key that was taken back opens nothing, not even after its provider was killed', async () => {
  const [deal] = deals
  if (deal === undefined) throw new Error('there is a deal')
  stolen = await stolenKey(network, deal.provider)
  await stolen.open()
  const { nonce, expiry } = stolen.grant
  await network.value('grant', 'revoke', '--nonce', nonce, '--expiry', String(expiry))
  await expect(stolen.open()).rejects.toMatchObject({ code: 'VOUCHER_INVALID' })
  const node = await network.process(deal.provider)
  await network.kill(deal.provider)
  const back = new Running([HOLDFAST_PROVIDER, 'run', '--home', node.home], process.env)
  try {
    await until('it refuses again', async () => {
      const outcome = await stolen.open().catch((error: { readonly code?: string }) => error)
      if (!('code' in outcome)) throw new Error('the key is taken again')
      return outcome.code === 'VOUCHER_INVALID' ? true : undefined
    })
  } finally {
    await back.stop()
  }
})
