/** Which replica serves when some are slow, silent or down; on a clock that the test moves. */
import { type CallOptions, type Clock, HoldfastError, milliseconds } from '@holdfast/protocol'
import { expect, test } from '@jest/globals'
import { CID } from 'multiformats/cid'
import { PATIENCE_MS, type ReplicaCandidate } from '../../src/retrieve/first-to-open.ts'
import type { BlockGetter } from '../../src/retrieve/replica-reader.ts'
import { ReplicaSet } from '../../src/retrieve/replica-set.ts'

const SOME = CID.parse('bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy')
const down = (): HoldfastError =>
  new HoldfastError({ code: 'PEER_UNREACHABLE', peer: 'test', reason: 'it is down' })

/** Sleeps end when the test says so. */
class HandClock implements Clock {
  readonly asked: number[] = []
  readonly #ends: (() => void)[] = []

  now(): ReturnType<Clock['now']> {
    return milliseconds(0)
  }

  sleep(duration: number, { signal }: CallOptions = {}): Promise<void> {
    this.asked.push(duration)
    return new Promise((resolve, reject) => {
      this.#ends.push(resolve)
      signal?.addEventListener('abort', () => reject(new HoldfastError({ code: 'ABORTED' })))
    })
  }

  passes(): void {
    for (const end of this.#ends.splice(0)) end()
  }
}

/** A replica that opens when the test says so; its blocks are its number. */
class Slow implements ReplicaCandidate {
  readonly name: string
  readonly deal: string
  signal: AbortSignal | undefined
  opened = 0
  blocks: BlockGetter
  #settle: { resolve(blocks: BlockGetter): void; reject(error: unknown): void } | undefined

  constructor(number: number) {
    this.name = `provider ${number}`
    this.deal = `deal ${number}`
    this.blocks = { get: async () => Uint8Array.of(number) }
  }

  open({ signal }: CallOptions): Promise<BlockGetter> {
    this.opened += 1
    this.signal = signal
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject }
      signal?.addEventListener('abort', () => reject(new HoldfastError({ code: 'ABORTED' })))
    })
  }

  opens(): void {
    this.#settle?.resolve(this.blocks)
  }

  fails(error: unknown = down()): void {
    this.#settle?.reject(error)
  }
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

const begin = (count: number) => {
  const clock = new HandClock()
  const replicas = Array.from({ length: count }, (_, i) => new Slow(i))
  const left: string[] = []
  const onLeft = ({ provider }: { readonly provider: string }): void => void left.push(provider)
  const set = new ReplicaSet(replicas, { dataset: 'test', clock, onLeft })
  return { clock, replicas, left, set, reading: set.get(SOME) }
}

const opened = (replicas: readonly Slow[]): readonly number[] =>
  replicas.map(({ opened }) => opened)

test('one that opens in time is alone', async () => {
  const { clock, replicas, set, reading } = begin(2)
  await settled()
  replicas[0]?.opens()
  expect(await reading).toEqual(Uint8Array.of(0))
  clock.passes()
  await settled()
  expect([opened(replicas), clock.asked, set.serving]).toEqual([
    [1, 0],
    [PATIENCE_MS],
    'provider 0',
  ])
  expect(replicas[0]?.signal?.aborted).toBe(false)
})

test('a silent one is passed over, let go of, and stays for later', async () => {
  const { clock, replicas, left, set, reading } = begin(2)
  const [silent, other] = replicas
  await settled()
  clock.passes()
  await settled()
  other?.opens()
  expect(await reading).toEqual(Uint8Array.of(1))
  expect([set.serving, left, silent?.signal?.aborted]).toEqual(['provider 1', [], true])
  if (other !== undefined) other.blocks.get = () => Promise.reject(down())
  const again = set.get(SOME)
  await settled()
  expect([opened(replicas), left]).toEqual([[2, 1], ['provider 1']])
  silent?.opens()
  expect(await again).toEqual(Uint8Array.of(0))
})

test('the slow one serves when it opens first after all', async () => {
  const { clock, replicas, left, reading } = begin(3)
  await settled()
  clock.passes()
  await settled()
  expect(opened(replicas)).toEqual([1, 1, 0])
  replicas[0]?.opens()
  expect(await reading).toEqual(Uint8Array.of(0))
  expect([left, replicas[1]?.signal?.aborted]).toEqual([[], true])
})

test('one that fails is followed at once, and the last are waited for without a limit', async () => {
  const { clock, replicas, left, set, reading } = begin(3)
  await settled()
  replicas[0]?.fails()
  await settled()
  expect(opened(replicas)).toEqual([1, 1, 0])
  clock.passes()
  await settled()
  expect([opened(replicas), clock.asked.length]).toEqual([[1, 1, 1], 2])
  replicas[2]?.fails()
  await settled()
  replicas[1]?.opens()
  expect(await reading).toEqual(Uint8Array.of(1))
  expect([left, set.serving]).toEqual([['provider 0', 'provider 2'], 'provider 1'])
})

test('when all fail, it is worth another try; what was asked for is said as it is', async () => {
  const { replicas, left, reading } = begin(2)
  const outcome = expect(reading).rejects.toMatchObject({ detail: { code: 'REPLICAS_EXHAUSTED' } })
  await settled()
  replicas[0]?.fails()
  await settled()
  replicas[1]?.fails()
  await outcome
  expect(left).toEqual(['provider 0', 'provider 1'])
  for (const error of [new HoldfastError({ code: 'ABORTED' }), new Error('a mistake of ours')]) {
    const other = begin(2)
    await settled()
    other.replicas[0]?.fails(error)
    await expect(other.reading).rejects.toBe(error)
    expect(opened(other.replicas)).toEqual([1, 0])
  }
})
