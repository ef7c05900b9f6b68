/**
 * A provider in a process of its own, to be killed: the same simulated chain every time (fixed
 * genesis and seed), a home given by the parent, and one line on stdout when it serves.
 */
import { TestNetwork } from './network.ts'

const [home = '', genesis = ''] = process.argv.slice(2)
const network = await TestNetwork.create({}, { home, genesis: BigInt(genesis) })
const running = await network.start()
process.stdout.write(`ready ${JSON.stringify(running.endpoints)}\n`)
