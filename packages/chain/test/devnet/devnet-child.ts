/** A devnet in a process of its own, to be killed: prints one line when it is ready. */
import { seconds, silentLogger } from '@holdfast/protocol'
import { startDevnet } from '../../src/devnet/devnet.ts'
import { systemClock } from '../../src/system-adapters.ts'

const [, , stateDir = ''] = process.argv
const devnet = await startDevnet({
  ...{ stateDir, clock: systemClock, logger: silentLogger },
  period: seconds(3n),
})
process.stdout.write(`${JSON.stringify({ chain: devnet.chainPid, rpc: devnet.network.rpc[0] })}\n`)
process.once('SIGTERM', async () => {
  await devnet.close()
  process.exit(0)
})
