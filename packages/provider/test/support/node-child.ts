/**
 * A provider in a process of its own, on a simulated chain, so that its memory is its own and nothing
 * of a test disturbs its event loop. Started with `fork`; speaks the messages of `node-process.ts`.
 */
import { LIMITS_DEFAULT } from '../../src/limits/limits.ts'
import { TestNetwork, until } from './network.ts'
import type { ChildReady, ToChild } from './node-process.ts'

const PROOF_MS = 600_000
/** Of the log, shown when a proof does not land. */
const LINES = 40

const limits = { ...LIMITS_DEFAULT, ...JSON.parse(process.argv[2] ?? '{}') }
const network = await TestNetwork.create({ limits })
const running = await network.start()
const { chain, config, paths } = network

const ready: ChildReady = {
  kind: 'ready',
  endpoints: running.endpoints,
  tls: running.provider.parts.tls.current,
  params: chain.network,
  provider: config.provider,
  token: config.token,
  home: paths.home,
}
process.send?.(ready)

/** A period goes by; says whether its proof landed. */
const prove = async (): Promise<void> => {
  const period = network.nextPeriod()
  const { follower } = running.provider.parts
  // Time on this chain stands still meanwhile: a slow machine is late for nothing.
  try {
    await until('the proof has landed', () => follower.state.isProven(period), PROOF_MS)
  } catch (error) {
    for (const line of network.log.slice(-LINES)) process.stderr.write(`${JSON.stringify(line)}\n`)
    throw error
  }
  process.send?.({ kind: 'proven' })
}

const stop = async (): Promise<void> => {
  await running.stop()
  await network.close()
  process.send?.({ kind: 'stopped', errors: network.log.filter(({ level }) => level === 'error') })
  process.disconnect()
}

process.on('message', (message: ToChild) => {
  if (message.kind === 'prove') void prove()
  else void stop()
})
