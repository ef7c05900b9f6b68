/**
 * A process of its own that commits to one file and tells its parent by how many MiB its peak
 * resident memory lies above what it held when it was ready. Arguments: path, length, threads.
 */
import { bytes } from '@holdfast/protocol'
import { openProver } from '@holdfast/prover'

const [path = '', length = '0', threads = '1'] = process.argv.slice(2)

/** The most this process ever held. */
const peakMiB = (): number => process.resourceUsage().maxRSS / 1024

const prover = await openProver({ threads: Number(threads) })
const commit = async (size: bigint): Promise<void> => {
  const payload = { path, offset: bytes(0), length: bytes(size) }
  await prover.commitFile(payload, { skipHoles: false })
}
// the first task loads the engine in every worker; that is not what grows with the payload
await commit(BigInt(threads) << 24n)
const ready = process.memoryUsage().rss / 2 ** 20
await commit(BigInt(length))
process.send?.(peakMiB() - ready)
await prover.close()
process.disconnect?.()
