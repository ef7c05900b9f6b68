/** Plans: the file holds the signed quotes and nothing of it is believed again without a check. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { systemClock } from '@holdfast/chain'
import {
  amount,
  HoldfastError,
  periods,
  type QuoteResponse,
  rate,
  seconds,
  timestamp,
} from '@holdfast/protocol'
import { beforeAll, expect, test } from '@jest/globals'
import { decodePlan, encodePlan, makePlan, type Plan, planOffers } from '../../src/plan.ts'
import { checkOffer } from '../../src/publish/offers.ts'
import { toJson } from '../../src/ui/json.ts'
import { temporary } from '../support.ts'
import { FakeNetwork } from './fake-network.ts'

let network: FakeNetwork
let plan: Plan

beforeAll(async () => {
  network = await FakeNetwork.create(3)
  const path = join(await temporary(), 'input')
  await writeFile(path, 'planned')
  const wishes = { periods: periods(10), token: network.token, region: '', maxPrice: undefined }
  const { ledger, connect } = network
  const request = { path, replicas: 2, pack: {}, ...wishes }
  plan = await makePlan({ ledger, connect, clock: systemClock }, request)
})

const code = async (act: () => unknown): Promise<string | undefined> => {
  try {
    await act()
    return undefined
  } catch (error) {
    if (!HoldfastError.is(error)) throw error
    return error.code
  }
}

test('a plan written and read again gives the same offers and the same bill', async () => {
  const text = toJson(encodePlan(plan, network.chain.network))
  const saved = decodePlan(text, 'plan.json')
  if (saved === undefined) throw new Error('not a plan')
  const offers = await planOffers(saved, network.token, { ...network, clock: systemClock })
  expect(offers).toEqual(plan.offers)
  expect(offers.reduce((sum, { cost }) => sum + cost, 0n)).toBe(plan.total)
  expect(saved.dataset.toString()).toBe(plan.packed.root.toString())
})

test('JSON that is no plan is data; a damaged plan is an error; another network is refused', async () => {
  expect(decodePlan('{"rows": []}', 'x')).toBeUndefined()
  expect(decodePlan('not json', 'x')).toBeUndefined()
  const value = encodePlan(plan, network.chain.network)
  expect(await code(() => decodePlan(toJson({ ...value, dataset: 'x' }), 'x'))).toBe(
    'CONFIG_INVALID',
  )
  const foreign = decodePlan(toJson({ ...value, network: { chainId: 5n, market: '0x00' } }), 'x')
  if (foreign === undefined) throw new Error('not a plan')
  const offers = (): unknown =>
    planOffers(foreign, network.token, { ...network, clock: systemClock })
  expect(await code(offers)).toBe('CONFIG_INVALID')
})

test('whatever is changed in a quote, it is refused', async () => {
  const [offer] = plan.offers
  if (offer === undefined) throw new Error('no offer')
  const { record, response } = offer
  const request = { ...plan.request, length: plan.packed.length }
  const at = { network: network.chain.network, now: network.chain.time }
  const check = (changed: Partial<QuoteResponse['quote']>, wishes = {}, now = at.now) =>
    code(() =>
      checkOffer(
        {
          record,
          response: { ...response, quote: { ...response.quote, ...changed } },
          request: { ...request, ...wishes },
        },
        { ...at, now },
      ),
    )
  expect(await check({})).toBeUndefined()
  expect(await check({ rate: rate(response.quote.rate - 1n) })).toBe('SIGNATURE_INVALID')
  expect(await check({ collateral: amount(0) })).toBe('SIGNATURE_INVALID')
  expect(await check({}, { periods: periods(11) })).toBe('PEER_MISBEHAVED')
  expect(await check({}, { region: 'elsewhere' })).toBe('PEER_MISBEHAVED')
  expect(await check({}, {}, timestamp(response.quote.expiry))).toBe('QUOTE_EXPIRED')
  const dear = { ...record, pricePerTibMonth: amount(0), provingFeeMonth: amount(0) }
  const above = code(() => checkOffer({ record: dear, response, request }, at))
  expect(await above).toBe('PEER_MISBEHAVED')
  expect(seconds(1)).toBe(1n)
})
