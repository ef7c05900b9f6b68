/** Stopping and starting at awkward moments: nothing promised is forgotten, nothing is done twice. */
import { cp, rename, rm } from 'node:fs/promises'
import { finalAt, type Period, providerService } from '@holdfast/protocol'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { Provider } from '../src/provider.ts'
import { type RunningProvider, TestNetwork, until } from './support/network.ts'
import { commitmentOf, payloadOf } from './support/payloads.ts'

describe('a restart', () => {
  let network: TestNetwork
  let running: RunningProvider

  beforeEach(async () => {
    network = await TestNetwork.create()
    running = await network.start()
  })
  afterEach(async () => {
    await network.close()
  })

  const restart = async (): Promise<void> => {
    await running.stop()
    running = await network.start()
  }

  /** Proves further periods until what happened is final and settled. Gives the last of them. */
  const settleBy = async (settled: () => boolean): Promise<Period> => {
    const { follower, performer } = running.provider.parts
    const final = finalAt(network.chain.network, network.now)
    let last = network.now
    while (network.chain.time < final) {
      last = network.nextPeriod()
      const now = last
      await until(`period ${now} is proven`, () => {
        const isEmpty = follower.state.treeAt(now).weight === 0n
        return (isEmpty || follower.state.isProven(now)) && performer.duties().length === 0
      })
    }
    await until('it is settled', settled)
    return last
  }

  test('in the middle of a period still proves it, and only once', async () => {
    const { deal } = await running.client.deal(payloadOf(100_000))
    await running.stop()
    const now = network.nextPeriod()
    running = await network.start()
    const proven = (): boolean => running.provider.parts.follower.state.isProven(now)
    await until('the period is proven', proven)
    const last = await settleBy(() => {
      const fact = running.provider.parts.follower.state.deal(deal)
      return (fact?.settledThrough ?? 0n) > now
    })
    await restart()
    await until('the state is back', proven)
    expect(running.provider.parts.performer.counts.failed.prove).toBe(0)
    const seen = await running.client.call(providerService.getDeal, { deal })
    expect(seen).toMatchObject({ provenPeriods: 1n + last - now, lastProvenPeriod: last })
  })

  test('proves again what a reorganisation took back', async () => {
    await running.client.deal(payloadOf(100_000))
    const now = network.nextPeriod()
    const { follower } = running.provider.parts
    await until('the period is proven', () => follower.state.isProven(now))
    await until('nothing is due', () => running.provider.parts.performer.duties().length === 0)
    network.chain.reorg(3)
    if ((await network.ledger(network.owner).seed(now)) === undefined) network.chain.postSeed(now)
    await until('it is proven again', async () => {
      const proven = await network
        .ledger(network.owner)
        .proven(network.owner.address, now, (now + 1n) as typeof now)
      return proven.length === 1
    })
  })

  test('opens again a deal that a reorganisation took back', async () => {
    const { deal } = await running.client.deal(payloadOf(100_000))
    network.chain.reorg(1)
    const ledger = network.ledger(network.owner)
    await until('the deal is open again', async () => (await ledger.deal(deal)) !== undefined)
  })

  test('keeps the durable ranges, the session and its token', async () => {
    const payload = payloadOf(6 * 2 ** 20, 3)
    const voucher = running.client.voucher(commitmentOf(payload))
    const session = await running.client.open(voucher)
    await running.client.put(session, payload, { start: 2 ** 20, end: 5 * 2 ** 20 })
    await restart()
    const again = await running.client.open(voucher)
    expect(again.token).toBe(session.token)
    expect(again.durable).toEqual([{ start: 2n ** 20n, end: 5n * 2n ** 20n }])
    await running.client.put(session, payload, { start: 0, end: 2 ** 20 })
    await running.client.put(session, payload, { start: 5 * 2 ** 20, end: payload.length })
    const receipt = await running.client.commit(session)
    await restart()
    expect(await running.client.commit(session)).toEqual(receipt)
    const read = await running.client.get(commitmentOf(payload).root)
    expect(Buffer.from(read.body).equals(payload)).toBe(true)
  })

  test('opens an accepted deal that was not sent yet, and returns the same signature', async () => {
    const payload = payloadOf(50_000, 4)
    await running.client.upload(payload)
    const proposal = await running.client.proposal(commitmentOf(payload))
    const { book, service } = running.provider.parts
    const { domain } = {
      domain: {
        chainId: network.chain.network.chainId,
        verifyingContract: network.chain.network.contracts.market,
      },
    }
    const { dealIdOf } = await import('@holdfast/protocol')
    const deal = dealIdOf(proposal.terms, domain)
    const stop = new AbortController()
    stop.abort()
    const accepted = service.proposeDeal(proposal, { signal: stop.signal })
    await accepted.catch(() => undefined)
    const promised = book.promises.deals.get(deal)?.providerSignature
    expect(promised).toBeDefined()
    await restart()
    const answer = await running.client.propose(proposal)
    expect(answer.providerSignature).toBe(promised)
    expect(running.provider.parts.follower.state.deal(deal)?.inTree).toBe(true)
  })

  test('folds the chain anew when its state is gone', async () => {
    const { deal } = await running.client.deal(payloadOf(50_000, 5))
    await running.stop()
    await rm(network.paths.state, { recursive: true })
    running = await network.start()
    const now = network.nextPeriod()
    const { follower } = running.provider.parts
    await until('the period is proven', () => follower.state.isProven(now))
    expect(follower.state.deal(deal)?.inTree).toBe(true)
  })

  test('with an older copy of journal and mark keeps and proves what it has forgotten', async () => {
    const { journal } = network.paths
    const home = `${journal}.copy`
    await running.client.upload(payloadOf(50_000, 6))
    await running.stop()
    await cp(journal, home, { recursive: true })
    running = await network.start()
    const [dealt, kept] = [payloadOf(60_000, 7), payloadOf(70_000, 8)]
    const { deal } = await running.client.deal(dealt)
    const session = await running.client.open(running.client.voucher(commitmentOf(kept)))
    await running.client.put(session, kept, { start: 0, end: kept.length })
    await running.client.commit(session)
    await running.stop()
    await rm(journal, { recursive: true })
    await rename(home, journal)
    network.log.length = 0
    running = await network.start()
    // What the chain knows needs no journal; of the other one somebody has to be told.
    const told = network.log.filter(({ event }) => event.includes('is the journal an older copy?'))
    expect(told).toMatchObject([{ level: 'warn', fields: { payloads: 1 } }])
    for (const payload of [dealt, kept]) {
      const read = await running.client.get(commitmentOf(payload).root)
      expect(Buffer.from(read.body).equals(payload)).toBe(true)
    }
    const now = network.nextPeriod()
    const { follower } = running.provider.parts
    await until('the period is proven', () => follower.state.isProven(now))
    expect(follower.state.deal(deal)?.inTree).toBe(true)
    // The session is gone: with a new voucher the payload is promised anew.
    await expect(running.client.commit(session)).rejects.toMatchObject({
      detail: { code: 'SESSION_NOT_FOUND' },
    })
    const { receipt } = await running.client.upload(kept)
    expect(receipt.root).toBe(commitmentOf(kept).root)
  })

  test('a second process on the same home is refused', async () => {
    const second = Provider.open(
      {
        ledger: network.ledger(network.operator),
        network: network.chain.network,
        operator: network.operator,
        prover: network.prover,
        clock: { now: () => 0 as never, sleep: async () => undefined },
        random: { bytes: (n) => new Uint8Array(n) },
        logger: running.provider.parts.follower as never,
      },
      { paths: network.paths, config: network.config, software: 'second' },
    )
    await expect(second).rejects.toMatchObject({ detail: { code: 'HOME_IN_USE' } })
  })

  test('ended deals leave the tree, are closed, and give the collateral back', async () => {
    const { deal } = await running.client.deal(payloadOf(50_000, 6))
    const ledger = network.ledger(network.publisher)
    const end = (await ledger.deal(deal))?.end ?? 0n
    const { follower, performer } = running.provider.parts
    while (network.now < end) {
      const now = network.nextPeriod()
      await until(`period ${now} is done`, () => {
        return (follower.state.isProven(now) || now >= end) && performer.duties().length === 0
      })
    }
    await settleBy(() => follower.state.deal(deal)?.closed === true)
    expect(follower.state.deal(deal)?.inTree).toBe(false)
    expect(follower.state.currentTree().weight).toBe(0n)
    expect((await ledger.deal(deal))?.escrow).toBe(0n)
  })
})
