/** The end: everybody takes what is theirs and goes. Whoever cannot although all is calm was wronged. */
import { type ProviderId, periodAt, type Signer } from '@holdfast/protocol'
import type { Machine } from './machine.ts'
import { PERIOD_SECONDS, type World } from './world.ts'

/** In so many periods the last one of a provider's deals is final. */
const WAIT_PERIODS = 6

export const leave = async (
  world: World,
  machines: readonly Machine[],
  client: Signer,
): Promise<void> => {
  for (const machine of machines) await leaveAs(world, machine)
  const rest = await world.eye.balance(client.address, world.token.address)
  await attempt(world, 'the publisher', async () => {
    if (rest > 0n) await world.chain.ledger(client.address).withdraw(world.token.address, rest)
  })
}

const leaveAs = async (world: World, { name, provider }: Machine): Promise<void> => {
  const ledger = world.chain.ledger(provider)
  await attempt(world, name, async () => {
    const record = await ledger.provider(provider)
    if (record === undefined) throw new Error('it is not registered')
    await ledger.updateProvider(provider, { ...record, accepting: false })
    for (let waited = 0; !(await isFree(world, provider)) && waited < WAIT_PERIODS; waited++) {
      await world.sleep(PERIOD_SECONDS)
    }
    await ledger.withdrawStake(record.stake)
    const rest = await ledger.balance(provider, world.token.address)
    if (rest > 0n) await ledger.withdraw(world.token.address, rest)
  })
}

/** Whether the periods in which its tree held something are final. */
const isFree = async (world: World, provider: ProviderId): Promise<boolean> => {
  const { finalBefore } = await world.eye.standing(provider)
  const since = world.blocks.findLast(({ events }) =>
    events.some((event) => event.kind === 'slot-changed' && event.provider === provider),
  )
  if (since === undefined) return true
  return finalBefore > periodAt(world.chain.network, since.ref.timestamp)
}

const attempt = async (world: World, who: string, act: () => Promise<void>): Promise<void> => {
  try {
    await act()
    world.trace.say(who, 'has left')
  } catch (error) {
    world.violate(`${who} cannot leave: ${error}`)
  }
}
