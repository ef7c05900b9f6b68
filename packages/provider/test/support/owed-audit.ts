/** A provider that owes an audit of a period whose commitment nobody can ever show. */
import type { Ledger } from '@holdfast/chain'
import { hash32, type Period, seconds } from '@holdfast/protocol'
import type { AlarmKind } from '../../src/alarms/alarm.ts'
import { type RunningProvider, TestNetwork, until } from './network.ts'
import { payloadOf } from './payloads.ts'

export class OwingProvider {
  readonly network: TestNetwork
  readonly ledger: Ledger
  running: RunningProvider

  private constructor(network: TestNetwork, running: RunningProvider) {
    this.network = network
    this.running = running
    this.ledger = network.ledger(network.publisher)
  }

  /** It has a deal, and has shown its first commitment. */
  static async begin(): Promise<OwingProvider> {
    const network = await TestNetwork.create()
    const self = new OwingProvider(network, await network.start())
    await self.running.client.deal(payloadOf(50_000))
    await self.untilProven(network.nextPeriod())
    await self.untilShown()
    return self
  }

  untilProven(of: Period): Promise<void> {
    return until(`period ${of} is proven`, () => {
      return this.running.provider.parts.follower.state.isProven(of)
    })
  }

  untilShown(): Promise<void> {
    return until('no audit is owed', async () => {
      const { audit } = await this.ledger.standing(this.network.owner.address)
      return audit === undefined
    })
  }

  /** What happens to alarms of a kind from now on: `raised <subject>`, `cleared <subject>`. */
  alarmsOf(kind: AlarmKind): readonly string[] {
    const told: string[] = []
    this.running.provider.desk.board.onChange(({ event, alarm }) => {
      if (alarm.kind === kind) told.push(`${event} ${alarm.subject}`)
    })
    return told
  }

  untilAlarms(told: readonly string[], expected: readonly string[]): Promise<void> {
    return until(`alarms are ${expected.join(', ')}`, () => told.join() === expected.join())
  }

  /** Every block is a reason to try again. */
  untilTried(
    times: number,
    what: 'answer-audit' | 'answer-dispute' = 'answer-audit',
  ): Promise<void> {
    return until(`${what} was tried ${times} times`, () => {
      this.network.chain.advance(seconds(0n))
      const { failed } = this.running.provider.parts.performer.counts
      return failed[what] >= times
    })
  }

  /**
   * Stops the node and commits with the operator's key, as a former home of it may have done. After a
   * period without a proof it owes an audit for it.
   */
  async commitToNonsense({ afterGap = true } = {}): Promise<Period> {
    const { network } = this
    await this.running.stop()
    if (afterGap) network.nextPeriod()
    const of = network.nextPeriod()
    const root = hash32(`0x${'c0'.repeat(32)}`)
    const commit = { provider: network.owner.address, period: of, root }
    await network.ledger(network.operator).commitPeriod(commit)
    return of
  }

  async start(): Promise<void> {
    this.running = await this.network.start()
  }
}
